package stamp

import (
	"bytes"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// A copy that was opened says so, whatever its signature was called; one that a sender has
// marked himself loses that.
func TestDecryptedIsSaid(t *testing.T) {
	for sign, want := range map[string]string{"good": "signature=good\r\n", "": "signature=none\r\n", "x\r\nEvil: y": "signature=xEvily\r\n"} {
		m := &msg.Message{ID: "A", Inside: &msg.Inside{By: "ABCD", Sign: sign}}
		if got := string(Block(Input{Hostname: "gw.test", Message: m, Opened: true})); !strings.Contains(strings.ReplaceAll(got, "\r\n\t", " "), "X-Congthu-Decrypted: results=of-original; key=ABCD; "+want) {
			t.Errorf("%q:\n%s", sign, got)
		}
		if got := string(Block(Input{Hostname: "gw.test", Message: m})); strings.Contains(got, "Decrypted") {
			t.Errorf("said of a copy that is as it came:\n%s", got)
		}
	}
	raw := []byte("X-Congthu-Decrypted: signature=good\r\nSubject: a\r\n\r\nb\r\n")
	if got := string(bytes.Join(Strip(raw, "gw.test"), nil)); got != "Subject: a\r\n\r\nb\r\n" {
		t.Errorf("%q", got)
	}
}

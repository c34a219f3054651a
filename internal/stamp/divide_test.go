package stamp

import (
	"bytes"
	"slices"
	"testing"

	"congthu/internal/msg"
)

// What was put on top comes off again, and nothing else, whatever the message begins with.
func TestDivide(t *testing.T) {
	block := Block(Input{Hostname: "gw.test", Message: &msg.Message{ID: "ABC"}})
	for _, below := range []string{
		"Subject: a\r\n\r\nb\r\n", "\r\nno header\r\n", "", " folded\r\n\r\nb", "X-Congthu-Id: forged\r\n\r\nb", "\n", "X-Congthu-Id",
	} {
		content := slices.Concat(block, Divider([]byte(below)), []byte(below)) // as the judge puts them together
		got, rest, ok := Divide(content)
		if !ok || !bytes.Equal(got, block) || !bytes.Equal(rest, content[len(block):]) {
			t.Errorf("%q: %q %q %v", below, got, rest, ok)
		}
	}
	for _, none := range []string{"", "Subject: a\r\n\r\nX-Congthu-Id: in the body\r\n", "\r\nX-Congthu-Id: a\r\n", "x"} {
		if got, rest, ok := Divide([]byte(none)); ok || got != nil || string(rest) != none {
			t.Errorf("%q has a block: %q", none, got)
		}
	}
	content := append(bytes.Clone(block), "Subject: a\r\n\r\n"...)
	got, below, _ := Divide(content)
	if _ = append(got, "written over"...); string(below) != "Subject: a\r\n\r\n" {
		t.Errorf("appending to the block writes over the message: %q", below)
	}
}

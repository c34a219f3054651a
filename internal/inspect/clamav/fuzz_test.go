package clamav_test

import (
	"bytes"
	"strings"
	"testing"

	"congthu/internal/inspect/clamav"
)

// FuzzAnswer: nothing but clamd's own word for it is "clean", and nothing is believed
// that is not whole.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"stream: OK\x00", "stream: Eicar-Signature FOUND\x00", "INSTREAM size limit exceeded. ERROR\x00", "stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\x00", "stream: OK", "stream:  FOUND\x00", "x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		name, err := clamav.Answer(bytes.NewReader(data))
		text, _, whole := strings.Cut(string(data), "\x00")
		if clean := whole && text == "stream: OK"; (err == nil && name == "") != clean {
			t.Errorf("%q: %q %v", data, name, err)
		}
		if err != nil && len(err.Error()) > 2000 { // 200 characters, each escaped twice
			t.Errorf("an error of %d octets", len(err.Error()))
		}
	})
}

package archive

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// What the filter does to octets, at every distance, is taken back.
func TestDelta(t *testing.T) {
	plain := make([]byte, 3000)
	for i := range plain {
		plain[i] = byte(i*i + i>>3)
	}
	for far := 1; far <= 256; far++ {
		filtered := bytes.Clone(plain)
		for i := len(plain) - 1; i >= far; i-- {
			filtered[i] -= filtered[i-far]
		}
		r, err := newDelta([]byte{byte(far - 1)}, iotest.HalfReader(bytes.NewReader(filtered)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("distance %d: %v, %d octets", far, err, len(got))
		}
	}
	if _, err := newDelta(nil, nil); err == nil {
		t.Error("no properties are taken")
	}
}

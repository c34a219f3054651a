package archive

import (
	"errors"
	"io"
)

// delta takes the Delta filter back: each octet is the difference from the one so many
// places before it. The library's own stands still at the greatest distance, and has no end.
type delta struct {
	r     io.Reader
	last  [256]byte
	far   int // 1 to 256
	place int
}

func newDelta(p []byte, r io.Reader) (io.Reader, error) {
	if len(p) != 1 {
		return nil, errors.New("delta properties of another size")
	}
	return &delta{r: r, far: int(p[0]) + 1}, nil
}

// Read implements io.Reader.
func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		d.last[d.place] += p[i]
		p[i] = d.last[d.place]
		d.place = (d.place + 1) % d.far
	}
	return n, err
}

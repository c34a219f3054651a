package archive

import (
	"bytes"
	"errors"
	"io"
)

const (
	lzwFirst = 257 // the first free code of block mode; 256 clears the table
	lzwMost  = 16  // bits of a code
)

// lzw decompresses what Unix compress wrote: codes of 9 to 16 bits, least significant
// bit first, in groups of eight codes of one size. The standard library has the
// dialects of GIF and TIFF, not this one.
type lzw struct {
	src    *bytes.Reader
	most   int  // bits of the largest code
	block  bool // code 256 clears
	prefix [1 << lzwMost]uint16
	suffix [1 << lzwMost]byte
	free   int
	bits   int
	prev   int // -1: none yet
	first  byte
	buf    uint64
	have   int
	inRun  int // codes read of this size, in groups of eight
	ready  []byte
	stack  []byte
}

func newLZW(data []byte) (io.Reader, error) {
	if len(data) < 3 || int(data[2]&0x1F) > lzwMost || data[2]&0x1F < 9 {
		return nil, errors.New("no head of compress")
	}
	z := &lzw{src: bytes.NewReader(data[3:]), most: int(data[2] & 0x1F), block: data[2]&0x80 != 0}
	z.clear()
	return z, nil
}

func (z *lzw) clear() {
	z.free, z.bits, z.prev = 256, 9, -1
	if z.block {
		z.free = lzwFirst
	}
}

func (z *lzw) Read(p []byte) (int, error) {
	for len(z.ready) == 0 {
		if err := z.step(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.ready)
	z.ready = z.ready[n:]
	return n, nil
}

// code reads the next code; io.EOF when fewer bits than a code are left.
func (z *lzw) code() (int, error) {
	for z.have < z.bits {
		c, err := z.src.ReadByte()
		if err != nil {
			return 0, err
		}
		z.buf |= uint64(c) << z.have
		z.have += 8
	}
	code := int(z.buf & (1<<z.bits - 1))
	z.buf >>= z.bits
	z.have -= z.bits
	z.inRun++
	return code, nil
}

// align skips to the end of the group of eight codes, as the writer padded it.
func (z *lzw) align() error {
	for z.inRun%8 != 0 {
		if _, err := z.code(); err != nil {
			return err
		}
	}
	z.inRun = 0
	return nil
}

func (z *lzw) step() error {
	if z.free > 1<<z.bits-1 && z.bits < z.most {
		if err := z.align(); err != nil {
			return err
		}
		z.bits++
	}
	code, err := z.code()
	if err != nil {
		return err
	}
	if code == 256 && z.block {
		if err := z.align(); err != nil {
			return err
		}
		z.clear()
		return nil
	}
	return z.expand(code)
}

// expand writes the string of a code and adds the next one to the table.
func (z *lzw) expand(code int) error {
	at := code
	z.stack = z.stack[:0]
	switch {
	case code == z.free && z.prev >= 0: // the string that this very step makes
		z.stack = append(z.stack, z.first)
		at = z.prev
	case code >= z.free || z.prev < 0 && code > 255:
		return errors.New("a code that was not made yet")
	}
	for at > 255 {
		z.stack = append(z.stack, z.suffix[at])
		at = int(z.prefix[at])
	}
	z.first = byte(at)
	z.stack = append(z.stack, z.first)
	z.ready = z.ready[:0]
	for i := len(z.stack) - 1; i >= 0; i-- {
		z.ready = append(z.ready, z.stack[i])
	}
	if z.prev >= 0 && z.free < 1<<z.most {
		z.prefix[z.free], z.suffix[z.free] = uint16(z.prev), z.first //nolint:gosec // under 1<<16
		z.free++
	}
	z.prev = code
	return nil
}

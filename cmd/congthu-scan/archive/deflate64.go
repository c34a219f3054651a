package archive

import (
	"errors"
	"io"
)

// inflate64 undoes Deflate64 (method 9 of APPNOTE 4.4.5, 040109 of 7z): deflate (RFC 1951)
// with a window of 64 KiB, where the last length code has 16 further bits and two more
// distance codes exist. It takes no octet beyond the stream's end.
type inflate64 struct {
	r    io.ByteReader
	bits uint32
	have uint // bits that are valid

	out      []byte // the window and what was not handed out yet
	given    int    // octets of out that were handed out
	last     bool   // this is the last block
	stored   int    // octets of a stored block to come
	inside   bool   // a block of codes is being read
	lengths  codes64
	distance codes64
	err      error
}

func newInflate64(r io.ByteReader) io.Reader { return &inflate64{r: r} }

var errDeflate64 = errors.New("deflate64: no such stream")

const (
	window64 = 64 << 10
	batch64  = 64 << 10 // octets made before they are handed out; the longest copy may go over
)

func (f *inflate64) Read(p []byte) (int, error) {
	if f.given == len(f.out) && f.err == nil {
		if keep := len(f.out) - window64; keep > 0 {
			f.out = append(f.out[:0], f.out[keep:]...)
			f.given = len(f.out)
		}
		f.err = f.more()
	}
	n := copy(p, f.out[f.given:])
	if f.given += n; f.given < len(f.out) || f.err == nil {
		return n, nil
	}
	return n, f.err
}

// more makes the next batch. io.EOF is the end of the stream.
func (f *inflate64) more() error {
	for begin := len(f.out); len(f.out)-begin < batch64; {
		var err error
		switch {
		case f.stored > 0:
			err = f.store()
		case f.inside:
			err = f.symbol()
		case f.last:
			return io.EOF
		default:
			err = f.block()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take returns the next bits, the lowest first.
func (f *inflate64) take(n uint) (uint32, error) {
	for f.have < n {
		if err := f.octet(); err != nil {
			return 0, err
		}
	}
	v := f.bits & (1<<n - 1)
	f.bits >>= n
	f.have -= n
	return v, nil
}

func (f *inflate64) octet() error {
	c, err := f.r.ReadByte()
	if err != nil {
		return whole(err)
	}
	f.bits |= uint32(c) << f.have
	f.have += 8
	return nil
}

// whole tells an end inside a stream from one behind it.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// block reads the head of a block (RFC 1951 section 3.2.3).
func (f *inflate64) block() error {
	head, err := f.take(3)
	if err != nil {
		return err
	}
	f.last = head&1 == 1
	switch head >> 1 {
	case 0:
		f.bits, f.have = 0, 0 // to the next octet: never more than seven bits are left
		size, err1 := f.take(16)
		check, err2 := f.take(16)
		if err := errors.Join(err1, err2); err != nil {
			return io.ErrUnexpectedEOF
		}
		if size^check != 0xFFFF {
			return errDeflate64
		}
		f.stored = int(size)
		return nil
	case 1:
		f.inside = true
		return errors.Join(f.lengths.fill(fixed64()), f.distance.fill(fives64()))
	case 2:
		f.inside = true
		return f.dynamic()
	}
	return errDeflate64
}

func (f *inflate64) store() error {
	c, err := f.r.ReadByte()
	if err != nil {
		return whole(err)
	}
	f.out = append(f.out, c)
	f.stored--
	return nil
}

// symbol decodes a literal, a copy, or the block's end (3.2.5).
func (f *inflate64) symbol() error {
	s, err := f.code(&f.lengths)
	switch {
	case err != nil:
		return err
	case s < 256:
		f.out = append(f.out, byte(s))
		return nil
	case s == 256:
		f.inside = false
		return nil
	case s > 285:
		return errDeflate64
	}
	base, extra := length64(s - 257)
	more, err := f.take(extra)
	if err != nil {
		return err
	}
	length := base + int(more)
	if s, err = f.code(&f.distance); err != nil {
		return err
	}
	base, extra = distance64(s)
	if more, err = f.take(extra); err != nil {
		return err
	}
	back := base + int(more)
	if back > min(len(f.out), window64) {
		return errDeflate64
	}
	for from := len(f.out) - back; length > 0; length, from = length-1, from+1 {
		f.out = append(f.out, f.out[from])
	}
	return nil
}

// length64 is the shortest length of a code and its further bits: those of RFC 1951, but
// for the last code.
func length64(code int) (base int, extra uint) {
	switch {
	case code == 28:
		return 3, 16
	case code < 8:
		return 3 + code, 0
	}
	extra = uint(code/4 - 1)
	return 3 + (4+code%4)<<extra, extra
}

// distance64 is likewise for distances, codes 0 to 31.
func distance64(code int) (base int, extra uint) {
	if code < 2 {
		return 1 + code, 0
	}
	extra = uint(code/2 - 1)
	return 1 + (2+code%2)<<extra, extra
}

// dynamic reads the codes of a block (3.2.7).
func (f *inflate64) dynamic() error {
	head, err := f.take(14)
	if err != nil {
		return err
	}
	literals, distances, count := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	var order [19]uint8
	for i, at := range [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} {
		if i == count {
			break
		}
		n, err := f.take(3)
		if err != nil {
			return err
		}
		order[at] = uint8(n)
	}
	if err := f.lengths.fill(order[:]); err != nil {
		return err
	}
	var sizes [288 + 32]uint8
	for i := 0; i < literals+distances; {
		n, value, err := f.run(sizes[:i])
		if err != nil {
			return err
		}
		if n > literals+distances-i {
			return errDeflate64
		}
		for ; n > 0; n, i = n-1, i+1 {
			sizes[i] = value
		}
	}
	if sizes[256] == 0 {
		return errDeflate64 // the block has no end
	}
	return errors.Join(f.lengths.fill(sizes[:literals]), f.distance.fill(sizes[literals:literals+distances]))
}

// run reads how many of the code lengths that follow are the same.
func (f *inflate64) run(before []uint8) (n int, value uint8, err error) {
	s, err := f.code(&f.lengths)
	if err != nil || s < 16 {
		return 1, uint8(s), err //nolint:gosec // under 16
	}
	least, extra := 3, uint(2)
	switch s {
	case 16:
		if len(before) == 0 {
			return 0, 0, errDeflate64
		}
		value = before[len(before)-1]
	case 17:
		extra = 3
	default:
		least, extra = 11, 7
	}
	more, err := f.take(extra)
	return least + int(more), value, err
}

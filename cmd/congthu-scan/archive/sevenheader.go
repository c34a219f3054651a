package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
)

// The property numbers of 7z's header that its structure needs.
const (
	sevenEnd        = 0x00
	sevenHeader     = 0x01
	sevenStreams    = 0x04
	sevenFiles      = 0x05
	sevenPacked     = 0x06
	sevenUnpacked   = 0x07
	sevenSubStreams = 0x08
	sevenSizes      = 0x09
	sevenSums       = 0x0A
	sevenFolder     = 0x0B
	sevenCoderSizes = 0x0C
	sevenStreamNum  = 0x0D
	sevenNames      = 0x11
	sevenEncoded    = 0x17
)

// errSevenHeader says that a header is not one, errSevenCount that it counts more than is
// looked at, or more than it has octets for.
var (
	errSevenHeader = errors.New("7z: the header is broken")
	errSevenCount  = errors.New("7z: the header counts too much")
)

// sevenCounts reads a header only for what it counts: the library makes room for as many
// files, streams and decompressors as a header says there are, before it reads them, and
// looks for the folder of each file among all folders. The walk has the library's
// strictness: what it does not know, the library refuses.
type sevenCounts struct {
	d       []byte
	most    uint64 // of anything that is counted
	folders uint64
	outs    []uint64 // streams out of the coders of each folder
	secret  bool     // something in it is encrypted
	err     error
}

const (
	mostCoders = 32  // of a folder, and streams of a coder
	mostWork   = 2e8 // files times folders
)

// header walks a header from its first octet on.
func (c *sevenCounts) header() error {
	if id := c.octet(); id == sevenEncoded {
		c.streams()
		return c.ended()
	} else if id != sevenHeader {
		return errSevenHeader
	}
	id := c.octet()
	if id == sevenStreams {
		c.streams()
		id = c.octet()
	}
	if id == sevenFiles {
		c.files()
	}
	return c.err
}

// ended wants nothing behind the streams of an encoded header.
func (c *sevenCounts) ended() error {
	if c.err == nil && len(c.d) > 0 {
		return errSevenHeader
	}
	return c.err
}

func (c *sevenCounts) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.d = nil
}

func (c *sevenCounts) take(n uint64) []byte {
	if n > uint64(len(c.d)) {
		c.fail(errSevenHeader)
		return nil
	}
	out := c.d[:n]
	c.d = c.d[n:]
	return out
}

func (c *sevenCounts) octet() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0xFF
}

// number reads a number in 7z's form: the ones that lead the first octet say how many
// octets follow.
func (c *sevenCounts) number() uint64 {
	first := c.octet()
	n := bits.LeadingZeros8(^first)
	var v uint64
	for i, b := range c.take(uint64(n)) { //nolint:gosec // at most eight
		v |= uint64(b) << (8 * i)
	}
	if n < 7 {
		v |= uint64(first&(1<<(7-n)-1)) << (8 * n)
	}
	return v
}

// count reads a number of things that are there.
func (c *sevenCounts) count(most uint64) uint64 {
	n := c.number()
	if n > most {
		c.fail(errSevenCount)
		return 0
	}
	return n
}

func (c *sevenCounts) numbers(n uint64) {
	for ; n > 0 && c.err == nil; n-- {
		c.number()
	}
}

// sums passes over checksums: for all, or for those that a bit stands for.
func (c *sevenCounts) sums(n uint64) {
	defined := n
	if c.octet() == 0 {
		defined = 0
		for _, b := range c.take((n + 7) / 8) {
			defined += uint64(bits.OnesCount8(b)) //nolint:gosec // at most eight
		}
	}
	c.take(4 * defined)
}

func (c *sevenCounts) streams() {
	id := c.octet()
	if id == sevenPacked {
		c.packed()
		id = c.octet()
	}
	if id == sevenUnpacked {
		c.unpacked()
		id = c.octet()
	}
	if id == sevenSubStreams {
		c.subStreams()
		id = c.octet()
	}
	if id != sevenEnd {
		c.fail(errSevenHeader)
	}
}

func (c *sevenCounts) packed() {
	c.number() // where
	n := c.count(c.most)
	id := c.octet()
	if id == sevenSizes {
		c.numbers(n)
		id = c.octet()
	}
	if id == sevenSums {
		c.sums(n)
		id = c.octet()
	}
	if id != sevenEnd {
		c.fail(errSevenHeader)
	}
}

func (c *sevenCounts) unpacked() {
	if c.octet() != sevenFolder {
		c.fail(errSevenHeader)
	}
	c.folders = c.count(c.most)
	if c.octet() != 0 { // elsewhere
		c.fail(errSevenHeader)
	}
	for range c.folders {
		if c.err != nil {
			return
		}
		c.outs = append(c.outs, c.folder())
	}
	if c.octet() != sevenCoderSizes {
		c.fail(errSevenHeader)
	}
	for _, n := range c.outs {
		c.numbers(n)
	}
	id := c.octet()
	if id == sevenSums {
		c.sums(c.folders)
		id = c.octet()
	}
	if id != sevenEnd {
		c.fail(errSevenHeader)
	}
}

// folder walks the chain of decompressors of a folder and tells how many streams they
// give.
func (c *sevenCounts) folder() (outs uint64) {
	var ins uint64
	for n := c.count(mostCoders); n > 0 && c.err == nil; n-- {
		form := c.octet()
		id := c.take(uint64(form & 0xF))
		c.secret = c.secret || bytes.Equal(id, []byte("\x06\xf1\x07\x01"))
		in, out := uint64(1), uint64(1)
		if form&0x10 != 0 {
			in, out = c.count(mostCoders), c.count(mostCoders)
		}
		if form&0x20 != 0 {
			c.take(c.number())
		}
		ins, outs = ins+in, outs+out
	}
	if outs == 0 || ins < outs {
		c.fail(errSevenHeader)
		return 0
	}
	c.numbers(2 * (outs - 1))
	if packed := ins - (outs - 1); packed > 1 {
		c.numbers(packed)
	}
	return outs
}

func (c *sevenCounts) subStreams() {
	files := c.folders
	id := c.octet()
	var many []uint64
	if id == sevenStreamNum {
		files = 0
		for range c.folders {
			n := c.count(c.most)
			many = append(many, n)
			if files += n; files > c.most {
				c.fail(errSevenCount)
			}
		}
		id = c.octet()
	}
	if id == sevenSizes {
		for _, n := range many {
			c.numbers(max(n, 1) - 1)
		}
		id = c.octet()
	}
	if id == sevenSums {
		c.sums(files)
		id = c.octet()
	}
	if id != sevenEnd {
		c.fail(errSevenHeader)
	}
}

// files wants each property of the files within the header; what is in them is the
// library's to read, in so many steps as there are files.
func (c *sevenCounts) files() {
	n := c.count(c.most)
	if n*c.folders > mostWork {
		c.fail(errSevenCount)
	}
	for c.err == nil {
		if c.octet() == sevenEnd {
			return
		}
		c.take(c.number())
	}
}

// sevenStart reads the place of the header in the file (7zFormat.txt, SignatureHeader).
func sevenStart(data []byte) (header []byte, ok bool) {
	next, size := le64(data, 12), le64(data, 20)
	rest := uint64(len(data) - sevenHead)
	if next > rest || size > rest-next {
		return nil, false
	}
	return data[sevenHead+next : sevenHead+next+size], true
}

// sevenWith is the file with another header, at its end.
func sevenWith(data, header []byte) []byte {
	out := make([]byte, 0, len(data)+len(header))
	out = append(append(out, data...), header...)
	binary.LittleEndian.PutUint64(out[12:], uint64(len(data)-sevenHead))
	binary.LittleEndian.PutUint64(out[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(out[28:], crc32.ChecksumIEEE(header))
	binary.LittleEndian.PutUint32(out[8:], crc32.ChecksumIEEE(out[12:32]))
	return out
}

// sevenListing is a header for one file, which is what an encoded header is packed from.
func sevenListing(encoded []byte) []byte {
	out := append([]byte{sevenHeader, sevenStreams}, encoded[1:]...)
	return append(out, sevenFiles, 1, sevenNames, 5, 0, 'h', 0, 0, 0, sevenEnd, sevenEnd)
}

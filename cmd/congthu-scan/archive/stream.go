package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// Gzip opens a gzip file (RFC 1952), all its members as one, as gunzip does. name is
// its own; the member is called as its header says and as gunzip would call it.
func (b *Budget) Gzip(name string, data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			o.remark(Damaged, "gzip: %v", err)
			return
		}
		inner := unpackedName(name)
		if r.Name != "" && r.Name != inner {
			visit(Member{Name: r.Name}) // a name is a fact of its own
		}
		_ = o.take(Member{Name: inner}, r) // said in the remarks
	})
}

// Bzip2 opens a bzip2 file.
func (b *Budget) Bzip2(name string, data []byte, visit Visit) []Remark {
	return b.stream(name, data, visit, func() (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(data)), nil })
}

// XZ opens an xz file.
func (b *Budget) XZ(name string, data []byte, visit Visit) []Remark {
	return b.stream(name, data, visit, func() (io.Reader, error) { return newXZ(data, b.Dictionary) })
}

// LZMA opens a file of the format before xz.
func (b *Budget) LZMA(name string, data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		if len(data) < 13 {
			o.remark(Damaged, "lzma: %d octets", len(data))
			return
		}
		src := bytes.NewReader(data[13:])
		r, err := newLZMA(data[:5], le64(data, 5), src, b.Dictionary)
		if err != nil {
			o.trouble(name, err)
			return
		}
		if o.take(Member{Name: unpackedName(name)}, r) == nil && src.Len() > 0 {
			o.remark(Conflict, "%d octets after the end", src.Len())
		}
	})
}

// Zstd opens a Zstandard file (RFC 8878).
func (b *Budget) Zstd(name string, data []byte, visit Visit) []Remark {
	return b.stream(name, data, visit, func() (io.Reader, error) { return newZstd(bytes.NewReader(data), b.Dictionary) })
}

// LZ4 opens an LZ4 file, all its frames as one.
func (b *Budget) LZ4(name string, data []byte, visit Visit) []Remark {
	return b.stream(name, data, visit, func() (io.Reader, error) { return &lz4Frames{src: bufio.NewReader(bytes.NewReader(data))}, nil })
}

// Compress opens a file of Unix compress.
func (b *Budget) Compress(name string, data []byte, visit Visit) []Remark {
	return b.stream(name, data, visit, func() (io.Reader, error) { return newLZW(data) })
}

func (b *Budget) stream(name string, data []byte, visit Visit, open func() (io.Reader, error)) []Remark {
	return b.within(data, visit, func(o *opening) {
		r, err := open()
		if err != nil {
			o.trouble(name, err)
			return
		}
		_ = o.take(Member{Name: unpackedName(name)}, r) // said in the remarks
	})
}

// lz4Frames reads frame after frame.
type lz4Frames struct {
	src *bufio.Reader
	now *lz4.Reader
}

func (f *lz4Frames) Read(p []byte) (int, error) {
	for {
		if f.now == nil {
			if _, err := f.src.Peek(1); err != nil {
				return 0, err
			}
			f.now = lz4.NewReader(f.src)
		}
		n, err := f.now.Read(p)
		if err == io.EOF { //nolint:errorlint // bare: a wrapped one is an end where none should be
			f.now, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func newZstd(r io.Reader, dictionary int64) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(dictionary)), zstd.WithDecoderMaxMemory(uint64(dictionary)))
	if err != nil {
		return nil, err
	}
	return memory{z}, nil
}

// memory gives the refusals of zstd for want of memory our name.
type memory struct{ r io.Reader }

func (m memory) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = errDictionary
	}
	return n, err
}

// newXZ refuses a dictionary over the limit before the library asks for it: each block
// names its own.
func newXZ(data []byte, dictionary int64) (io.Reader, error) {
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte{0x21, 0x01}) // the filter LZMA2 and the size of its properties
		if at += i; i < 0 || at+2 >= len(data) {
			break
		}
		if size, err := lzma.DecodeDictCap(data[at+2]); err == nil && size > dictionary && inBlockHeader(data, at) {
			return nil, errDictionary
		}
	}
	return xz.NewReader(bufio.NewReader(bytes.NewReader(data)))
}

// inBlockHeader tells whether at lies in a block header, which ends in its checksum.
func inBlockHeader(data []byte, at int) bool {
	const longest = 1024
	for begin := at - 2; begin >= max(0, at-longest); begin-- {
		end := begin + (int(data[begin])+1)*4
		if end > at+2 && end <= len(data) && crc32.ChecksumIEEE(data[begin:end-4]) == le32(data, end-4) {
			return true
		}
	}
	return false
}

// newLZMA reads raw LZMA data with its properties of five octets. No dictionary needs
// to be larger than what comes out, whatever the properties say.
func newLZMA(properties []byte, size uint64, r io.Reader, dictionary int64) (io.Reader, error) {
	if len(properties) != 5 {
		return nil, errors.New("lzma properties of another size")
	}
	want := uint64(le32(properties, 1))
	if size != 0 {
		want = min(want, size)
	}
	if want > uint64(dictionary) {
		return nil, errDictionary
	}
	head := append([]byte{properties[0]}, make([]byte, 12)...)
	putLE(head[1:5], max(want, lzma.MinDictCap))
	putLE(head[5:], size)
	src, ok := r.(byteReader)
	if !ok {
		src = bufio.NewReader(r)
	}
	return lzma.ReaderConfig{DictCap: int(max(dictionary, lzma.MinDictCap))}.NewReader(&headed{head, src})
}

// byteReader is what the library reads no further from than it must.
type byteReader interface {
	io.Reader
	io.ByteReader
}

// headed reads a head, then the rest.
type headed struct {
	head []byte
	byteReader
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) == 0 {
		return h.byteReader.Read(p)
	}
	n := copy(p, h.head)
	h.head = h.head[n:]
	return n, nil
}

func (h *headed) ReadByte() (byte, error) {
	if len(h.head) == 0 {
		return h.byteReader.ReadByte()
	}
	c := h.head[0]
	h.head = h.head[1:]
	return c, nil
}

func putLE(b []byte, v uint64) {
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

// unpackedName is the name without its last extension; tgz and its like stand for tar.
func unpackedName(name string) string {
	lower := strings.ToLower(name)
	for _, short := range []string{".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".taz"} {
		if strings.HasSuffix(lower, short) {
			return name[:len(name)-len(short)] + ".tar"
		}
	}
	for _, long := range []string{".gz", ".gzip", ".bz2", ".bz", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".z"} {
		if strings.HasSuffix(lower, long) {
			return name[:len(name)-len(long)]
		}
	}
	return name
}

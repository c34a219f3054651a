package archive

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

const cabMagic = "MSCF\x00\x00\x00\x00"

// Cab opens a Microsoft cabinet (MS-CAB): stored and MSZIP folders. Quantum and LZX
// are said to be unknown methods.
func (b *Budget) Cab(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		c := &cab{opening: o, data: data}
		if err := c.open(); err != nil {
			o.remark(Damaged, "cab: %v", err)
		}
	})
}

var errCut = errors.New("cut")

type cab struct {
	*opening
	data    []byte
	folders []cabFolder
	reserve int // octets of each data block that are not ours
}

type cabFolder struct {
	at, blocks int
	method     uint16
	read       bool
	content    []byte
}

const (
	cabHead   = 36
	cabPrev   = 1
	cabNext   = 2
	cabExtras = 4
)

// open reads header, folders, and then each file of its folder.
func (c *cab) open() error {
	d := c.data
	if len(d) < cabHead {
		return errCut
	}
	folders, files, flags := int(le16(d, 26)), int(le16(d, 28)), le16(d, 30)
	if flags&(cabPrev|cabNext) != 0 {
		c.remark(Volumes, "the cabinet is one of a set")
	}
	at, folderExtra := cabHead, 0
	if flags&cabExtras != 0 {
		if len(d) < at+4 {
			return errCut
		}
		folderExtra, c.reserve = int(d[at+2]), int(d[at+3])
		at += 4 + int(le16(d, at))
	}
	for range 2 * (int(flags&cabPrev) + int(flags&cabNext)/2) { // names of the neighbours
		if _, next, err := c.text(at); err == nil {
			at = next
		}
	}
	for range folders {
		if len(d) < at+8 {
			return errCut
		}
		c.folders = append(c.folders, cabFolder{at: int(le32(d, at)), blocks: int(le16(d, at+4)), method: le16(d, at+6)})
		at += 8 + folderExtra
	}
	return c.files(int(le32(d, 16)), files)
}

func (c *cab) text(at int) (string, int, error) {
	if at < 0 || at > len(c.data) {
		return "", 0, errCut
	}
	end := bytes.IndexByte(c.data[at:], 0)
	if end < 0 {
		return "", 0, errCut
	}
	return string(c.data[at : at+end]), at + end + 1, nil
}

func (c *cab) files(at, count int) error {
	for range count {
		if at < 0 || len(c.data) < at+16 {
			return errCut
		}
		h := c.data[at:]
		name, next, err := c.text(at + 16)
		if err != nil {
			return err
		}
		if err := c.file(name, int(le32(h, 4)), int(le32(h, 0)), int(le16(h, 8))); err != nil {
			return nil //nolint:nilerr // the limit is remarked
		}
		at = next
	}
	return nil
}

// file gives out a part of a folder.
func (c *cab) file(name string, begin, size, folder int) error {
	if folder >= len(c.folders) {
		if folder >= 0xFFFD {
			c.remark(Volumes, "%s goes on in another cabinet", name)
		} else {
			c.remark(Damaged, "%s: no folder", name)
		}
		c.visit(Member{Name: name})
		return c.enter()
	}
	f := &c.folders[folder]
	if !f.read {
		f.read = true
		var err error
		if f.content, err = c.unfold(name, *f); err != nil {
			c.visit(Member{Name: name, Data: f.content})
			return err
		}
	}
	if begin > len(f.content) || size > len(f.content)-begin {
		if f.method&0xF <= 1 { // otherwise it is said
			c.remark(Damaged, "%s: cut", name)
		}
		begin = min(begin, len(f.content))
		size = len(f.content) - begin
	}
	return c.give(Member{Name: name, Data: f.content[begin : begin+size]})
}

// unfold decompresses a folder.
func (c *cab) unfold(name string, f cabFolder) ([]byte, error) {
	switch f.method & 0xF {
	case 0, 1:
		return c.read(name, &cabBlocks{cab: c, at: f.at, left: f.blocks, zip: f.method&0xF == 1})
	case 2:
		c.remark(Method, "quantum: %s", name)
	case 3:
		c.remark(Method, "lzx: %s", name)
	default:
		c.remark(Method, "%d: %s", f.method&0xF, name)
	}
	return nil, nil
}

// cabBlocks reads the data blocks of a folder. In MSZIP each is a deflate stream of
// its own that goes on with the window of the one before.
type cabBlocks struct {
	*cab
	at, left int
	zip      bool
	window   []byte
	ready    []byte
}

func (b *cabBlocks) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.left == 0 {
			return 0, io.EOF
		}
		if err := b.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

func (b *cabBlocks) block() error {
	const most = 32 << 10
	if b.at < 0 || len(b.data) < b.at+8 {
		return errCut
	}
	packed, size := int(le16(b.data, b.at+4)), int(le16(b.data, b.at+6))
	begin := b.at + 8 + b.reserve
	if len(b.data) < begin+packed {
		return errCut
	}
	body := b.data[begin : begin+packed]
	b.at, b.left = begin+packed, b.left-1
	if !b.zip {
		b.ready = body
		return nil
	}
	if len(body) < 2 || string(body[:2]) != "CK" {
		return errors.New("an MSZIP block that is none")
	}
	var out bytes.Buffer
	if _, err := io.CopyN(&out, flate.NewReaderDict(bytes.NewReader(body[2:]), b.window), most); err != io.EOF && err != nil { //nolint:errorlint // flate's are bare
		return err
	}
	if out.Len() != size {
		return errors.New("an MSZIP block of another size")
	}
	b.ready, b.window = out.Bytes(), out.Bytes()
	return nil
}

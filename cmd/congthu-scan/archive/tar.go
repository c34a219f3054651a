package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// Tar opens a tar file of any dialect. Links and devices are named, their targets too.
func (b *Budget) Tar(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		for len(data) > 0 {
			data = o.tar(data)
		}
	})
}

const tarBlock = 512

// tar reads up to an end mark and returns what stands behind it: some programs read on.
func (o *opening) tar(data []byte) (rest []byte) {
	src := bytes.NewReader(data)
	r := tar.NewReader(src)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return o.afterTar(data[len(data)-src.Len():])
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			o.remark(Damaged, "tar: %v", err)
			return nil
		}
		if h.Linkname != "" {
			o.visit(Member{Name: h.Linkname})
		}
		if strings.HasSuffix(h.Name, "/") && h.Size == 0 {
			o.visit(Member{Name: h.Name})
		}
		if err := o.take(Member{Name: h.Name, Special: tarSpecial(h)}, r); err != nil {
			return nil
		}
	}
}

// afterTar returns what follows the padding, from a block on; nil if nothing does.
func (o *opening) afterTar(rest []byte) []byte {
	at := len(rest) - len(bytes.TrimLeft(rest, "\x00"))
	if at == len(rest) {
		return nil
	}
	o.remark(Conflict, "%d octets after the end", len(rest)-at)
	return rest[at/tarBlock*tarBlock:]
}

func tarSpecial(h *tar.Header) string {
	switch h.Typeflag {
	case tar.TypeLink:
		return "link to " + h.Linkname
	case tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return special(h.FileInfo().Mode(), h.Linkname)
	}
	return ""
}

// special tells what is no ordinary file.
func special(m fs.FileMode, target ...string) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "link to " + strings.Join(target, "")
	case m&(fs.ModeDevice|fs.ModeCharDevice) != 0:
		return "device"
	case m&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return "pipe"
	}
	return ""
}

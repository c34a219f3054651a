package archive

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"strings"
)

// Gzip opens a gzip file (RFC 1952), all its members as one, as gunzip does. name is
// its own; the member is called as its header says and as gunzip would call it.
func (b *Budget) Gzip(name string, data []byte, visit Visit) []Remark {
	o := b.open(data, visit)
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		o.remark(Damaged, "gzip: %v", err)
		return o.remarks
	}
	inner := unpackedName(name)
	if r.Name != "" && r.Name != inner {
		visit(Member{Name: r.Name}) // a name is a fact of its own
	}
	_ = o.take(inner, r) // said in the remarks
	return o.remarks
}

// Bzip2 opens a bzip2 file.
func (b *Budget) Bzip2(name string, data []byte, visit Visit) []Remark {
	o := b.open(data, visit)
	_ = o.take(unpackedName(name), bzip2.NewReader(bytes.NewReader(data))) // said in the remarks
	return o.remarks
}

// unpackedName is the name without its last extension; tgz and its like stand for tar.
func unpackedName(name string) string {
	lower := strings.ToLower(name)
	for _, short := range []string{".tgz", ".tbz", ".tbz2"} {
		if strings.HasSuffix(lower, short) {
			return name[:len(name)-len(short)] + ".tar"
		}
	}
	for _, long := range []string{".gz", ".gzip", ".bz2", ".bz"} {
		if strings.HasSuffix(lower, long) {
			return name[:len(name)-len(long)]
		}
	}
	return name
}

// Tar opens a tar file. Links and devices are named, their targets too.
func (b *Budget) Tar(data []byte, visit Visit) []Remark {
	o := b.open(data, visit)
	src := bytes.NewReader(data)
	r := tar.NewReader(src)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if rest := data[len(data)-src.Len():]; len(bytes.Trim(rest, "\x00")) > 0 {
				o.remark(Conflict, "%d octets after the end", len(rest)) // some programs read on
			}
			return o.remarks
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			o.remark(Damaged, "tar: %v", err)
			return o.remarks
		}
		if h.Linkname != "" {
			visit(Member{Name: h.Linkname})
		}
		if strings.HasSuffix(h.Name, "/") && h.Size == 0 {
			visit(Member{Name: h.Name})
		}
		if err := o.take(h.Name, r); err != nil {
			return o.remarks
		}
	}
}

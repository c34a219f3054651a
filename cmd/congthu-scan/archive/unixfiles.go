package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

const (
	arMagic = "!<arch>\n"
	arHead  = 60
)

// Ar opens an ar file, which is also what a Debian package is.
func (b *Budget) Ar(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		if err := o.ar(data); err != nil && !errors.Is(err, errLimit) {
			o.remark(Damaged, "ar: %v", err)
		}
	})
}

func (o *opening) ar(data []byte) error {
	names := "" // the table of GNU's long names
	for at := len(arMagic); at < len(data); {
		if len(data) < at+arHead || string(data[at+58:at+60]) != "`\n" {
			return errCut
		}
		head := string(data[at : at+arHead])
		size, err := strconv.Atoi(strings.TrimSpace(head[48:58]))
		at += arHead
		if err != nil || size < 0 || size > len(data)-at {
			return errCut
		}
		body := data[at : at+size]
		at += size + size%2
		name := strings.TrimRight(head[:16], " ")
		switch {
		case name == "//":
			names = string(body)
		default:
			name, body = arName(name, names, body)
			if err := o.give(Member{Name: name, Data: body}); err != nil {
				return errLimit
			}
		}
	}
	return nil
}

// arName resolves the long names of GNU ("/12": in the table) and of BSD ("#1/12":
// before the data).
func arName(name, table string, body []byte) (string, []byte) {
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "/")); err == nil && strings.HasPrefix(name, "/") && n >= 0 && n < len(table) {
		long, _, _ := strings.Cut(table[n:], "\n")
		return strings.TrimSuffix(long, "/"), body
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "#1/")); err == nil && strings.HasPrefix(name, "#1/") && n >= 0 && n <= len(body) {
		return strings.TrimRight(string(body[:n]), "\x00"), body[n:]
	}
	return strings.TrimSuffix(name, "/"), body
}

// Cpio opens a cpio file: the two ASCII formats and the binary one in both orders.
func (b *Budget) Cpio(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		if err := o.cpio(data); err != nil && !errors.Is(err, errLimit) {
			o.remark(Damaged, "cpio: %v", err)
		}
	})
}

// cpioHead is what matters of a header.
type cpioHead struct {
	mode, name, size int // name: its octets with the zero at its end
	head, align      int
}

func (o *opening) cpio(data []byte) error {
	at := 0
	for at < len(data) {
		h, err := readCpio(data[at:])
		if err != nil {
			return err
		}
		begin := at + h.head
		body := alignTo(begin+h.name, h.align)
		if h.name < 1 || h.size < 0 || h.name > len(data)-begin || body > len(data) || h.size > len(data)-body {
			return errCut
		}
		name := string(bytes.TrimRight(data[begin:begin+h.name], "\x00"))
		at = alignTo(body+h.size, h.align)
		if name == "TRAILER!!!" {
			return o.afterCpio(data, at)
		}
		content := data[body : body+h.size]
		if err := o.give(Member{Name: name, Data: content, Special: special(unixMode(h.mode), string(content[:min(len(content), 200)]))}); err != nil {
			return errLimit
		}
	}
	return errCut // without a trailer
}

// afterCpio goes on with an archive behind the trailer, as a boot loader does.
func (o *opening) afterCpio(data []byte, at int) error {
	rest := bytes.TrimLeft(data[min(at, len(data)):], "\x00")
	if len(rest) == 0 {
		return nil
	}
	o.remark(Conflict, "%d octets after the end", len(rest))
	if _, err := readCpio(rest); err == nil {
		return o.cpio(rest)
	}
	return nil
}

func alignTo(n, align int) int { return (n + align - 1) / align * align }

// unixMode translates the type of a file from the bits of stat.
func unixMode(mode int) fs.FileMode {
	switch mode & 0o170000 {
	case 0o120000:
		return fs.ModeSymlink
	case 0o020000, 0o060000:
		return fs.ModeDevice
	case 0o010000, 0o140000:
		return fs.ModeNamedPipe
	}
	return 0
}

// readCpio reads a header of any format.
func readCpio(d []byte) (cpioHead, error) {
	switch {
	case len(d) >= 110 && (string(d[:6]) == "070701" || string(d[:6]) == "070702"):
		return cpioNumbers(d, 16, 4, 110, [3][2]int{{14, 22}, {94, 102}, {54, 62}})
	case len(d) >= 76 && string(d[:6]) == "070707":
		return cpioNumbers(d, 8, 1, 76, [3][2]int{{18, 24}, {59, 65}, {65, 76}})
	case len(d) >= 26 && le16(d, 0) == 0o70707:
		return cpioBinary(d, func(at int) int { return int(le16(d, at)) }), nil
	case len(d) >= 26 && int(d[0])<<8|int(d[1]) == 0o70707:
		return cpioBinary(d, func(at int) int { return int(d[at])<<8 | int(d[at+1]) }), nil
	}
	return cpioHead{}, errors.New("no header")
}

// cpioNumbers reads mode, size of the name and size from a header in ASCII.
func cpioNumbers(d []byte, base, align, head int, fields [3][2]int) (cpioHead, error) {
	var n [3]int
	for i, f := range fields {
		v, err := strconv.ParseUint(string(d[f[0]:f[1]]), base, 40)
		if err != nil {
			return cpioHead{}, fmt.Errorf("header: %w", err)
		}
		n[i] = int(v)
	}
	h := cpioHead{mode: n[0], name: n[1], size: n[2], head: head, align: align}
	return h, nil
}

func cpioBinary(_ []byte, word func(at int) int) cpioHead {
	return cpioHead{mode: word(6), name: word(20), size: word(22)<<16 | word(24), head: 26, align: 2}
}

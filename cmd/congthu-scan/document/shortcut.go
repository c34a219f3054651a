package document

import (
	"encoding/binary"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// The flags of a shortcut (MS-SHLLINK 2.1.1).
const (
	lnkIDList = 1 << 0
	lnkInfo   = 1 << 1
	lnkName   = 1 << 2
	lnkWide   = 1 << 7
	lnkHead   = 0x4C
)

// shortcut tells where a shortcut leads to and with what arguments: the finding itself
// is there without it, the reviewer wants to know more.
func (r *reader) shortcut() {
	d := r.Data
	if len(d) < lnkHead {
		r.Remark(archive.Damaged, "%s: shortcut", r.Name)
		return
	}
	flags := binary.LittleEndian.Uint32(d[20:])
	d = d[lnkHead:]
	if flags&lnkIDList != 0 {
		d = behind(d, 2, 2)
	}
	target := ""
	if flags&lnkInfo != 0 {
		target = localPath(d)
		d = behind(d, 4, 0)
	}
	var words []string
	for bit := range 5 { // name, relative path, working folder, arguments, icon
		if flags&(lnkName<<bit) == 0 {
			continue
		}
		var s string
		s, d = lnkString(d, flags&lnkWide != 0)
		if bit == 1 && target == "" || bit == 3 {
			words = append(words, s)
		}
	}
	command := strings.TrimSpace(target + " " + strings.Join(words, " "))
	r.found(sniff.Shortcut, command)
	r.visit(Object{Data: []byte(command), Text: true})
}

// behind passes over a block that begins with its size, of so many octets; extra is
// added where the size does not count itself.
func behind(d []byte, octets, extra int) []byte {
	if len(d) < octets {
		return nil
	}
	n := int(binary.LittleEndian.Uint16(d))
	if octets == 4 {
		n = int(min(binary.LittleEndian.Uint32(d), 1<<30))
	}
	return d[min(n+extra, len(d)):]
}

// localPath is the path in the LinkInfo (2.3).
func localPath(d []byte) string {
	if len(d) < 20 {
		return ""
	}
	at := binary.LittleEndian.Uint32(d[16:])
	if at == 0 || uint64(at) >= uint64(len(d)) {
		return ""
	}
	path, _, _ := cstring(d[at:])
	return path
}

// lnkString reads a string behind its count of characters (2.4).
func lnkString(d []byte, wide bool) (string, []byte) {
	if len(d) < 2 {
		return "", nil
	}
	n := int(binary.LittleEndian.Uint16(d))
	d = d[2:]
	if wide {
		n = min(2*n, len(d))
		return utf16String(d[:n]), d[n:]
	}
	n = min(n, len(d))
	return string(d[:n]), d[n:]
}

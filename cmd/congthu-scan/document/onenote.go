package document

import (
	"bytes"
	"encoding/binary"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// oneNote hands out the files in a OneNote section (MS-ONESTORE 2.6.13
// FileDataStoreObject): a GUID, the length, 12 octets, the file. Their names stand
// elsewhere, in UTF-16.
func (r *reader) oneNote() {
	const most, head = 1000, 16 + 8 + 12
	mark := []byte("\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac")
	d := r.Data
	for n := 0; ; n++ {
		at := bytes.Index(d, mark)
		if at < 0 {
			break
		}
		if d = d[at:]; len(d) < head {
			break
		}
		size := binary.LittleEndian.Uint64(d[16:])
		d = d[head:]
		if n >= most {
			r.Remark(archive.Limit, "entries: over %d files", most)
			break
		}
		if size > uint64(len(d)) {
			r.Remark(archive.Damaged, "%s: a file is cut", r.Name)
			size = uint64(len(d))
		}
		r.found(Embedded, "OneNote")
		if !r.give(Object{Data: d[:size]}) {
			break
		}
	}
	r.namesInside()
	r.urlsIn("onenote", r.Data)
}

// namesInside hands out the names of programs and scripts that stand in the section.
func (r *reader) namesInside() {
	const most, longest = 100, 260
	d, n := r.Data, 0
	for i := 0; i+1 < len(d) && n < most; {
		end := i
		for end+1 < len(d) && (d[end] >= ' ' && d[end+1] == 0 || d[end+1] >= 1 && d[end+1] <= 0x1E) && end-i < 2*longest {
			end += 2
		}
		if end-i < 8 {
			i++
			continue
		}
		name := utf16String(d[i:end])
		if ext := sniff.Extension(name); ext != "" && len(ext) <= 6 && !strings.ContainsAny(ext, " /") && sniffedProgram(name) {
			r.visit(Object{Name: name})
			n++
		}
		i = end
	}
}

package document

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// stream is a stream of a compound file (MS-CFB).
type stream struct {
	dir  string // path of its storage, "/" between
	name string // without the unprintable character that some begin with
	data []byte
}

func (s stream) path() string { return strings.TrimPrefix(s.dir+"/"+s.name, "/") }

// ole reads a compound file: the old Office formats, Outlook items, the embedded
// objects and the VBA project of the new ones.
func (r *reader) ole() {
	streams := r.streams()
	for _, s := range streams {
		r.visit(Object{Name: s.path(), Data: s.data, Text: true})
	}
	for _, s := range streams {
		r.stream(s)
	}
	r.vba(streams)
	r.outlook(streams)
	how := howOf(streams)
	for _, s := range streams {
		r.urlsIn(how, s.data)
	}
}

// howOf tells Outlook's items, which are made of properties, from documents.
func howOf(streams []stream) string {
	for _, s := range streams {
		if strings.HasPrefix(s.name, "__properties_version") {
			return "outlook"
		}
	}
	return "office"
}

// streams reads all streams, or as many as the budget and the damage allow.
func (r *reader) streams() []stream {
	if limit := overLimit(r.Data); limit != "" {
		r.Remark(archive.Limit, "%s", limit)
		return nil
	}
	doc, err := mscfb.New(bytes.NewReader(r.Data))
	if err != nil {
		r.Remark(archive.Damaged, "%s: %v", r.Name, err)
		return nil
	}
	var all []stream
	for _, f := range doc.File {
		if f.FileInfo().IsDir() || f.Size == 0 {
			if f.Name == "EncryptedPackage" {
				r.found(sniff.Encrypted, f.Name)
			}
			continue
		}
		s := stream{dir: strings.Join(f.Path, "/"), name: f.Name}
		data, err := r.Read(s.path(), f)
		s.data = data
		all = append(all, s)
		if err != nil {
			break
		}
	}
	return all
}

// stream looks at a stream by the name that its program knows it by.
func (r *reader) stream(s stream) {
	switch s.name {
	case "WordDocument":
		r.word(s.data)
	case "Workbook", "Book":
		r.biff(s.data)
	case "PowerPoint Document":
		r.powerpoint(s.data)
	case "Current User":
		if len(s.data) >= 16 && binary.LittleEndian.Uint32(s.data[12:]) == 0xF3D1C4DF { // MS-PPT 2.3.2: headerToken
			r.found(sniff.Encrypted, "PowerPoint")
		}
	case "EncryptedPackage", "EncryptionInfo", "EncryptedSummary", "EncryptedSummaryInformation":
		r.found(sniff.Encrypted, s.name)
	case "Ole10Native":
		r.native(s)
	case "Package", "CONTENTS", "Contents", "EmbeddedOdf":
		r.payload(s)
	case "Ole":
		r.linked(s.data)
	case "Equation Native":
		if overlongFont(s.data) {
			r.found(Exploit, "Equation: font name over its place")
		}
	default:
		r.oledata(s)
	}
}

// oledata reads how Word 2003 keeps embedded objects in XML: a stream each, its size
// and zlib.
func (r *reader) oledata(s stream) {
	if s.dir != "" || !strings.HasPrefix(s.name, "_") || len(s.data) < 8 || s.data[4] != 0x78 {
		return
	}
	data, _ := r.Read(s.name, &forgiving{r: inflate(s.data[4:])}) // what is over a limit is remarked
	if sniff.Of(data) == sniff.OLE {
		r.visit(Object{Name: s.name, Data: data})
	}
}

// payload hands out a stream that is a file of its own, when its octets say so.
func (r *reader) payload(s stream) {
	if sniff.Of(s.data) != sniff.Unknown {
		r.visit(Object{Name: s.name, Data: s.data})
	}
}

// word looks at the head of a Word document (MS-DOC 2.5.2) and for fields in its text.
func (r *reader) word(data []byte) {
	const flags, encrypted = 0x0A, 0x0100
	if len(data) > flags+2 && binary.LittleEndian.Uint16(data[flags:])&encrypted != 0 {
		r.found(sniff.Encrypted, "Word")
		return
	}
	for _, text := range [][]byte{data, narrow(data, 0), narrow(data, 1)} {
		for _, f := range fields(text) {
			if command, ok := ddeField(f); ok {
				r.found(DDE, command)
				return
			}
		}
	}
}

// narrow takes every second octet: text in UTF-16 as far as it is ASCII.
func narrow(data []byte, from int) []byte {
	if !bytes.Contains(data, []byte("D\x00D\x00E\x00")) {
		return nil // nothing of interest
	}
	out := make([]byte, 0, len(data)/2)
	for i := from; i < len(data); i += 2 {
		out = append(out, data[i])
	}
	return out
}

// fields returns the instructions of the fields of a text: between the characters 0x13
// and 0x14 or 0x15 (MS-DOC 2.8.25).
func fields(text []byte) []string {
	const most, longest = 1000, 1000
	var out []string
	for len(out) < most {
		at := bytes.IndexByte(text, 0x13)
		if at < 0 {
			break
		}
		text = text[at+1:]
		end := bytes.IndexAny(text[:min(len(text), longest)], "\x13\x14\x15")
		if end > 0 {
			out = append(out, string(text[:end]))
		}
	}
	return out
}

// ddeField tells a field that starts a program, and the command.
func ddeField(instruction string) (string, bool) {
	words := strings.Fields(instruction)
	if len(words) < 2 {
		return "", false
	}
	switch strings.ToUpper(words[0]) {
	case "DDE", "DDEAUTO":
		return strings.Join(words, " "), true
	}
	return "", false
}

// native reads a packaged file (MS-OLEDS 2.3.6; the inside of Package by usage): names
// in the system's character set, then the octets.
func (r *reader) native(s stream) {
	name, data, ok := unpackNative(s.data)
	if !ok {
		if len(s.data) > 4 {
			r.visit(Object{Name: name, Data: s.data[4:]})
		}
		return
	}
	if data == nil { // a link to where it lies
		r.visit(Object{Name: name})
		return
	}
	r.found(Embedded, name)
	r.visit(Object{Name: name, Data: data})
}

// nativeLink marks a package that has the path of its file instead of the octets.
const nativeLink = 1

func unpackNative(d []byte) (name string, data []byte, ok bool) {
	if len(d) < 8 {
		return "", nil, false
	}
	rest := d[6:] // size, flags
	var label, file, temp string
	if label, rest, ok = cstring(rest); !ok {
		return "", nil, false
	}
	if file, rest, ok = cstring(rest); !ok || len(rest) < 8 {
		return "", nil, false
	}
	if kind := binary.LittleEndian.Uint16(rest[2:]); kind == nativeLink {
		return lastName(file, label), nil, true
	}
	rest = rest[8:] // two flags, the length of what follows
	if temp, rest, ok = cstring(rest); !ok || len(rest) < 4 {
		return "", nil, false
	}
	size := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	if uint64(size) > uint64(len(rest)) {
		size = uint32(len(rest)) //nolint:gosec // a stream is under 4 GiB
	}
	return lastName(label, file, temp), rest[:size], true
}

// lastName is the name that a double click would open: the label, or where it lies.
func lastName(names ...string) string {
	for _, n := range names {
		n = n[strings.LastIndexAny(n, `\/`)+1:]
		if sniff.Extension(n) != "" {
			return n
		}
	}
	return names[0]
}

func cstring(d []byte) (string, []byte, bool) {
	end := bytes.IndexByte(d[:min(len(d), 1024)], 0)
	if end < 0 {
		return "", d, false
	}
	return string(d[:end]), d[end+1:], true
}

// linked looks at where a linked object comes from (MS-OLEDS 2.3.3, its monikers).
func (r *reader) linked(data []byte) {
	url := []byte("\xE0\xC9\xEA\x79\xF9\xBA\xCE\x11\x8C\x82\x00\xAA\x00\x4B\xA9\x0B")
	file := []byte("\x03\x03\x00\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46")
	if at := bytes.Index(data, url); at >= 0 && len(data) > at+20 {
		if target := utf16String(data[at+20:]); target != "" {
			r.found(External, target)
		}
	}
	if at := bytes.Index(data, file); at >= 0 && len(data) > at+22 {
		target, _, _ := cstring(data[at+22:])
		if remote(target) {
			r.found(External, target)
		}
		r.visit(Object{Name: target[strings.LastIndexAny(target, `\/`)+1:]}) // a name is worth a look
	}
}

// utf16String is the little-endian text up to its zero.
func utf16String(d []byte) string {
	const longest = 2000
	var units []uint16
	for i := 0; i+1 < min(len(d), longest); i += 2 {
		u := binary.LittleEndian.Uint16(d[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// overlongFont tells an equation whose font name runs over the 32 octets that the
// equation editor had for it (CVE-2017-11882). Its head has 28 octets, MTEF's five.
func overlongFont(d []byte) bool {
	const head, longest = 28 + 5, 40
	for i := head; i < min(len(d), head+16); i++ {
		if d[i] == 8 && i+3 < len(d) { // a FONT record: tag, typeface, style, name
			name := d[i+3:]
			return len(name) > longest && bytes.IndexByte(name[:longest], 0) < 0
		}
	}
	return false
}

// remote tells a target that is fetched over a network.
func remote(target string) bool {
	lower := strings.ToLower(strings.TrimSpace(target))
	for _, scheme := range []string{"http:", "https:", "ftp:", "mhtml:", "ldap:", "webdav:", "smb:", "ms-msdt:", "search-ms:", "script:"} {
		if strings.HasPrefix(lower, scheme) {
			return true
		}
	}
	return unc(lower)
}

// unc tells a path on another machine, with or without file:. A local path, which
// ordinary documents have for their templates, is none.
func unc(lower string) bool {
	p := strings.ReplaceAll(lower, `\`, "/")
	if rest, ok := strings.CutPrefix(p, "file:"); ok {
		p = strings.TrimLeft(rest, "/")
		slashes := len(rest) - len(p)
		host, _, _ := strings.Cut(p, "/")
		return (slashes == 2 || slashes >= 4) && host != "" && host != "localhost" && !strings.Contains(host, ":")
	}
	return strings.HasPrefix(p, "//") && len(p) > 2
}

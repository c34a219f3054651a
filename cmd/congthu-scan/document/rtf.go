package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// rtf reads the objects, the template and the fields of a Rich Text file. It looks for
// the control words that matter rather than at the structure: files made to attack are
// broken on purpose in ways that Word forgives.
func (r *reader) rtf() {
	d := r.Data
	if bytes.Contains(d, []byte(`\objclass`)) {
		for _, c := range groups(d, `\objclass`) {
			r.objectClass(string(rtfText(c)))
		}
	}
	r.rtfObjects(d)
	for _, t := range groups(d, `\template`) {
		if target := strings.TrimSpace(string(rtfText(t))); remote(target) {
			r.found(External, "template "+target)
		}
	}
	for _, f := range groups(d, `\fldinst`) {
		r.field(string(rtfText(f)))
	}
	r.urlsIn("rtf", d) // a page inside of it (MS-OXRTFEX), a text that becomes a link
}

// field looks at a field's instruction.
func (r *reader) field(instruction string) {
	if command, ok := ddeField(instruction); ok {
		r.found(DDE, command)
		return
	}
	words := strings.Fields(instruction)
	if len(words) < 2 {
		return
	}
	target := strings.Trim(words[1], `"`)
	switch strings.ToUpper(words[0]) {
	case "INCLUDETEXT", "LINK", "IMPORT", "RD":
		if remote(target) {
			r.found(External, clean(instruction))
		}
	case "INCLUDEPICTURE":
		if unc(strings.ToLower(target)) {
			r.found(External, clean(instruction))
		}
		r.link("rtf", target)
	case "HYPERLINK":
		r.link("rtf", fieldLink(instruction))
	}
}

// objectClass tells the classes that are embedded in RTF to attack only.
func (r *reader) objectClass(class string) {
	class = strings.TrimSpace(strings.TrimRight(class, "\x00"))
	lower := strings.ToLower(class)
	switch {
	case strings.HasPrefix(lower, "equation."):
		r.found(Exploit, class)
	case lower == "ole2link":
		r.found(External, class)
	case lower == "otkloadr.wrassembly.1", strings.HasPrefix(lower, "mscomctllib."):
		r.found(Exploit, class)
	}
}

// rtfObjects hands out what the objects' data are in each way that they can be read.
func (r *reader) rtfObjects(d []byte) {
	const most, nested = 500, 50
	word := []byte(`\objdata`)
	for n := 0; ; n++ {
		at := bytes.Index(d, word)
		if at < 0 {
			return
		}
		if n >= most {
			r.Remark(archive.Limit, "entries: over %d objects", most)
			return
		}
		d = d[at+len(word):]
		h := readHex(d)
		if err := r.Count("objdata", len(h.outer)+len(h.all)); err != nil {
			return
		}
		r.object1(h.outer)
		if !bytes.Equal(h.outer, h.all) {
			r.object1(h.all)
		}
		if n >= nested { // objects within objects are a trick, but not by the hundred
			d = d[h.used:]
		}
	}
}

// hexData is the data of an object, read without and with what nested groups hold.
type hexData struct {
	outer, all []byte
	used       int
}

// readHex reads hexadecimal digits up to the end of the group. White space, control
// words and anything else between them are passed over, as Word does; \bin gives octets
// as they are.
func readHex(d []byte) hexData {
	var outer, all nibbles
	depth, i := 0, 0
	for i = skipParameter(d); i < len(d); {
		switch c := d[i]; {
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth < 0 {
				return hexData{outer.out, all.out, i}
			}
		case c == '\\':
			next, raw := control(d, i)
			all.raw(raw)
			if depth == 0 {
				outer.raw(raw)
			}
			i = next
			continue
		default:
			all.digit(c)
			if depth == 0 {
				outer.digit(c)
			}
		}
		i++
	}
	return hexData{outer.out, all.out, i}
}

// skipParameter passes over the number that may follow a control word.
func skipParameter(d []byte) int {
	i := 0
	if i < len(d) && d[i] == '-' {
		i++
		for i < len(d) && d[i] >= '0' && d[i] <= '9' {
			i++
		}
	}
	return i
}

// control passes over a control word or symbol. raw is what \bin carries.
func control(d []byte, at int) (next int, raw []byte) {
	i := at + 1
	for i < len(d) && (d[i] >= 'a' && d[i] <= 'z' || d[i] >= 'A' && d[i] <= 'Z') {
		i++
	}
	word := string(d[min(at+1, i):min(i, at+33)])
	if word == "" {
		if i < len(d) && d[i] == '\'' {
			return min(i+3, len(d)), nil // an octet of text
		}
		return min(i+1, len(d)), nil
	}
	number, negative := 0, false
	if i < len(d) && d[i] == '-' {
		negative = true
		i++
	}
	for i < len(d) && d[i] >= '0' && d[i] <= '9' {
		if number = number*10 + int(d[i]-'0'); number > len(d) {
			number = len(d)
		}
		i++
	}
	if i < len(d) && d[i] == ' ' {
		i++
	}
	if word == "bin" && !negative {
		end := min(i+number, len(d))
		return end, d[i:end]
	}
	return i, nil
}

type nibbles struct {
	out  []byte
	high byte
	half bool
}

func (n *nibbles) digit(c byte) {
	var v byte
	switch {
	case c >= '0' && c <= '9':
		v = c - '0'
	case c >= 'a' && c <= 'f':
		v = c - 'a' + 10
	case c >= 'A' && c <= 'F':
		v = c - 'A' + 10
	default:
		return
	}
	if n.half = !n.half; n.half {
		n.high = v
		return
	}
	n.out = append(n.out, n.high<<4|v)
}

func (n *nibbles) raw(b []byte) {
	if len(b) > 0 {
		n.out, n.half = append(n.out, b...), false
	}
}

// object1 reads an object as OLE 1 wraps it (MS-OLEDS 2.2.5), or whatever is found in
// place of that.
func (r *reader) object1(d []byte) {
	class, data, ok := unwrap(d)
	if ok {
		r.objectClass(class)
		switch {
		case strings.HasPrefix(strings.ToLower(class), "package"):
			r.native(stream{data: append(make([]byte, 4), data...)}) // without the size that a stream has before it
		case sniff.Of(data) != sniff.Unknown:
			r.visit(Object{Data: data})
		default:
			r.visit(Object{Data: data, Text: true})
		}
		return
	}
	if at := bytes.Index(d, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")); at >= 0 {
		r.visit(Object{Data: d[at:]})
		return
	}
	r.visit(Object{Data: d, Text: true})
	if bytes.Contains(bytes.ToLower(d), []byte("equation.")) {
		r.found(Exploit, "Equation")
	}
}

// unwrap reads the head of an OLE 1 object: version, kind, class, topic, item, then
// the data with their size.
func unwrap(d []byte) (class string, data []byte, ok bool) {
	if len(d) < 12 || (d[4] != 1 && d[4] != 2) {
		return "", nil, false
	}
	d = d[8:]
	var names [3]string
	for i := range names {
		if len(d) < 4 {
			return names[0], nil, i > 0
		}
		n := binary.LittleEndian.Uint32(d)
		if uint64(n) > uint64(len(d)-4) || n > 1024 {
			return names[0], nil, false
		}
		names[i] = strings.TrimRight(string(d[4:4+n]), "\x00")
		d = d[4+n:]
	}
	if len(d) < 4 {
		return names[0], nil, true
	}
	n := min(uint64(binary.LittleEndian.Uint32(d)), uint64(len(d)-4))
	return names[0], d[4 : 4+n], true
}

// groups returns what stands behind each of these control words up to the end of its
// group, a bounded number of them.
func groups(d []byte, word string) [][]byte {
	const most, longest = 2000, 8 << 10
	var out [][]byte
	for len(out) < most {
		at := bytes.Index(d, []byte(word))
		if at < 0 {
			break
		}
		d = d[at+len(word):]
		if len(d) > 0 && d[0] >= 'a' && d[0] <= 'z' { // a longer word
			continue
		}
		end, depth := 0, 0
		for end < min(len(d), longest) && depth >= 0 {
			switch d[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
			end++
		}
		out = append(out, d[:end])
	}
	return out
}

// rtfText is the text of a piece of RTF.
func rtfText(d []byte) []byte {
	var out []byte
	for i := 0; i < len(d); {
		switch c := d[i]; c {
		case '{', '}', '\r', '\n':
			i++
		case '\\':
			if i+1 < len(d) && strings.IndexByte(`\{}`, d[i+1]) >= 0 {
				out = append(out, d[i+1])
				i += 2
				continue
			}
			if i+3 < len(d) && d[i+1] == '\'' {
				var v byte
				if _, err := fmt.Sscanf(string(d[i+2:i+4]), "%02x", &v); err == nil {
					out = append(out, v)
				}
			}
			i, _ = control(d, i)
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}

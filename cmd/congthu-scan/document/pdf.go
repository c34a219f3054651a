package document

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// pdf reads every object that stands anywhere in the file, whatever its cross-reference
// table says: programs differ in which of them they take.
func (r *reader) pdf() {
	p := &pdf{reader: r, names: map[int]string{}}
	p.objects(r.Data)
	p.unlock()
	if p.sealed {
		return
	}
	for _, o := range p.found {
		p.dicts(o)
	}
	for i := 0; i < len(p.found) && p.object(p.found[i]); i++ { // object streams add to them
	}
	p.flush()
	p.tell()
}

type pdf struct {
	*reader
	found  []pdfObject
	names  map[int]string // of embedded files, by the number of their stream
	key    *pdfKey        // nil: not encrypted
	sealed bool           // encrypted, and not with the empty password
	text   []byte         // what streams hold, gathered to be looked at in one piece
	opens  bool           // an action for when it is opened
	acts   map[string]string
}

// pdfObject is an object with the dictionaries in it.
type pdfObject struct {
	number, generation int
	top                dict
	dicts              []dict
	data               []byte // of its stream; nil: none
	inner              bool   // from an object stream, where nothing is encrypted again
}

const mostObjects = 200000

// alone is the key, no name of PDF, of a string that is an object of its own: often a
// script that another object refers to.
const alone = " string"

// objects finds "1 0 obj" and "trailer".
func (p *pdf) objects(d []byte) {
	end := endings{d: d}
	work := 0
	for at := 0; ; {
		i := bytes.Index(d[at:], []byte("obj"))
		if i < 0 {
			break
		}
		at += i + 3
		number, generation, ok := numbersBefore(d, at-3)
		if !ok {
			continue
		}
		if len(p.found) >= mostObjects || work > 20*len(d)+1<<20 {
			p.Remark(archive.Limit, "entries: over %d objects, or objects inside each other", mostObjects)
			return
		}
		s := &syntax{d: d, at: at}
		v := s.value(0)
		o := pdfObject{number: number, generation: generation, top: v.dict, dicts: s.seen}
		if v.kind == isString {
			o.dicts = append(o.dicts, dict{alone: v})
		}
		if v.kind == isDict {
			o.data = end.stream(s.at, v.dict["Length"])
		}
		p.found = append(p.found, o)
		work += s.at - at // the next is looked for right behind: this one may have read beyond its end
	}
	for at := 0; ; {
		i := bytes.Index(d[at:], []byte("trailer"))
		if i < 0 {
			return
		}
		at += i + 7
		s := &syntax{d: d, at: at}
		if v := s.value(0); v.kind == isDict {
			p.found = append(p.found, pdfObject{top: v.dict, dicts: s.seen})
		}
	}
}

// numbersBefore reads the two numbers before "obj".
func numbersBefore(d []byte, at int) (number, generation int, ok bool) {
	i := at
	read := func() (int, bool) {
		for i > 0 && blank(d[i-1]) {
			i--
		}
		end := i
		for i > 0 && digit(d[i-1]) && end-i < 10 {
			i--
		}
		n := 0
		for _, c := range d[i:end] {
			n = n*10 + int(c-'0')
		}
		return n, end > i
	}
	if generation, ok = read(); !ok || i == 0 || !blank(d[i-1]) {
		return 0, 0, false
	}
	number, ok = read()
	return number, generation, ok
}

// endings finds where streams end. It remembers the last answer, so that a thousand
// streams without an end do not read the file a thousand times.
type endings struct {
	d    []byte
	from int // from here,
	next int // the next "endstream" is here, or the end of the file
}

// stream returns the octets behind the keyword "stream" at the place, or nil.
func (e *endings) stream(at int, length value) []byte {
	s := syntax{d: e.d, at: at}
	s.space()
	if !bytes.HasPrefix(e.d[min(s.at, len(e.d)):], []byte("stream")) {
		return nil
	}
	begin := s.at + len("stream")
	switch {
	case bytes.HasPrefix(e.d[begin:], []byte("\r\n")):
		begin += 2
	case begin < len(e.d) && (e.d[begin] == '\n' || e.d[begin] == '\r'):
		begin++
	}
	if n := length.n; length.kind == isNumber && n > 0 && n <= len(e.d)-begin {
		if rest := bytes.TrimLeft(e.d[begin+n:min(len(e.d), begin+n+20)], "\r\n "); bytes.HasPrefix(rest, []byte("endstream")) {
			return e.d[begin : begin+n : begin+n]
		}
	}
	end := max(e.after(begin), begin)
	return e.d[begin:end:end]
}

func (e *endings) after(begin int) int {
	if e.next == 0 || begin < e.from || begin > e.next {
		e.from, e.next = begin, len(e.d)
		if i := bytes.Index(e.d[begin:], []byte("endstream")); i >= 0 {
			e.next = begin + i
		}
	}
	return e.next
}

// dicts looks at the dictionaries of an object.
func (p *pdf) dicts(o pdfObject) {
	for _, d := range o.dicts {
		p.action(o, d)
		p.filespec(o, d)
		for _, key := range []string{"OpenAction", "AA"} {
			if _, ok := d[key]; ok {
				p.opens = true
			}
		}
		if _, ok := d["XFA"]; ok {
			p.act(PDFForm, "XFA")
		}
		switch subtype := d["Subtype"].text; subtype {
		case "RichMedia", "3D", "Screen", "Movie", "Sound":
			if subtype == "RichMedia" || subtype == "3D" {
				p.act(PDFRich, subtype)
			}
		}
	}
}

// action looks at what happens at a click or by itself (12.6).
func (p *pdf) action(o pdfObject, d dict) {
	for _, key := range []string{"JS", "JavaScript", alone} {
		v, ok := d[key]
		if ok && key != alone {
			p.act(PDFScript, "JavaScript")
		}
		if text := p.string(o, v); text != "" {
			p.gather([]byte(text))
		}
	}
	target := p.target(o, d)
	switch d["S"].text {
	case "JavaScript":
		p.act(PDFScript, "JavaScript")
	case "Launch":
		p.act(PDFLaunch, "Launch "+target)
	case "GoToE":
		p.act(PDFLaunch, "GoToE "+target)
	case "GoToR", "ImportData":
		if remote(target) {
			p.act(External, d["S"].text+" "+target)
		}
	case "SubmitForm", "URI":
		p.link("pdf", target)
	}
	if d["S"].kind == isName && d["S"].text != "URI" && d["S"].text != "SubmitForm" && unc(strings.ToLower(target)) {
		p.act(External, target) // opening it signs on to another machine
	}
	if v, ok := d["URI"]; ok && v.kind == isString {
		p.link("pdf", p.string(o, v))
	}
}

// target is the file or the address that an action names.
func (p *pdf) target(o pdfObject, d dict) string {
	for _, key := range []string{"F", "UF", "Win", "URI"} {
		switch v := d[key]; v.kind {
		case isString:
			return p.string(o, v)
		case isDict:
			if t := p.target(o, v.dict); t != "" {
				return t
			}
		}
	}
	return ""
}

// filespec notes the name of an embedded file (7.11.3).
func (p *pdf) filespec(o pdfObject, d dict) {
	name := p.string(o, d["UF"])
	if name == "" {
		name = p.string(o, d["F"])
	}
	for _, v := range d["EF"].dict {
		if v.kind == isRef {
			p.names[v.n] = name
		}
	}
}

// act notes a fact once for each symbol: the first says enough.
func (p *pdf) act(symbol, evidence string) {
	if p.acts == nil {
		p.acts = map[string]string{}
	}
	if p.acts[symbol] == "" {
		p.acts[symbol] = evidence
	}
}

func (p *pdf) tell() {
	for _, symbol := range []string{PDFLaunch, PDFScript, External, PDFForm, PDFRich} {
		if evidence := p.acts[symbol]; evidence != "" {
			if p.opens {
				evidence += " (OpenAction)"
			}
			p.reader.found(symbol, evidence)
		}
	}
}

// string is the text of a string, decrypted, in UTF-8 (7.9.2).
func (p *pdf) string(o pdfObject, v value) string {
	if v.kind != isString {
		return ""
	}
	text := v.text
	if p.key != nil && !o.inner {
		text = string(p.key.open(o.number, o.generation, []byte(text), false))
	}
	if strings.HasPrefix(text, "\xfe\xff") {
		var units []uint16
		for b := []byte(text)[2:]; len(b) >= 2; b = b[2:] {
			units = append(units, binary.BigEndian.Uint16(b))
		}
		return string(utf16.Decode(units))
	}
	return text
}

// object looks at the stream of an object. False: the budget is spent.
func (p *pdf) object(o pdfObject) bool {
	if len(o.data) == 0 {
		return true
	}
	kind, subtype := o.top["Type"].text, o.top["Subtype"].text
	name, embedded := p.names[o.number]
	embedded = embedded || kind == "EmbeddedFile"
	if !embedded && kind == "XRef" {
		return true // a table
	}
	if !embedded && subtype == "Image" {
		p.picture(o) // pixels, which nothing runs
		return true
	}
	data, err := p.decode(o)
	switch {
	case embedded:
		p.reader.found(Embedded, name)
		p.visit(Object{Name: name, Data: data})
	case kind == "ObjStm":
		p.objectStream(o, data)
		p.gather(data)
	case strong(sniff.Of(data)):
		p.visit(Object{Data: data})
	default:
		p.gather(data)
	}
	return err == nil
}

// strong tells the kinds that a stream is not by chance.
func strong(k sniff.Kind) bool {
	switch k {
	case sniff.PE, sniff.ELF, sniff.Zip, sniff.OLE, sniff.RTF, sniff.PDF, sniff.LNK, sniff.HTML:
		return true
	}
	return false
}

// objectStream adds the objects in a stream (7.5.7): numbers and places, then values.
func (p *pdf) objectStream(o pdfObject, data []byte) {
	first := o.top["First"].n
	if first < 0 || first > len(data) {
		return
	}
	head := &syntax{d: data[:first]}
	for head.at < len(head.d) && len(p.found) < mostObjects {
		number, place := head.value(0), head.value(0)
		if number.kind != isNumber || place.kind != isNumber || place.n < 0 || place.n >= len(data)-first {
			break
		}
		s := &syntax{d: data[first:], at: place.n}
		v := s.value(0)
		inner := pdfObject{number: number.n, top: v.dict, dicts: s.seen, inner: true}
		if v.kind == isString {
			inner.dicts = append(inner.dicts, dict{alone: v})
		}
		p.found = append(p.found, inner)
		p.dicts(inner)
	}
}

// gather collects text for the rules: one look at many pages, not many looks.
func (p *pdf) gather(b []byte) {
	const piece = 1 << 20
	if len(p.text)+len(b) > piece {
		p.flush()
	}
	p.text = append(append(p.text, b...), '\n')
}

func (p *pdf) flush() {
	if len(p.text) > 0 {
		p.visit(Object{Data: p.text, Text: true})
		p.text = nil
	}
}

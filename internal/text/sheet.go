package text

import (
	"bytes"

	"golang.org/x/net/html/atom"
)

// sheet is the style sheets of a page, as far as a rule names one kind of element: "p",
// ".note", "#top", "td.note". Of other rules ("div > p", what stands in @media) only that
// is used which brings a text back to sight.
type sheet struct {
	rules map[string][]styled // by "p", ".note", "#top", "*"
	count int
	size  int
	key   []byte // room to put one together
}

type styled struct {
	tag atom.Atom // 0: any
	declarations
}

const (
	maxSheet    = 256 << 10 // octets of all style sheets that are read
	maxRules    = 3000
	maxPerKey   = 50
	maxSelector = 100 // selectors before one block
)

func (s *sheet) empty() bool { return s.count == 0 }

func (s *sheet) read(text []byte) {
	if s.size += len(text); s.size > maxSheet {
		return
	}
	s.blocks(uncomment(text), false)
}

// blocks reads "selectors { declarations }", and one level of "@media … { blocks }".
func (s *sheet) blocks(text []byte, unsure bool) {
	for s.count < maxRules {
		open := bytes.IndexByte(text, '{')
		if open < 0 {
			return
		}
		head := bytes.TrimSpace(text[:open])
		if i := bytes.LastIndexByte(head, ';'); i >= 0 {
			head = bytes.TrimSpace(head[i+1:]) // @import …; before it
		}
		body := text[open+1:]
		if len(head) > 0 && head[0] == '@' {
			end := closing(body)
			if !unsure {
				s.blocks(body[:end], true)
			}
			text = body[min(end+1, len(body)):]
			continue
		}
		end := bytes.IndexByte(body, '}')
		if end < 0 {
			end = len(body)
		}
		s.block(head, body[:end], unsure)
		text = body[min(end+1, len(body)):]
	}
}

// closing finds the brace that closes the block which begins before b.
func closing(b []byte) int {
	depth := 1
	for i, c := range b {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

func (s *sheet) block(selectors, body []byte, unsure bool) {
	var d declarations
	d.read(body)
	if d == (declarations{}) {
		return
	}
	for n := 0; len(selectors) > 0 && n < maxSelector; n++ {
		var one []byte
		one, selectors, _ = bytes.Cut(selectors, []byte{','})
		s.rule(bytes.TrimSpace(one), d, unsure)
	}
}

// rule enters a rule under what its last part names.
func (s *sheet) rule(selector []byte, d declarations, unsure bool) {
	last := selector[bytes.LastIndexAny(selector, " >+~")+1:]
	name, rest := last, []byte(nil)
	if i := bytes.IndexAny(last, ".#:["); i >= 0 {
		name, rest = last[:i], last[i:]
	}
	if bytes.ContainsAny(rest, ":[") && !bytes.ContainsAny(rest, ".#") && len(name) == 0 || len(last) == 0 || len(last) > 100 {
		return
	}
	r := styled{declarations: d}
	key := string(bytes.ToLower(name))
	if len(name) > 0 && string(name) != "*" {
		r.tag = atom.Lookup(bytes.ToLower(name))
	}
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == '#') {
		end := bytes.IndexAny(rest[1:], ".#:[")
		if end < 0 {
			end = len(rest) - 1
		}
		key = string(rest[:end+1])
		rest = rest[end+1:]
	}
	if unsure || len(rest) > 0 || len(last) < len(selector) {
		r.unsure()
	}
	if s.rules == nil {
		s.rules = map[string][]styled{}
	}
	if len(s.rules[key]) < maxPerKey {
		s.rules[key] = append(s.rules[key], r)
		s.count++
	}
}

// collect adds the declarations that hold for the element, the weaker first.
func (s *sheet) collect(d *declarations, t *tag) {
	if s.empty() {
		return
	}
	s.add(d, t, s.rules["*"])
	s.add(d, t, s.rules[t.name.String()])
	for _, c := range t.classes {
		s.key = append(append(s.key[:0], '.'), c...)
		s.add(d, t, s.rules[string(s.key)])
	}
	if len(t.id) > 0 {
		s.key = append(append(s.key[:0], '#'), t.id...)
		s.add(d, t, s.rules[string(s.key)])
	}
}

func (s *sheet) add(d *declarations, t *tag, rules []styled) {
	for i := range rules {
		if r := &rules[i]; r.tag == 0 || r.tag == t.name {
			d.add(&r.declarations)
		}
	}
}

// uncomment takes out /* … */ and the brackets of <!-- … -->.
func uncomment(text []byte) []byte {
	if !bytes.Contains(text, []byte("/*")) && !bytes.Contains(text, []byte("<!--")) {
		return text
	}
	var out []byte
	for len(text) > 0 {
		before, after, ok := bytes.Cut(text, []byte("/*"))
		out = append(out, before...)
		if !ok {
			break
		}
		_, text, _ = bytes.Cut(after, []byte("*/"))
	}
	out = bytes.ReplaceAll(out, []byte("<!--"), nil)
	return bytes.ReplaceAll(out, []byte("-->"), nil)
}

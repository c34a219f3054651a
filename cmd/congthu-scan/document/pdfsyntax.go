package document

import (
	"bytes"
	"strconv"
)

// value is a value of a PDF file (ISO 32000-1, 7.3), as far as it matters here.
type value struct {
	kind byte    // one of the kinds below
	text string  // of a name or a string, unescaped
	n    int     // of a number, of a reference
	list []value // of an array
	dict dict
}

const (
	isOther  = 0
	isName   = 'n'
	isString = 's'
	isNumber = '0'
	isRef    = 'r'
	isArray  = 'a'
	isDict   = 'd'
	isWord   = 'w' // a keyword: obj, stream, R
)

type dict map[string]value

// syntax reads values from a place in a file. It never fails: what is no value is
// passed over, as the programs that mend broken files do.
type syntax struct {
	d    []byte
	at   int
	seen []dict // every dictionary read, the inner ones before the outer
}

// deepest bounds dictionaries and arrays inside each other.
const deepest = 40

func (s *syntax) value(depth int) value {
	s.space()
	if s.at >= len(s.d) {
		return value{}
	}
	switch c := s.d[s.at]; {
	case c == '/':
		return value{kind: isName, text: s.name()}
	case c == '(':
		return value{kind: isString, text: s.literal()}
	case c == '<' && s.at+1 < len(s.d) && s.d[s.at+1] == '<':
		s.at += 2
		return s.dictionary(depth)
	case c == '<':
		return value{kind: isString, text: s.hex()}
	case c == '[':
		s.at++
		return s.array(depth)
	case c == '>' || c == ']' || c == ')' || c == '{' || c == '}':
		s.at++
		return value{}
	}
	return s.word()
}

func (s *syntax) dictionary(depth int) value {
	d := dict{}
	for depth < deepest && s.at < len(s.d) {
		s.space()
		if bytes.HasPrefix(s.d[s.at:], []byte(">>")) {
			s.at += 2
			break
		}
		if s.at >= len(s.d) || s.d[s.at] != '/' {
			if s.ends() {
				break
			}
			s.value(depth + 1) // out of place
			continue
		}
		key := s.name()
		s.space()
		if bytes.HasPrefix(s.d[s.at:], []byte(">>")) {
			continue
		}
		v := s.reference(s.value(depth + 1))
		if _, twice := d[key]; twice {
			s.seen = append(s.seen, dict{key: d[key]}) // some take the first, some the last
		}
		d[key] = v
	}
	s.seen = append(s.seen, d)
	return value{kind: isDict, dict: d}
}

// ends tells a keyword that no dictionary goes beyond.
func (s *syntax) ends() bool {
	rest := s.d[s.at:]
	for _, w := range []string{"endobj", "stream", "endstream", "startxref", "xref"} {
		if bytes.HasPrefix(rest, []byte(w)) {
			return true
		}
	}
	return len(rest) == 0
}

func (s *syntax) array(depth int) value {
	const most = 100000
	v := value{kind: isArray}
	for depth < deepest && s.at < len(s.d) && len(v.list) < most {
		s.space()
		if s.at >= len(s.d) {
			break
		}
		if s.d[s.at] == ']' {
			s.at++
			break
		}
		if s.ends() || bytes.HasPrefix(s.d[s.at:], []byte(">>")) {
			break
		}
		e := s.value(depth + 1)
		if e.kind == isWord && e.text == "R" && len(v.list) >= 2 && v.list[len(v.list)-2].kind == isNumber {
			v.list = append(v.list[:len(v.list)-2], value{kind: isRef, n: v.list[len(v.list)-2].n})
			continue
		}
		v.list = append(v.list, e)
	}
	return v
}

// reference makes one of a number that "0 R" follows.
func (s *syntax) reference(v value) value {
	if v.kind != isNumber {
		return v
	}
	back, seen := s.at, len(s.seen)
	if s.space(); s.at < len(s.d) && digit(s.d[s.at]) {
		if s.value(deepest).kind == isNumber {
			if s.space(); s.at < len(s.d) && s.d[s.at] == 'R' {
				s.at++
				return value{kind: isRef, n: v.n}
			}
		}
	}
	s.at, s.seen = back, s.seen[:seen]
	return v
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func delimiter(c byte) bool {
	return blank(c) || c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '/' || c == '%'
}

// space passes over white space and comments.
func (s *syntax) space() {
	for s.at < len(s.d) {
		switch c := s.d[s.at]; {
		case blank(c):
			s.at++
		case c == '%':
			for s.at < len(s.d) && s.d[s.at] != '\n' && s.d[s.at] != '\r' {
				s.at++
			}
		default:
			return
		}
	}
}

// name reads a name; #4a stands for an octet.
func (s *syntax) name() string {
	s.at++
	begin := s.at
	for s.at < len(s.d) && !delimiter(s.d[s.at]) {
		s.at++
	}
	raw := s.d[begin:s.at]
	if bytes.IndexByte(raw, '#') < 0 {
		return string(raw)
	}
	var out []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if v, err := strconv.ParseUint(string(raw[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return string(out)
}

// literal reads a string in parentheses (7.3.4.2).
func (s *syntax) literal() string {
	var out []byte
	s.at++
	for depth := 1; s.at < len(s.d); s.at++ {
		c := s.d[s.at]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.at++
				return string(out)
			}
		case '\\':
			if s.at++; s.at < len(s.d) {
				out = s.escape(out)
			}
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

func (s *syntax) escape(out []byte) []byte {
	switch c := s.d[s.at]; {
	case c >= '0' && c <= '7':
		v, i := 0, s.at
		for ; i < len(s.d) && i < s.at+3 && s.d[i] >= '0' && s.d[i] <= '7'; i++ {
			v = v*8 + int(s.d[i]-'0')
		}
		s.at = i - 1
		return append(out, byte(v))
	case c == 'n':
		return append(out, '\n')
	case c == 'r':
		return append(out, '\r')
	case c == 't':
		return append(out, '\t')
	case c == '\r' || c == '\n':
		if c == '\r' && s.at+1 < len(s.d) && s.d[s.at+1] == '\n' {
			s.at++
		}
		return out
	default:
		return append(out, c)
	}
}

func (s *syntax) hex() string {
	var n nibbles
	for s.at++; s.at < len(s.d); s.at++ {
		if s.d[s.at] == '>' {
			s.at++
			break
		}
		n.digit(s.d[s.at])
	}
	if n.half {
		n.digit('0')
	}
	return string(n.out)
}

// word reads a number or a keyword.
func (s *syntax) word() value {
	begin := s.at
	for s.at < len(s.d) && !delimiter(s.d[s.at]) {
		s.at++
	}
	text := s.d[begin:s.at]
	if len(text) > 0 && (digit(text[0]) || text[0] == '+' || text[0] == '-' || text[0] == '.') {
		n, _ := strconv.Atoi(string(text[:min(len(text), 18)])) // a real number is not needed
		return value{kind: isNumber, n: n}
	}
	return value{kind: isWord, text: string(text[:min(len(text), 32)])}
}

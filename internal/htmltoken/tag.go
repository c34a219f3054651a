package htmltoken

import "bytes"

// What ends a name in a tag.
const (
	isSpace = 1 << iota
	endsName
	endsKey
	endsValue
)

var kinds = func() (t [256]uint8) {
	for _, c := range " \n\r\t\f" {
		t[c] = isSpace | endsName | endsKey | endsValue
	}
	t['/'] = endsName | endsKey
	t['>'] = endsName | endsKey | endsValue
	t['='] = endsKey
	return t
}()

// until returns where the first octet of a kind stands at or behind at, or the end.
func (z *Tokenizer) until(at int, kind uint8) int {
	for at < z.end && kinds[z.buf[at]]&kind == 0 {
		at++
	}
	return at
}

func (z *Tokenizer) skipSpace(at int) int {
	for at < z.end && kinds[z.buf[at]]&isSpace != 0 {
		at++
	}
	return at
}

// tag reads a tag from its name on. False: it has no end.
func (z *Tokenizer) tag(keep bool) bool {
	z.attrs, z.given = z.attrs[:0], 0
	z.data = span{z.pos, z.until(z.pos, endsName)}
	at := z.skipSpace(z.data.to)
	var seen map[string]bool
	for at < z.end && z.buf[at] != '>' {
		var a attr
		a, at = z.attribute(at)
		if keep && a.key.from < a.key.to && !z.repeated(a.key, &seen) {
			z.attrs = append(z.attrs, a)
		}
		if at < z.end {
			at = z.skipSpace(at)
		}
	}
	if at >= z.end {
		z.out()
		return false
	}
	z.pos = at + 1
	return true
}

// attribute reads a key and, if it has one, its value, and returns where it ends; at the
// end when the octets have run out.
func (z *Tokenizer) attribute(at int) (attr, int) {
	var a attr
	first := at
	if z.buf[at] == '=' { // it is a letter there
		first++
	}
	a.key = span{at, z.until(first, endsKey)}
	at = a.key.to
	a.value, a.raw = span{at, at}, span{at, at}
	at = z.skipSpace(at)
	switch {
	case at >= z.end:
		return a, z.end
	case z.buf[at] == '/':
		return a, at + 1
	case z.buf[at] != '=':
		return a, at
	}
	at = z.skipSpace(at + 1)
	if at >= z.end {
		return a, z.end
	}
	switch quote := z.buf[at]; quote {
	case '>':
		return a, at
	case '\'', '"':
		n := bytes.IndexByte(z.buf[at+1:z.end], quote)
		if n < 0 {
			return a, z.end
		}
		a.value = span{at + 1, at + 1 + n}
		a.raw.to = a.value.to + 1
		return a, a.raw.to
	}
	a.value = span{at, z.until(at, endsValue)}
	a.raw.to = a.value.to
	return a, a.value.to
}

// fewAttrs is up to how many attributes are compared one by one.
const fewAttrs = 16

// repeated tells whether the tag had the key before.
func (z *Tokenizer) repeated(key span, seen *map[string]bool) bool {
	k := z.buf[key.from:key.to]
	if len(z.attrs) < fewAttrs {
		for i := range z.attrs {
			if o := z.attrs[i].key; o.to-o.from == len(k) && equalFold(z.buf[o.from:o.to], k) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = map[string]bool{}
		for i := range z.attrs {
			o := z.attrs[i].key
			(*seen)[string(lower(bytes.Clone(z.buf[o.from:o.to])))] = true
		}
	}
	k = lower(bytes.Clone(k))
	if (*seen)[string(k)] {
		return true
	}
	(*seen)[string(k)] = true
	return false
}

// equalFold compares octets of one number, A to Z as small letters.
func equalFold(a, b []byte) bool {
	for i, c := range a {
		if small(c) != small(b[i]) {
			return false
		}
	}
	return true
}

func small(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// lower makes A to Z small, in place.
func lower(b []byte) []byte {
	for i, c := range b {
		b[i] = small(c)
	}
	return b
}

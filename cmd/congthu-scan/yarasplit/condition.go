package yarasplit

import (
	"slices"
	"strconv"
	"strings"
)

// look finds what a rule's condition demands and which rules it names.
func (f *File) look(r *Rule) {
	for i, t := range r.condition {
		if t.kind != word || i > 0 && r.condition[i-1].is(".") {
			continue
		}
		if i+1 < len(r.condition) && r.condition[i+1].is("*") && !arithmetic(r.condition, i) {
			f.joined = true
		}
		if f.index[t.text] != nil {
			r.refs = append(r.refs, t.text)
		}
	}
	l := look{f: f, r: r}
	r.Heads = l.boolean(r.condition, true)
	r.cuts, r.looked = l.cuts, true
}

// arithmetic tells a product from a wildcard: a product is followed by an operand.
func arithmetic(toks []token, at int) bool {
	return at+2 < len(toks) && !toks[at+2].is(",") && !toks[at+2].is(")")
}

type look struct {
	f    *File
	r    *Rule
	loop int // loops around, whose variables may be called like a rule
	cuts []cut
}

// boolean is what must hold so that the expression can be true. positive: it stands in
// nothing but and, or and parentheses, where "undefined" is the same as false.
func (l *look) boolean(toks []token, positive bool) Heads {
	toks = bare(toks)
	if parts := divide(toks, "or"); len(parts) > 1 {
		sum := Heads{}
		for _, p := range parts {
			sum = either(sum, l.boolean(p, positive))
		}
		return sum
	}
	if parts := divide(toks, "and"); len(parts) > 1 {
		sum := anyHead()
		for _, p := range parts {
			sum = both(sum, l.boolean(p, positive))
		}
		return sum
	}
	h := l.leaf(toks)
	if positive && !h.Any && cuttable(toks) {
		l.cuts = append(l.cuts, cut{toks[0].from, toks[len(toks)-1].to, h})
	}
	return h
}

// cuttable: a string that nobody names any more would be a mistake; and only modules
// cost anything.
func cuttable(toks []token) bool {
	module := false
	for i, t := range toks {
		if t.kind == str || t.is("them") {
			return false
		}
		module = module || t.kind == word && i+1 < len(toks) && toks[i+1].is(".")
	}
	return module
}

// bare takes off the parentheses around the whole.
func bare(toks []token) []token {
	for len(toks) > 2 && toks[0].is("(") && closing(toks, 0) == len(toks)-1 {
		toks = toks[1 : len(toks)-1]
	}
	return toks
}

// closing returns the place of the parenthesis that closes the one at i, or -1.
func closing(toks []token, i int) int {
	depth := 0
	for ; i < len(toks); i++ {
		switch {
		case toks[i].is("("):
			depth++
		case toks[i].is(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// divide cuts at an operator outside of parentheses.
func divide(toks []token, operator string) [][]token {
	var out [][]token
	depth, from := 0, 0
	for i, t := range toks {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case depth == 0 && t.is(operator):
			out = append(out, toks[from:i])
			from = i + 1
		}
	}
	return append(out, toks[from:])
}

func (l *look) leaf(toks []token) Heads {
	switch {
	case len(toks) == 0:
		return anyHead()
	case len(toks) == 1 && toks[0].is("false"):
		return Heads{}
	case len(toks) == 1 && toks[0].kind == word && l.loop == 0:
		return l.named(toks[0].text)
	case toks[0].is("for"):
		return l.forAny(toks)
	case len(toks) == 3 && toks[0].kind == str && toks[0].text[0] == '$' && toks[1].is("at"):
		return l.at(toks[0].text, toks[2])
	case len(toks) == 6 && toks[4].is("=="):
		if h := reads(toks[:4], toks[5]); !h.Any {
			return h
		}
	case len(toks) == 6 && toks[1].is("=="):
		if h := reads(toks[2:], toks[0]); !h.Any {
			return h
		}
	}
	return modules(toks)
}

// named is a reference to a rule that stands further up.
func (l *look) named(name string) Heads {
	if r := l.f.index[name]; r != nil && r.looked {
		return r.Heads
	}
	return anyHead()
}

// forAny: a loop that wants at least one pass demands what its body does, and a range
// with an undefined end has no pass.
func (l *look) forAny(toks []token) Heads {
	colon := slices.IndexFunc(toks, func(t token) bool { return t.is(":") })
	if colon < 0 || colon+1 >= len(toks) || closing(toks, colon+1) != len(toks)-1 || len(toks) < 4 {
		return anyHead()
	}
	times, err := strconv.Atoi(toks[1].text)
	if !toks[1].is("any") && (err != nil || times < 1 || toks[1].kind != number || toks[2].is("%")) {
		return anyHead()
	}
	l.loop++
	h := l.boolean(toks[colon+1:], false)
	l.loop--
	if in := slices.IndexFunc(toks[:colon], func(t token) bool { return t.is("in") }); in > 0 {
		if ends := bare(toks[in+1 : colon]); slices.ContainsFunc(ends, func(t token) bool { return t.is("..") }) {
			h = both(h, modules(ends))
		}
	}
	return h
}

func (l *look) at(name string, place token) Heads {
	if n, ok := integer(place); !ok || n != 0 {
		return anyHead()
	}
	h, ok := l.r.strings[name]
	if !ok || name == "$" {
		return anyHead()
	}
	return h
}

// reads is a function such as uint16(0) that is compared with a number.
func reads(call []token, value token) Heads {
	v, ok := integer(value)
	place, zero := integer(call[2])
	if !ok || !zero || place != 0 || !call[1].is("(") || !call[3].is(")") {
		return anyHead()
	}
	name, big := strings.CutSuffix(call[0].text, "be")
	name, unsigned := strings.CutPrefix(name, "u")
	bits := map[string]int{"int16": 16, "int32": 32}[name]
	if bits == 0 || !unsigned && v >= 1<<(bits-1) || v >= 1<<bits {
		return anyHead()
	}
	if big {
		return only(string([]byte{byte(v >> (bits - 8)), byte(v >> (bits - 16))}))
	}
	return only(string([]byte{byte(v), byte(v >> 8)}))
}

// integer reads a constant as libyara does.
func integer(t token) (int64, bool) {
	if t.kind != number {
		return 0, false
	}
	s, unit := t.text, int64(1)
	if rest, ok := strings.CutSuffix(s, "KB"); ok {
		s, unit = rest, 1<<10
	} else if rest, ok := strings.CutSuffix(s, "MB"); ok {
		s, unit = rest, 1<<20
	}
	base := 10
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = rest, 16
	} else if rest, ok := strings.CutPrefix(s, "0o"); ok {
		s, base = rest, 8
	}
	n, err := strconv.ParseInt(s, base, 64)
	if err != nil || n > 1<<40 {
		return 0, false
	}
	return n * unit, true
}

package mimetree

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// gathered are the ways in which one parameter was given.
type gathered struct {
	plain    []param
	extended []string // name*=charset'language'value
	sections []section
}

// section is one piece of a continued parameter, name*0= or name*0*= (RFC 2231 section 3).
type section struct {
	number   int
	value    string
	extended bool
}

// combine joins continuations, decodes charsets and returns every candidate value
// of every parameter, the preferred one first: extended, then continued, then plain.
func combine(list []param, n *notes) map[string][]string {
	byName := map[string]*gathered{}
	for _, p := range list {
		base, suffix, starred := strings.Cut(p.name, "*")
		g := byName[base]
		if g == nil {
			g = &gathered{}
			byName[base] = g
		}
		g.take(p, suffix, starred, n)
	}
	all := make(map[string][]string, len(byName))
	for name, g := range byName {
		if values := g.candidates(name, n); len(values) > 0 {
			all[name] = values
			reportConflict(name, values, n)
		}
	}
	return all
}

func (g *gathered) take(p param, suffix string, starred bool, n *notes) {
	if !starred {
		g.plain = append(g.plain, p)
		return
	}
	if suffix == "" {
		g.extended = append(g.extended, p.value)
		return
	}
	digits, extended := strings.CutSuffix(suffix, "*")
	number, err := strconv.Atoi(digits)
	if err != nil || number < 0 || strconv.Itoa(number) != digits {
		n.add(ParamSyntax, p.name)
		if err != nil {
			return
		}
	}
	g.sections = append(g.sections, section{number, p.value, extended})
}

func (g *gathered) candidates(name string, n *notes) []string {
	var out []string
	add := func(v string) {
		if !slices.Contains(out, v) && len(out) < maxCandidates {
			out = append(out, v)
		}
	}
	for _, v := range g.extended {
		add(decodeExtended(v, n))
	}
	if len(g.sections) > 0 {
		for _, v := range g.joined(name, n) {
			add(v)
		}
	}
	for _, p := range g.plain {
		add(p.value)
		if p.raw != p.value && (name == "boundary" || isFileParam(name)) {
			add(p.raw) // readers disagree about backslashes
		}
	}
	return out
}

// isFileParam tells whether the parameter names a file.
func isFileParam(name string) bool { return name == "filename" || name == "name" }

// maxCandidates bounds how many values of one parameter are compared.
const maxCandidates = 16

// joined puts the sections together in their order, as RFC 2231 section 3 wants. With a
// gap some readers stop, others go on; and of a file name counts, too, what those see
// who take the sections as they come.
func (g *gathered) joined(name string, n *notes) []string {
	given := slices.Clone(g.sections)
	slices.SortStableFunc(g.sections, func(a, b section) int { return cmp.Compare(a.number, b.number) })
	out := []string{join(g.sections, n)}
	for i, s := range g.sections {
		if s.number != i {
			n.add(ParamGap, "*"+strconv.Itoa(s.number))
			out = append(out, join(g.sections[:i], n))
			break
		}
	}
	if isFileParam(name) && !slices.Equal(given, g.sections) {
		var silent notes
		out = append(out, join(given, &silent))
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// join joins sections as they stand.
func join(sections []section, n *notes) string {
	var octets []byte
	charset := ""
	for i, s := range sections {
		value := s.value
		if s.extended {
			if i == 0 {
				charset, value = cutCharset(value, n)
			}
			octets = append(octets, percentDecode(value)...)
			continue
		}
		octets = append(octets, value...)
	}
	return paramText(charset, octets, n)
}

// decodeExtended reads charset'language'percent-encoded (RFC 2231 section 4).
func decodeExtended(v string, n *notes) string {
	charset, value := cutCharset(v, n)
	return paramText(charset, percentDecode(value), n)
}

func cutCharset(v string, n *notes) (charset, value string) {
	parts := strings.SplitN(v, "'", 3)
	if len(parts) < 3 {
		n.add(ParamSyntax, v)
		return "", v
	}
	return parts[0], parts[2]
}

func paramText(charset string, octets []byte, n *notes) string {
	text, ok := toUTF8(charset, octets)
	if !ok {
		n.add(CharsetUnknown, charset)
	}
	return text
}

func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi < 16 && lo < 16 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// unhex returns the value of a hexadecimal digit, or 16.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// reportConflict says that one parameter has two values. File names are compared
// as such, since an ASCII stand-in beside filename* is good manners.
func reportConflict(name string, values []string, n *notes) {
	if len(values) < 2 {
		return
	}
	detail := name + ": " + strings.Join(values, " | ")
	switch name {
	case "boundary":
		n.add(TwoBoundaries, detail)
	case "filename", "name":
		compareNames(values, n)
	default:
		n.add(ParamConflict, detail)
	}
}

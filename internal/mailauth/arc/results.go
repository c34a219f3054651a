package arc

import (
	"strings"
)

// summary is what a set says: who sealed it, and what became of DMARC there.
func (s *set) summary() Seal {
	out := Seal{Domain: strings.ToLower(s.sealTags.Word("d"))}
	for i, result := range statements(s.said) {
		if i == 0 || len(result) == 0 { // the first is the authserv-id
			continue
		}
		method, status, _ := strings.Cut(result[0], "=")
		if name, _, _ := strings.Cut(method, "/"); !strings.EqualFold(name, "dmarc") {
			continue
		}
		if out.DMARC != "" { // told twice: told nothing
			return Seal{Domain: out.Domain}
		}
		out.DMARC = strings.ToLower(status)
		for _, word := range result[1:] {
			if name, from, ok := strings.Cut(word, "="); ok && strings.EqualFold(name, "header.from") {
				out.From = strings.ToLower(from)
			}
		}
	}
	return out
}

// statements divides Authentication-Results (RFC 8601 section 2.2) at semicolons and
// each statement into words. Comments are dropped and quoted strings kept as one word's
// part, so that neither can hide or feign a result; one that is not closed makes the
// whole say nothing.
func statements(s string) [][]string {
	r := reader{out: [][]string{nil}}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(', c == '"':
			after := skip(s, i)
			if after < 0 {
				return nil
			}
			if c == '"' {
				r.quoted(s[i:after])
			}
			i = after - 1
		case c == ';':
			r.end()
			r.out = append(r.out, nil)
		case c == '=': // white space may stand around it
			r.equals()
			i = skipSpace(s, i+1) - 1
		case strings.IndexByte(" \t\r\n", c) >= 0:
			r.end()
		default:
			r.word = append(r.word, c)
		}
	}
	r.end()
	return r.out
}

// reader gathers words.
type reader struct {
	out   [][]string
	word  []byte
	value bool // the word has its "="
}

func (r *reader) end() {
	if len(r.word) > 0 {
		last := &r.out[len(r.out)-1]
		*last = append(*last, string(r.word))
	}
	r.word, r.value = r.word[:0], false
}

// quoted takes the text of a quoted string as part of a value. No name is quoted: there
// it keeps its quotes, and is unlike any.
func (r *reader) quoted(s string) {
	if r.value {
		s = s[1 : len(s)-1]
	}
	r.word = append(r.word, s...)
}

// equals turns the word, or the last one that a space has ended, into a name. One that
// is a name with its value already is left alone, or words would grow without end.
func (r *reader) equals() {
	last := &r.out[len(r.out)-1]
	if n := len(*last); len(r.word) == 0 && n > 0 && !strings.Contains((*last)[n-1], "=") {
		r.word = append(r.word, (*last)[n-1]...)
		*last = (*last)[:n-1]
	}
	r.word, r.value = append(r.word, '='), true
}

func skipSpace(s string, i int) int {
	for i < len(s) && strings.IndexByte(" \t\r\n", s[i]) >= 0 {
		i++
	}
	return i
}

// skip returns the index behind the comment or quoted string at i; -1 when it is not
// closed.
func skip(s string, i int) int {
	if s[i] == '"' {
		return skipQuoted(s, i)
	}
	return skipComment(s, i)
}

// skipComment returns the index behind a comment, which may hold others; -1 when it
// is not closed.
func skipComment(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func skipQuoted(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

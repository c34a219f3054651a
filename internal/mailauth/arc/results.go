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
// part, so that neither can hide or feign a result; what is not well-formed ends it.
func statements(s string) [][]string {
	out := [][]string{nil}
	word := ""
	end := func() {
		if word != "" {
			out[len(out)-1] = append(out[len(out)-1], word)
		}
		word = ""
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			after := skipComment(s, i)
			if after < 0 {
				return nil
			}
			i = after - 1
		case c == '"':
			after := skipQuoted(s, i)
			if after < 0 {
				return nil
			}
			word += s[i+1 : after-1]
			i = after - 1
		case c == ';':
			end()
			out = append(out, nil)
		case c == '=': // white space may stand around it
			word = joinWord(&out[len(out)-1], word) + "="
			i = skipSpace(s, i+1) - 1
		case strings.IndexByte(" \t\r\n", c) >= 0:
			end()
		default:
			word += string(c)
		}
	}
	end()
	return out
}

// joinWord returns the word, or takes back the last one that a space has ended.
func joinWord(words *[]string, word string) string {
	if word != "" || len(*words) == 0 {
		return word
	}
	last := (*words)[len(*words)-1]
	*words = (*words)[:len(*words)-1]
	return last
}

func skipSpace(s string, i int) int {
	for i < len(s) && strings.IndexByte(" \t\r\n", s[i]) >= 0 {
		i++
	}
	return i
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

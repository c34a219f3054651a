package yarasplit

import (
	"errors"
	"strings"
)

// kind is what a token is.
type kind byte

const (
	word    kind = iota // a name or a keyword
	number              // 10, 0x1F, 2MB
	text                // "…", with its quotes
	regex               // /…/ with its modifiers
	hexa                // { 4D 5A }, in the strings section only
	str                 // $a, #a, @a, !a: the sigil and the name
	symbol              // one octet of punctuation, or ==, !=, <=, >=, .., <<, >>
	nothing             // beyond the end
)

type token struct {
	kind     kind
	text     string
	from, to int // offsets in the source
}

func (t token) is(s string) bool { return t.text == s && (t.kind == word || t.kind == symbol) }

// errLex says that the text is none that libyara would take, or is beyond this lexer.
var errLex = errors.New("yarasplit: not understood")

// lex cuts the source into tokens, without space and comments. Braces are ambiguous:
// after "=" they hold a hex string.
func lex(src string) ([]token, error) {
	var out []token
	for at := 0; at < len(src); {
		n, err := skip(src[at:])
		if err != nil {
			return nil, err
		}
		if n > 0 {
			at += n
			continue
		}
		afterEqual := len(out) > 0 && out[len(out)-1].is("=")
		k, n := next(src[at:], afterEqual)
		if n <= 0 {
			return nil, errLex
		}
		out = append(out, token{k, src[at : at+n], at, at + n})
		at += n
	}
	return out, nil
}

// skip returns the length of the space or the comment that begins here.
func skip(s string) (int, error) {
	switch {
	case strings.IndexByte(" \t\r\n", s[0]) >= 0:
		return 1, nil
	case strings.HasPrefix(s, "//"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i, nil
		}
		return len(s), nil
	case strings.HasPrefix(s, "/*"):
		i := strings.Index(s[2:], "*/")
		if i < 0 {
			return 0, errLex
		}
		return i + 4, nil
	}
	return 0, nil
}

func next(s string, afterEqual bool) (kind, int) {
	switch c := s[0]; {
	case c == '"':
		return text, quoted(s, '"')
	case c == '/':
		n := quoted(s, '/')
		for n > 0 && n < len(s) && (s[n] == 'i' || s[n] == 's') {
			n++
		}
		return regex, n
	case c == '{' && afterEqual:
		return hexa, braces(s)
	case c == '$' || (c == '#' || c == '@' || c == '!') && len(s) > 1 && s[1] != '=':
		return str, 1 + span(s[1:], nameOctet)
	case c >= '0' && c <= '9':
		return number, span(s, nameOctet) // suffixes and the digits of 0x are letters
	case nameOctet(c):
		return word, span(s, nameOctet)
	case len(s) > 1 && strings.Contains(" == != <= >= .. << >> ", " "+s[:2]+" "):
		return symbol, 2
	case c > ' ' && c < 0x7f:
		return symbol, 1
	}
	return nothing, -1
}

// quoted returns the length up to the closing mark; a backslash shields the next octet.
func quoted(s string, mark byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\n':
			return -1
		case mark:
			return i + 1
		}
	}
	return -1
}

// braces returns the length of a hex string, which may hold comments.
func braces(s string) int {
	for i := 1; i < len(s); {
		if s[i] == '}' {
			return i + 1
		}
		n, err := skip(s[i:])
		if err != nil {
			return -1
		}
		i += max(n, 1)
	}
	return -1
}

func nameOctet(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

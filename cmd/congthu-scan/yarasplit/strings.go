package yarasplit

import (
	"encoding/hex"
	"strings"
)

// beginning tells how an object begins that has this string at its first octet.
func beginning(value token, modifiers []token) Heads {
	nocase := false
	for _, m := range modifiers {
		switch m.text {
		case "ascii", "fullword", "private":
		case "nocase":
			nocase = true
		default: // wide, xor, base64 and their arguments change the octets
			return anyHead()
		}
	}
	head, ok := "", false
	switch value.kind {
	case text:
		head, ok = literal(value.text)
	case hexa:
		head, ok = hexHead(value.text)
		nocase = false
	}
	if !ok {
		return anyHead()
	}
	if nocase {
		return foldings(head)
	}
	return only(head)
}

// literal returns the first two octets of a text string.
func literal(s string) (string, bool) {
	s = s[1:]
	var out []byte
	for len(out) < 2 {
		c, n, ok := octet(s)
		if !ok {
			return "", false
		}
		out, s = append(out, c), s[n:]
	}
	return string(out), true
}

// octet reads one octet of a text string, or of its escapes.
func octet(s string) (c byte, n int, ok bool) {
	if s == "" || s[0] == '"' {
		return 0, 0, false
	}
	if s[0] != '\\' {
		return s[0], 1, true
	}
	switch {
	case len(s) < 2:
	case s[1] == '"' || s[1] == '\\':
		return s[1], 2, true
	case s[1] == 't':
		return '\t', 2, true
	case s[1] == 'n':
		return '\n', 2, true
	case s[1] == 'r':
		return '\r', 2, true
	case s[1] == 'x' && len(s) >= 4:
		b, err := hex.DecodeString(s[2:4])
		if err == nil {
			return b[0], 4, true
		}
	}
	return 0, 0, false
}

// hexHead returns the first two octets of a hex string, when both are written out.
func hexHead(s string) (string, bool) {
	var digits strings.Builder
	for at := 1; at < len(s) && digits.Len() < 4; {
		if n, err := skip(s[at:]); err != nil {
			return "", false
		} else if n > 0 {
			at += n
			continue
		}
		digits.WriteByte(s[at])
		at++
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil || len(b) != 2 {
		return "", false
	}
	return string(b), true
}

// foldings are a head in all its cases.
func foldings(head string) Heads {
	var out []string
	for _, a := range cases(head[0]) {
		for _, b := range cases(head[1]) {
			out = append(out, string([]byte{a, b}))
		}
	}
	return only(out...)
}

func cases(c byte) []byte {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return []byte{c | 0x20, c &^ 0x20}
	}
	return []byte{c}
}

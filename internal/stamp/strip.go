package stamp

import (
	"bytes"
	"strings"

	"golang.org/x/net/idna"

	"congthu/internal/mimetree"
)

// Strip returns the message without incoming copies of what only we may write:
// X-Spam-Status, X-Spam-Flag, X-Congthu-*, and Authentication-Results under our own
// name (RFC 8601 section 5). The result are slices of raw; all else is as it was.
//
// It reads a field more generously than any mail program would, since a forged result
// that one program believes is enough.
func Strip(raw []byte, hostname string) [][]byte {
	var out [][]byte
	us := canonical(hostname)
	kept := 0 // where the run that is kept begins
	for pos := 0; pos < len(raw); {
		end := unitEnd(raw, pos)
		if isBlank(raw[pos:end]) {
			break
		}
		if isOurs(raw[pos:end], us) {
			out = appendRun(out, raw[kept:pos])
			kept = end
		}
		pos = end
	}
	return appendRun(out, raw[kept:])
}

// Divider returns what must stand between our block and the message: nothing, or the
// blank line that keeps the text of a message without a header out of our block.
func Divider(raw []byte) []byte {
	if len(raw) == 0 || isBlank(raw[:lineEnd(raw, 0)]) || beginsWithField(raw[:lineEnd(raw, 0)]) {
		return nil
	}
	return []byte("\r\n")
}

// beginsWithField: RFC 5322 section 2.2, and the space before the colon of section 4.5.
func beginsWithField(first []byte) bool {
	name, _, found := bytes.Cut(first, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	return found && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

func appendRun(out [][]byte, run []byte) [][]byte {
	if len(run) == 0 {
		return out
	}
	return append(out, run[:len(run):len(run)])
}

// unitEnd returns the end of the line at pos and of the folded lines behind it.
func unitEnd(raw []byte, pos int) int {
	end := lineEnd(raw, pos)
	if isBlank(raw[pos:end]) {
		return end
	}
	for end < len(raw) && (raw[end] == ' ' || raw[end] == '\t') {
		end = lineEnd(raw, end)
	}
	return end
}

func lineEnd(raw []byte, pos int) int {
	if i := bytes.IndexByte(raw[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(raw)
}

// isBlank tells whether this is the line that ends the header.
func isBlank(line []byte) bool {
	return len(line) == 1 && line[0] == '\n' || len(line) == 2 && line[0] == '\r' && line[1] == '\n'
}

func isOurs(unit []byte, us string) bool {
	colon := bytes.IndexByte(unit, ':')
	if colon < 0 || colon > 200 {
		return false
	}
	name := strings.ToLower(strings.Trim(string(unit[:colon]), " \t\r\n"))
	switch {
	case name == "x-spam-status", name == "x-spam-flag", strings.HasPrefix(name, "x-congthu-"):
		return true
	case name == "authentication-results":
		return namesUs(unit[colon+1:], us)
	}
	return false
}

// namesUs tells whether the authserv-id of the field body is ours, by any reading: the
// first word, or all words together, with or without the version at their end; with or
// without encoded words (RFC 2047), which have no place there and are decoded by some.
func namesUs(body []byte, us string) bool {
	if readsAsUs(body, us) {
		return true
	}
	return bytes.Contains(body, []byte("=?")) && readsAsUs([]byte(mimetree.DecodeWords(string(body))), us)
}

func readsAsUs(body []byte, us string) bool {
	words := idWords(body)
	if len(words) == 0 {
		return false
	}
	joined := strings.Join(words, "")
	last := words[len(words)-1]
	return canonical(words[0]) == us || canonical(joined) == us ||
		strings.Trim(last, "0123456789") == "" && canonical(strings.TrimSuffix(joined, last)) == us
}

// idWords reads up to the first semicolon; space and comments divide words, quotes do
// not count.
func idWords(body []byte) []string {
	var words []string
	var b strings.Builder
	next := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	for i := 0; i < len(body) && len(words) < maxIDWords && b.Len() < maxWord; i++ {
		switch c := body[i]; c {
		case ';':
			i = len(body)
		case '(':
			next()
			i = commentEnd(body, i)
		case ' ', '\t', '\r', '\n', '/':
			next()
		case '"':
		case '\\':
			if i++; i < len(body) {
				b.WriteByte(body[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	next()
	return words
}

// maxIDWords bounds how far a name may be torn apart and still be put together.
const maxIDWords = 64

// commentEnd returns the offset of the parenthesis that closes the one at i.
func commentEnd(body []byte, i int) int {
	depth := 0
	for ; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(body)
}

// canonical makes two spellings of a host name equal: case, final dot, U-labels and
// A-labels (RFC 5890).
func canonical(host string) string {
	host = strings.TrimRight(strings.ToLower(host), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

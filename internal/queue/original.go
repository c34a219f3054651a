package queue

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// ours are header fields that the gateway writes for its own side: what it
// thought of a message is not the sender's business.
var ours = []string{"x-spam-", "x-congthu-", "authentication-results"}

// openedMark is on a copy that came encrypted and was opened here. Any field of it may have
// been inside (RFC 9788), the subject above all, and a notice goes back in the clear: of such
// a letter it returns only the fields that are outside.
const openedMark = "x-congthu-decrypted"

var outside = []string{"received", "from", "date", "message-id"}

// returned is the header of the original as a notice gives it back, with its
// transfer encoding.
func returned(content [][]byte) (header []byte, encoding string) {
	plain := true
	all := fields(content)
	opened := slices.ContainsFunc(all, func(f []byte) bool { return named(f, openedMark) })
	for _, f := range all {
		if private(f) || opened && !slices.ContainsFunc(outside, func(name string) bool { return named(f, name) }) {
			continue
		}
		if len(header)+len(f) > headerMax {
			break
		}
		header = append(header, f...)
		plain = plain && sevenBit(f)
	}
	if plain {
		return header, "7bit"
	}
	return encode(header), "quoted-printable"
}

// fields splits the header block at the start of content into fields, each with
// its continuation lines. It looks no further than it may return.
func fields(content [][]byte) [][]byte {
	var block []byte
	for _, c := range content {
		room := headerMax + 1 - len(block)
		block = append(block, c[:min(room, len(c))]...)
	}
	var out [][]byte
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		if end < 0 || end == 0 || (end == 1 && block[0] == '\r') {
			return out // a line that does not end was cut off; an empty one ends the header
		}
		line := block[: end+1 : end+1]
		block = block[end+1:]
		if len(out) > 0 && (line[0] == ' ' || line[0] == '\t') {
			out[len(out)-1] = append(out[len(out)-1], line...)
			continue
		}
		out = append(out, line)
	}
	return out
}

func private(field []byte) bool {
	name := strings.ToLower(string(field[:min(len(field), 32)]))
	for _, p := range ours {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// named tells whether a field has that name, which is in lower case.
func named(field []byte, name string) bool {
	before, _, ok := bytes.Cut(field, []byte(":"))
	return ok && strings.EqualFold(strings.TrimRight(string(before), " \t"), name)
}

// sevenBit tells whether the octets may travel as 7bit: ASCII, CRLF lines of no
// more than 998 octets (RFC 5322 section 2.1.1).
func sevenBit(b []byte) bool {
	for line := range bytes.Lines(b) {
		if len(line) > 1000 || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.IndexByte(line, '\r') != len(line)-2 {
			return false
		}
	}
	return !bytes.ContainsFunc(b, func(r rune) bool { return r == 0 || r >= 0x7f })
}

var idForm = regexp.MustCompile(`^<[!-;=?-~]{1,250}>$`)

// messageID returns the Message-ID of the original, or "" when it has none that can be
// repeated as it stands.
func messageID(content [][]byte) string {
	for _, f := range fields(content) {
		name, value, _ := strings.Cut(string(f), ":")
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Message-ID") && idForm.MatchString(value) {
			return value
		}
	}
	return ""
}

// automatic tells whether a program has sent the original, to one or to many: nobody
// waits for news of its delay (RFC 3834 section 2). A failure is told all the same;
// that is how a list learns of an address that is gone.
func automatic(content [][]byte) bool {
	for _, f := range fields(content) {
		name, value, _ := strings.Cut(string(f), ":")
		value = strings.ToLower(strings.TrimSpace(value))
		switch name = strings.ToLower(name); {
		case name == "auto-submitted" && !strings.HasPrefix(value, "no"),
			name == "precedence" && (value == "bulk" || value == "list" || value == "junk"),
			strings.HasPrefix(name, "list-"):
			return true
		}
	}
	return false
}

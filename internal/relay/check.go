package relay

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"congthu/internal/msg"
)

// checked returns what is sent: t itself, marked as eight-bit if it has such octets. It
// refuses what must never go on a wire. The edge has checked it all when it came in; a
// message from disk, or made by a later stage, is checked again here, because what
// follows a bare CR or LF may be read as commands by somebody else's server (SMTP
// smuggling).
func checked(t *msg.Transfer) (*msg.Transfer, msg.Reply) {
	if len(t.To) == 0 || slices.ContainsFunc(t.To, msg.Path.IsNull) {
		return nil, msg.Reply{Code: 554, Detail: "5.1", Text: "no recipients"}
	}
	for _, p := range append([]msg.Path{t.From}, t.To...) {
		if !cleanPath(p.Raw) {
			return nil, msg.Reply{Code: 553, Detail: "1.3", Text: "malformed address, not sent"}
		}
	}
	clean, eightBit := survey(t.Content)
	if !clean {
		return nil, msg.Reply{Code: 554, Detail: "6.0", Text: "malformed line endings, not sent"}
	}
	out := *t
	out.EightBit = t.EightBit || eightBit
	return &out, msg.Reply{}
}

// cleanPath tells whether a path can stand between angle brackets and mean one thing:
// no control characters anywhere, no space or bracket outside quotes, and text that is
// not ASCII is UTF-8 (RFC 6531 section 3.3).
func cleanPath(raw string) bool {
	if !utf8.ValidString(raw) {
		return false
	}
	quoted := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c < ' ' || c == 0x7f:
			return false
		case quoted && c == '\\':
			if i++; i >= len(raw) || raw[i] < ' ' || raw[i] == 0x7f {
				return false
			}
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte("<> ,;()\\", c) >= 0:
			return false
		}
	}
	return !quoted
}

// survey tells whether every CR has its LF, every LF its CR, and there is no NUL; and
// whether any octet is above 127. A pair may lie across two blocks. It looks at a
// window at a time: the four passes over it find it in the fastest cache.
func survey(blocks [][]byte) (clean, eightBit bool) {
	cr := false // the window before ended in CR
	for _, b := range blocks {
		for len(b) > 0 {
			w := b[:min(len(b), window)]
			b = b[len(w):]
			eightBit = eightBit || !sevenBit(w)
			if cr != (w[0] == '\n') {
				return false, eightBit
			}
			if cr {
				w = w[1:]
			}
			cr = bytes.HasSuffix(w, []byte("\r"))
			if !cleanLines(bytes.TrimSuffix(w, []byte("\r"))) {
				return false, eightBit
			}
		}
	}
	return !cr, eightBit
}

const window = 16 << 10

// cleanLines tells whether CR and LF come only as CRLF, and there is no NUL: every LF
// stands behind a CR, and there are as many of one as of the other. Searches for one
// octet are vector instructions: nothing in Go reads text faster.
func cleanLines(b []byte) bool {
	lines := 0
	for rest := b; ; lines++ {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if i == 0 || rest[i-1] != '\r' {
			return false
		}
		rest = rest[i+1:]
	}
	return bytes.Count(b, []byte("\r")) == lines && bytes.IndexByte(b, 0) < 0
}

// sevenBit looks at 32 octets at a time.
func sevenBit(b []byte) bool {
	const high = 0x8080808080808080
	le := binary.LittleEndian
	for ; len(b) >= 32; b = b[32:] {
		if (le.Uint64(b)|le.Uint64(b[8:])|le.Uint64(b[16:])|le.Uint64(b[24:]))&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

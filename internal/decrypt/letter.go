package decrypt

import (
	"bytes"
	"cmp"
	"mime"
	"strings"
	"unicode/utf8"

	"congthu/internal/msg"
)

// lines gives octets the line ends of the wire, when they look like text: programs that
// encrypt for Unix write LF alone. Octets that are right already are returned as they are.
func lines(b []byte) []byte {
	bare := bytes.Count(b, []byte("\n")) - bytes.Count(b, []byte("\r\n"))
	if bare == 0 || bytes.IndexByte(b, 0) >= 0 {
		return b
	}
	out := make([]byte, 0, len(b)+bare)
	for line := range bytes.Lines(b) {
		if bytes.HasSuffix(line, []byte("\n")) && !bytes.HasSuffix(line, []byte("\r\n")) {
			out = append(append(out, line[:len(line)-1]...), "\r\n"...)
			continue
		}
		out = append(out, line...)
	}
	return out
}

// longestLine is what a line may have without its end (RFC 5322 section 2.1.1).
const longestLine = 998

// deliverable tells whether the octets are a letter as it may be sent: lines that end in
// CRLF and are not too long, and no NUL.
func deliverable(raw []byte) bool {
	if bytes.IndexByte(raw, 0) >= 0 || bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
		return false
	}
	for line := range bytes.Lines(raw) {
		if !bytes.HasSuffix(line, []byte("\r\n")) && bytes.HasSuffix(line, []byte("\n")) || len(line) > longestLine+2 {
			return false
		}
	}
	return true
}

// isEntity tells whether a file begins with a MIME header of its own.
func isEntity(b []byte) bool {
	head, _, ok := bytes.Cut(b[:min(len(b), 64<<10)], []byte("\r\n\r\n"))
	head = append([]byte("\r\n"), head...)
	first, _, _ := bytes.Cut(head[2:], []byte(":"))
	return ok && len(first) > 0 && !bytes.ContainsAny(first, " \t\r\n\x00") && bytes.Contains(bytes.ToLower(head), []byte("\r\ncontent-type:"))
}

// textFields are those of a text that was armored in the part.
func textFields(p *msg.Part, b []byte) string {
	charset := "utf-8"
	if !utf8.Valid(b) {
		charset = cmp.Or(p.Params["charset"], "iso-8859-1")
	}
	kind := mime.FormatMediaType("text/plain", map[string]string{"charset": charset})
	if kind == "" { // a charset that is no word
		kind = "text/plain; charset=iso-8859-1"
	}
	return "Content-Type: " + kind + "\r\nContent-Transfer-Encoding: 8bit\r\n"
}

// fileFields are those of a file that was encrypted in the part.
func fileFields(p *msg.Part, inner string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '_'
		}
		return r
	}, plainName(p, inner))
	name = strings.ToValidUTF8(name[:min(len(name), 200)], "")
	params := map[string]string{}
	kind, disposition := "application/octet-stream", "attachment"
	if name != "" {
		params["name"] = name
		kind = cmp.Or(mime.FormatMediaType(kind, params), kind)
		disposition = cmp.Or(mime.FormatMediaType(disposition, map[string]string{"filename": name}), disposition)
	}
	return "Content-Type: " + kind + "\r\nContent-Disposition: " + disposition + "\r\nContent-Transfer-Encoding: base64\r\n"
}

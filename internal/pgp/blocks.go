package pgp

import (
	"bytes"
	"encoding/base64"
	"io"
)

// The lines around an armored message (RFC 9580 section 6.2).
const (
	beginMessage = "-----BEGIN PGP MESSAGE-----"
	endMessage   = "-----END PGP MESSAGE-----"
)

// Block is an armored message in a text: Octets between Start and End.
type Block struct {
	Start, End int  // End is behind the last line's text
	Whole      bool // its last line was found
}

// Blocks finds the armored messages in a text, at most so many. A line may be quoted by
// spaces; a block that does not end goes on to the end of the text.
func Blocks(text []byte, most int) (out []Block) {
	for at := 0; len(out) < most; {
		i := bytes.Index(text[at:], []byte(beginMessage))
		if i < 0 {
			return out
		}
		start := at + i
		at = start + len(beginMessage)
		if !atLineStart(text, start) {
			continue
		}
		b := Block{Start: start, End: len(text)}
		if j := bytes.Index(text[at:], []byte(endMessage)); j >= 0 {
			b.End, b.Whole = at+j+len(endMessage), true
		}
		out = append(out, b)
		at = b.End
	}
	return out
}

// atLineStart tells whether nothing but spaces stands before in the line.
func atLineStart(text []byte, at int) bool {
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
	return len(bytes.Trim(line, " \t\ufeff")) == 0
}

// Dearmor decodes one armored message, as Blocks finds it. The checksum is not asked for: it
// protects nothing that the integrity check does not (RFC 9580 section 6.1).
func Dearmor(block []byte) ([]byte, error) {
	_, body, ok := bytes.Cut(block, []byte("\n"))
	if !ok {
		return nil, unopened(BadArmor, nil)
	}
	body, ok = afterHeaders(body)
	if !ok {
		return nil, unopened(BadArmor, nil)
	}
	body, _, ok = bytes.Cut(body, []byte(endMessage))
	if !ok {
		return nil, unopened(Broken, io.ErrUnexpectedEOF)
	}
	text := make([]byte, 0, len(body))
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 5 && line[0] == '=' { // the checksum
			continue
		}
		text = append(text, line...)
	}
	n, err := base64.StdEncoding.Decode(text, text) // in place: what is read is never behind what is written
	if err != nil || n == 0 {
		return nil, unopened(BadArmor, err)
	}
	return text[:n], nil
}

// afterHeaders skips "Key: value" lines up to the empty line. Some programs leave that out
// where there are no headers.
func afterHeaders(body []byte) ([]byte, bool) {
	for range 20 {
		line, rest, ok := bytes.Cut(body, []byte("\n"))
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			return rest, ok
		case !bytes.Contains(line, []byte(": ")) && !bytes.HasSuffix(line, []byte(":")):
			return body, true
		case !ok:
			return nil, false
		}
		body = rest
	}
	return nil, false
}

func readSome(r io.Reader, most int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, most)) }

func readers(parts [][]byte) io.Reader {
	var all []io.Reader
	for _, p := range parts {
		all = append(all, bytes.NewReader(p))
	}
	return io.MultiReader(all...)
}

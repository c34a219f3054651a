package pgp

import (
	"encoding/base64"
	"fmt"
	"io"
)

// lineOctets are what one line of armor holds: 64 characters (RFC 9580 section 6.1).
const lineOctets = 48

// armorer writes armor (RFC 9580 section 6.2) without its checksum, which no reader may
// require and which newer messages must not have. It exists beside the library's because
// letters have lines that end in CRLF, and because it encodes many lines at a time.
type armorer struct {
	w    io.Writer
	kind string
	end  string // of a line
	rest []byte // less than a line
	line []byte // many encoded lines
	err  error
}

func newArmor(w io.Writer, kind, end string) *armorer {
	a := &armorer{w: w, kind: kind, end: end, rest: make([]byte, 0, lineOctets)}
	_, a.err = fmt.Fprintf(w, "-----BEGIN %s-----%s%s", kind, end, end)
	return a
}

// Write implements io.Writer.
func (a *armorer) Write(p []byte) (int, error) {
	n := len(p)
	if len(a.rest) > 0 {
		k := min(lineOctets-len(a.rest), len(p))
		a.rest, p = append(a.rest, p[:k]...), p[k:]
		if len(a.rest) < lineOctets {
			return n, a.err
		}
		a.lines(a.rest)
		a.rest = a.rest[:0]
	}
	const many = 256 * lineOctets
	for len(p) >= lineOctets && a.err == nil {
		k := min(many, len(p)-len(p)%lineOctets)
		a.lines(p[:k])
		p = p[k:]
	}
	a.rest = append(a.rest, p...)
	return n, a.err
}

// lines encodes whole lines, or at the end what is left.
func (a *armorer) lines(p []byte) {
	a.line = a.line[:0]
	for len(p) > 0 {
		k := min(lineOctets, len(p))
		a.line = base64.StdEncoding.AppendEncode(a.line, p[:k])
		a.line = append(a.line, a.end...)
		p = p[k:]
	}
	if a.err == nil {
		_, a.err = a.w.Write(a.line)
	}
}

// Close writes what is left and the last line.
func (a *armorer) Close() error {
	if len(a.rest) > 0 {
		a.lines(a.rest)
	}
	if a.err == nil {
		_, a.err = fmt.Fprintf(a.w, "-----END %s-----%s", a.kind, a.end)
	}
	return a.err
}

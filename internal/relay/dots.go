package relay

import (
	"bytes"
	"io"
)

// stuff writes content with its leading dots doubled (RFC 5321 section 4.5.2),
// makes sure that it ends in CRLF, and ends it with the final dot. It writes whole
// stretches between dots, not octets. The CRLF of a line may lie across two blocks.
func stuff(w io.Writer, blocks [][]byte) error {
	s := &stuffer{w: w, start: true}
	for _, b := range blocks {
		s.block(b)
	}
	if !s.start {
		s.write([]byte("\r\n"))
	}
	s.write([]byte(".\r\n"))
	return s.err
}

type stuffer struct {
	w     io.Writer
	start bool // at the start of a line
	cr    bool // the last octet was CR
	err   error
}

func (s *stuffer) write(b []byte) {
	if s.err == nil && len(b) > 0 {
		_, s.err = s.w.Write(b)
	}
}

func (s *stuffer) block(b []byte) {
	if len(b) == 0 {
		return
	}
	if s.cr && b[0] == '\n' { // the line's end lies across two blocks
		s.write(b[:1])
		s.cr, s.start, b = false, true, b[1:]
	}
	next := dotFinder(b)
	for len(b) > 0 && s.err == nil {
		if s.start && b[0] == '.' {
			s.write([]byte("."))
		}
		i := next(b)
		if i < 0 {
			s.write(b)
			s.start, s.cr = bytes.HasSuffix(b, []byte("\r\n")), b[len(b)-1] == '\r'
			return
		}
		s.write(b[:i])
		s.start, s.cr, b = true, false, b[i:]
	}
}

// dotFinder returns what finds where the next line that begins with a dot begins, or
// -1. It looks for the octet that is rarer at the front of b: a base64 attachment has
// no dots at all, a page of dots few lines that do not begin with one.
func dotFinder(b []byte) func([]byte) int {
	front := b[:min(len(b), 4<<10)]
	if bytes.Count(front, []byte(".")) <= bytes.Count(front, []byte("\n")) {
		return dotLineByDots
	}
	return dotLineByLines
}

func dotLineByDots(b []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], '.')
		if i < 0 {
			return -1
		}
		if at += i; at >= 2 && b[at-1] == '\n' && b[at-2] == '\r' {
			return at
		}
	}
}

func dotLineByLines(b []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 || at+i+1 == len(b) {
			return -1
		}
		if at += i; b[at+1] == '.' && at > 0 && b[at-1] == '\r' {
			return at + 1
		}
	}
}

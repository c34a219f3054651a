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
	for len(b) > 0 && s.err == nil {
		if s.start && b[0] == '.' {
			s.write([]byte("."))
		}
		i := bytes.Index(b, []byte("\r\n."))
		if i < 0 {
			s.write(b)
			s.start, s.cr = bytes.HasSuffix(b, []byte("\r\n")), b[len(b)-1] == '\r'
			return
		}
		s.write(b[:i+2])
		s.start, s.cr, b = true, false, b[i+2:]
	}
}

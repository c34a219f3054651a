package mimetree

import (
	"bytes"
	"strings"

	"congthu/internal/msg"
)

// ParseHeader reads the header at the start of raw within the default limits and
// returns where the body begins. When no line is a field, all of raw is body.
func ParseHeader(raw []byte) (fields []msg.Field, bodyStart int, amb []msg.Ambiguity) {
	h := headerReader{raw: raw, lim: DefaultLimits()}
	h.read()
	return h.fields, h.body(), h.notes
}

// headerReader reads the header of one part, from pos on.
type headerReader struct {
	raw    []byte
	start  int // of the header
	pos    int
	lim    Limits
	stop   func(line []byte) bool // a delimiter line ends a header without a blank line
	fields []msg.Field
	notes  notes
	bad    bool // lines were met that are no fields
	strict bool // the first line that is no field ends the header: it is body; so does a blank fold
	folds  bool // but not a blank fold
}

func (h *headerReader) read() {
	h.start = h.pos
	for h.pos < len(h.raw) {
		end := lineEnd(h.raw, h.pos)
		line := chop(h.raw[h.pos:end])
		if len(line) == 0 {
			h.pos = end
			return
		}
		if h.stop != nil && h.stop(line) {
			if len(h.fields) > 0 {
				h.notes.addLine(HeaderCut, line)
			}
			return
		}
		if h.strict && !isFieldLine(line) {
			if h.oddLine(line, end) {
				continue
			}
			return
		}
		end = h.unitEnd(end)
		h.unit(h.raw[h.pos:end], line)
		h.pos = end
	}
}

// oddLine tells whether a strict reader goes on behind a line that is no field.
func (h *headerReader) oddLine(line []byte, end int) bool {
	first := h.pos == h.start
	switch {
	case h.folds && first && isWSP(line[0]):
		h.pos, h.start = end, end // a fold of nothing
		return true
	case !h.folds && !first && len(bytes.TrimLeft(line, " \t")) == 0:
		h.pos = end // as good as empty
	}
	return false
}

// body is where the body begins: text that was taken for a header without one
// field in it is given back.
func (h *headerReader) body() int {
	if h.bad && len(h.fields) == 0 {
		return h.start
	}
	return h.pos
}

// unitEnd extends a line over the folded lines that follow.
func (h *headerReader) unitEnd(end int) int {
	for end < len(h.raw) && isWSP(h.raw[end]) {
		next := lineEnd(h.raw, end)
		if len(bytes.TrimLeft(chop(h.raw[end:next]), " \t")) == 0 {
			h.notes.add(BlankFold, "")
			if h.strict && !h.folds {
				return end
			}
		}
		end = next
	}
	return end
}

// unit reads one field with its folds; line is its first line.
func (h *headerReader) unit(raw, line []byte) {
	if len(h.fields) >= h.lim.HeaderFields || h.pos-h.start+len(raw) > h.lim.HeaderSize {
		h.notes.add(LimitHeader, "")
		return
	}
	if isWSP(line[0]) { // only the first line of a header can get here folded
		h.notes.addLine(HeaderLeadingSpace, line)
	}
	h.checkOctets(raw)
	name, ok := h.name(line)
	if !ok {
		h.bad = true
		return
	}
	value := raw[bytes.IndexByte(raw, ':')+1:]
	h.fields = append(h.fields, msg.Field{Name: name, Value: unfold(value), Raw: raw[:len(raw):len(raw)]})
}

// name returns the field name of a header line, if it has one.
func (h *headerReader) name(line []byte) (string, bool) {
	if h.pos == 0 && isMboxLine(line) {
		h.notes.addLine(MboxLine, line)
		return "", false
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		h.notes.addLine(HeaderNoColon, line)
		return "", false
	}
	name := bytes.TrimLeft(line[:colon], " \t")
	if trimmed := bytes.TrimRight(name, " \t"); len(trimmed) < len(name) {
		name = trimmed
		h.notes.addLine(SpaceBeforeColon, name)
	}
	if !isFieldName(name) {
		h.notes.addLine(HeaderBadName, line)
		return "", false
	}
	return string(name), true
}

// isMboxLine tells "From sender Mon Jan  1 00:00:00 2024" from a field with a space
// before its colon.
func isMboxLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok {
		return false
	}
	words := bytes.Fields(rest[:min(len(rest), 500)])
	return len(words) >= 6 && bytes.IndexByte(words[0], ':') < 0
}

func (h *headerReader) checkOctets(raw []byte) {
	if bytes.IndexByte(raw, 0) >= 0 {
		h.notes.addLine(NUL, raw)
	}
	if hasBareCR(raw) {
		h.notes.addLine(BareCR, raw)
	}
}

func hasBareCR(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return false
		}
		if i+1 == len(b) || b[i+1] != '\n' {
			return true
		}
		b = b[i+1:]
	}
}

// unfold removes the line ends of a field body (RFC 5322 section 2.2.3) and the space
// around it. A bare CR becomes a space: a value must not be able to end a line.
func unfold(b []byte) string {
	b = bytes.Trim(b, " \t\r\n")
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return string(b)
	}
	var s strings.Builder
	s.Grow(len(b))
	for i, c := range b {
		switch {
		case c == '\n', c == '\r' && i+1 < len(b) && b[i+1] == '\n':
		case c == '\r':
			s.WriteByte(' ')
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}

// isFieldLine tells whether the line begins with a name and a colon, with nothing between.
func isFieldLine(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	return ok && isFieldName(name)
}

// isFieldName follows ftext of RFC 5322 section 3.6.8.
func isFieldName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(name) > 0
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }

// lineEnd returns the offset after the line that contains pos.
func lineEnd(raw []byte, pos int) int {
	if i := bytes.IndexByte(raw[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(raw)
}

// chop removes the line end: CRLF, or LF in a file or a decoded message.
func chop(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

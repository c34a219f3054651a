package smtpd

import (
	"bytes"

	"congthu/internal/msg"
)

var (
	replyHeaderSize   = msg.Reply{Code: 550, Detail: "6.0", Text: "The header is too large"}
	replyHeaderFields = msg.Reply{Code: 550, Detail: "6.0", Text: "The header has too many fields"}
	replyHeaderSyntax = msg.Reply{Code: 550, Detail: "6.0", Text: "The header has a line that is no header field"}
	replyTwoFrom      = msg.Reply{Code: 550, Detail: "6.0", Text: "The header has more than one From field"}
	replyLoop         = msg.Reply{Code: 554, Detail: "4.6", Text: "Too many hops, this is a mail loop"}
)

// checkHeader refuses messages whose top-level header (RFC 5322 section 2.2) can
// only be read in several ways, or is too large to read at all. It looks at nothing
// below the first blank line: what the parts hold is for later stages, which may
// hold a message instead of refusing it.
//
// A line that is neither a field nor a continuation is refused once a field stood
// before it: some readers end the header there, some skip the line, and what stands
// below is a header to one and text to the other. A message that begins with such a
// line is a bare text without a header, and is taken, unless its first paragraph
// holds a From field for those who skip the line.
func checkHeader(raw []byte, l Limits) (msg.Reply, string) {
	h := headerScan{limits: l}
	for rest := raw; len(rest) > 0; {
		line := rest[:bytes.IndexByte(rest, '\n')+1]
		if len(line) == len("\r\n") {
			break
		}
		if r, event := h.line(line); r.Code != 0 {
			return r, event
		}
		rest = rest[len(line):]
	}
	return msg.Reply{}, ""
}

type headerScan struct {
	limits                       Limits
	bare                         bool // the first line was no field
	size, fields, from, received int
}

func folded(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

func (h *headerScan) line(line []byte) (msg.Reply, string) {
	if h.bare {
		return h.text(line)
	}
	if h.size += len(line); h.size > h.limits.HeaderSize {
		return replyHeaderSize, evLimit
	}
	if folded(line) {
		if h.fields == 0 {
			return replyHeaderSyntax, evHeader
		}
		return msg.Reply{}, ""
	}
	name := fieldName(line)
	if name == nil && h.fields == 0 {
		h.bare = true
		return msg.Reply{}, ""
	}
	if name == nil {
		return replyHeaderSyntax, evHeader
	}
	return h.field(name)
}

// text looks at a line of a message without a header.
func (h *headerScan) text(line []byte) (msg.Reply, string) {
	if bytes.EqualFold(fieldName(line), []byte("From")) {
		return replyHeaderSyntax, evHeader
	}
	return msg.Reply{}, ""
}

func (h *headerScan) field(name []byte) (msg.Reply, string) {
	if h.fields++; h.fields > h.limits.HeaderFields {
		return replyHeaderFields, evLimit
	}
	switch {
	case bytes.EqualFold(name, []byte("From")):
		if h.from++; h.from > 1 {
			return replyTwoFrom, evHeader
		}
	case bytes.EqualFold(name, []byte("Received")):
		if h.received++; h.received > h.limits.ReceivedHops {
			return replyLoop, evLoop
		}
	}
	return msg.Reply{}, ""
}

// fieldName returns the name of a field line, or nil when the line is none. A
// name is printable ASCII without a colon (RFC 5322 section 2.2); white space before
// the colon is obsolete but legal (section 4.5.8) and must not hide a second From.
func fieldName(line []byte) []byte {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return nil
	}
	name := bytes.TrimRight(line[:colon], " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return nil
		}
	}
	if len(name) == 0 {
		return nil
	}
	return name
}

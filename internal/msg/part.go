package msg

import "strings"

// Part is one node of the MIME tree, read-only after parsing. Offsets are into
// Message.Raw; a message inside a message (message/rfc822) has its own tree as
// its only child.
type Part struct {
	Path        string            // "1", "1.2"; the root is "0"
	Header      []Field           // in order, unfolded copies beside raw octets
	MediaType   string            // lower-case type/subtype; defaults applied (RFC 2045 section 5.2)
	Params      map[string]string // of Content-Type, names lower-cased, RFC 2231 decoded
	Disposition string            // lower-case, "" when absent
	Filename    string            // decoded; "" when absent. Untrusted
	Encoding    string            // lower-case Content-Transfer-Encoding, "7bit" when absent
	Start, End  int64             // the part with its header
	BodyStart   int64             // the body: Raw[BodyStart:End]
	Decoded     []byte            // the body after transfer decoding; nil for multiparts
	Text        string            // UTF-8, for text/* leaves only; charset decoded as well as possible
	Children    []*Part
	Ambiguities []Ambiguity
	Others      []*Part // of the root: leaves that only other readers see; their paths are no places in the tree
}

// Field is one header field.
type Field struct {
	Name  string // as written
	Value string // unfolded, surrounding space removed, not RFC 2047 decoded
	Raw   []byte // name, colon, value and final CRLF as received
}

// Ambiguity is a place where two readers may see two different messages.
// "Could not look" rests on these: a limit that was hit is one of them.
type Ambiguity struct {
	Code   string // such as MIME_TWO_CONTENT_TYPES, MIME_LIMIT_DEPTH
	Detail string
}

// Walk calls visit for the part and everything below it, parents first.
func (p *Part) Walk(visit func(*Part)) {
	if p == nil {
		return
	}
	visit(p)
	for _, c := range p.Children {
		c.Walk(visit)
	}
}

// IsMultipart tells whether the part is a container of parts.
func (p *Part) IsMultipart() bool { return strings.HasPrefix(p.MediaType, "multipart/") }

// IsText tells whether the part is a text leaf.
func (p *Part) IsText() bool { return strings.HasPrefix(p.MediaType, "text/") && len(p.Children) == 0 }

// Fields returns all fields of that name, compared without case, in order.
func (p *Part) Fields(name string) []Field {
	var out []Field
	for _, f := range p.Header {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f)
		}
	}
	return out
}

// Get returns the value of the first field of that name, or "".
func (p *Part) Get(name string) string {
	for _, f := range p.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

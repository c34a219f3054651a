// Package mimetree reads a message once, within limits, into a tree of msg.Part.
//
// It never fails: where the octets can be read in two ways it takes the reading a
// mail program is most likely to take, or all of them together when that shows more
// to the scanners, and says so in Part.Ambiguities. A limit that was hit is said the
// same way, so that "could not look" is never taken for "clean".
//
// Time is linear in the size of the message: one pass looks for the delimiters of
// all open multiparts at once, and the depth of the tree is bounded.
//
// The tree is what is shown to people and rules. Where the octets can be read in two
// ways, the root's Others are what the other readers would see, for the scanners; a
// message that can be read in one way only has none, and costs no second look.
//
// Two things are not obvious from the nouns. Below a part that had to be decoded
// before it could be parsed (a message/rfc822 in base64), offsets count in that
// part's Decoded, no longer in the message. And the Text of a multipart is what
// stands before its first and after its last delimiter, if anything does.
package mimetree

import "congthu/internal/msg"

// Limits bound what one message may cost.
type Limits struct {
	Depth        int // parts inside each other; the message itself is the first
	Parts        int // in the whole tree
	HeaderSize   int // octets of the header of one part
	HeaderFields int // fields of the header of one part
}

// headerShare is how many times the limits of one header all headers of a tree may
// take together: a thousand parts with a thousand fields each are an attack.
const headerShare = 10

// decodedShare is how many times its own size a message may grow by containers that
// must be decoded before they are opened: each needs a copy, and they nest.
const decodedShare = 3

// DefaultLimits are the limits when nothing else is configured.
func DefaultLimits() Limits {
	return Limits{Depth: 30, Parts: 1000, HeaderSize: 256 << 10, HeaderFields: 1000}
}

// Parse reads the message. It never returns nil and never fails: what it could not
// read, or could read in two ways, is an Ambiguity of the part concerned.
func Parse(raw []byte, lim Limits) *msg.Part {
	t := newTree(raw, lim, reading{})
	root := t.message(raw, "0", 1)
	root.Others = t.others(raw, root)
	return root
}

func newTree(raw []byte, lim Limits, how reading) *tree {
	return &tree{
		lim:     lim,
		how:     how,
		octets:  headerShare * lim.HeaderSize,
		fields:  headerShare * lim.HeaderFields,
		decoded: decodedShare*len(raw) + 1<<20,
		pool:    newPool(len(raw)),
	}
}

// tree counts what the whole message has cost so far.
type tree struct {
	lim     Limits
	how     reading
	pool    *pool
	choices int // the most values of one kind that contradict each other
	parts   int
	octets  int // of header that may still be read
	fields  int // that may still be kept
	decoded int // octets of containers that may still be decoded
}

// message parses raw as one message whose root is at that path and depth.
func (t *tree) message(raw []byte, path string, depth int) *msg.Part {
	w := newWalker(t, raw)
	root := &msg.Part{Path: path}
	w.split(w.open(root, 0, depth, textPlain))
	w.closeTo(-1, len(raw))
	return root
}

// headerLimits is what one more header may take.
func (t *tree) headerLimits() Limits {
	lim := t.lim
	lim.HeaderSize = min(lim.HeaderSize, t.octets)
	lim.HeaderFields = min(lim.HeaderFields, t.fields)
	return lim
}

// notes are ambiguities with at most one of each code: a hundred thousand bad lines
// say no more than the first of them.
type notes []msg.Ambiguity

func (n *notes) add(code, detail string) {
	if !n.has(code) {
		*n = append(*n, msg.Ambiguity{Code: code, Detail: shorten(detail)})
	}
}

// addLine adds with the beginning of a line as the detail, which is copied only once.
func (n *notes) addLine(code string, line []byte) {
	if !n.has(code) {
		n.add(code, excerpt(line))
	}
}

func (n *notes) has(code string) bool {
	for _, a := range *n {
		if a.Code == code {
			return true
		}
	}
	return false
}

func (n *notes) addAll(more []msg.Ambiguity) {
	for _, a := range more {
		n.add(a.Code, a.Detail)
	}
}

// note adds an ambiguity to a part.
func note(p *msg.Part, code, detail string) {
	n := notes(p.Ambiguities)
	n.add(code, detail)
	p.Ambiguities = n
}

// noteLine adds an ambiguity with the beginning of a line as its detail.
func noteLine(p *msg.Part, code string, line []byte) {
	n := notes(p.Ambiguities)
	n.addLine(code, line)
	p.Ambiguities = n
}

const detailRunes = 200

// shorten keeps the first runes of a detail.
func shorten(s string) string {
	n := 0
	for i := range s {
		if n == detailRunes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// excerpt is the beginning of a line as a detail, without copying a long line.
func excerpt(line []byte) string { return string(line[:min(len(line), 4*detailRunes)]) }

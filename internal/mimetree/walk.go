package mimetree

import (
	"bytes"
	"strconv"

	"congthu/internal/msg"
)

// walker goes once over the octets. Its stack holds the parts that are open: at most
// Limits.Depth containers and one leaf on top.
type walker struct {
	*tree
	raw     []byte
	stack   []*level
	byLine  map[string]int  // boundary to the outermost open level that has it
	longest int             // of the open boundaries
	orphans map[string]bool // boundaries of multiparts that were cut off
	stopped bool            // Limits.Parts was hit: nothing more is opened
}

// level is one open part.
type level struct {
	part       *msg.Part
	depth      int
	kind       kind
	boundaries []string
	first      int    // where the first delimiter line begins, or -1
	epilogue   int    // where the text after a close delimiter begins, or -1
	closed     bool   // a close delimiter was met
	after      []byte // text between a close delimiter and a part behind it
}

func newLevel(p *msg.Part, depth int) *level {
	return &level{part: p, depth: depth, first: -1, epilogue: -1}
}

type kind uint8

const (
	leaf kind = iota
	multipart
	message  // its only child is the message inside
	unopened // a container beyond a limit
)

func newWalker(t *tree, raw []byte) *walker {
	return &walker{tree: t, raw: raw, byLine: map[string]int{}}
}

// open reads the header of a part at pos and pushes the part, and the message in it
// if it is one. It returns where the body of the innermost part begins.
func (w *walker) open(p *msg.Part, pos, depth int, defaultType string) int {
	w.parts++
	p.Start = int64(pos)
	body := w.header(p, pos)
	p.BodyStart = int64(body)
	l := newLevel(p, depth)
	l.boundaries = w.describe(p, defaultType)
	l.kind = w.kindOf(p, depth)
	w.push(l)
	if l.kind == message {
		inner := &msg.Part{Path: childPath(p)}
		p.Children = append(p.Children, inner)
		return w.open(inner, body, depth+1, textPlain)
	}
	return body
}

// header reads the header of p, which ends at the latest at a delimiter line.
func (w *walker) header(p *msg.Part, pos int) (body int) {
	h := headerReader{raw: w.raw, pos: pos, lim: w.headerLimits(), stop: w.stop(), strict: w.how.strict, folds: w.how.folds}
	h.read()
	w.octets -= h.pos - pos
	w.octets = max(w.octets, 0)
	w.fields -= len(h.fields)
	p.Header = h.fields
	p.Ambiguities = h.notes
	return h.body()
}

// stop is what ends a header without a blank line.
func (w *walker) stop() func(line []byte) bool {
	if w.how.deep {
		return nil
	}
	return w.isDelimiter
}

// kindOf decides whether the part is opened as a container. A message in base64 is
// a leaf until it has been decoded.
func (w *walker) kindOf(p *msg.Part, depth int) kind {
	isMessage := isEmbedded(p.MediaType)
	switch {
	case !p.IsMultipart() && !isMessage:
		return leaf
	case !w.mayNest(p, depth):
		return unopened
	case p.IsMultipart():
		return multipart
	case encodes(p.Encoding):
		return leaf
	}
	return message
}

// mayNest tells whether the limits allow something inside p, and notes it if not.
func (w *walker) mayNest(p *msg.Part, depth int) bool {
	if depth >= w.lim.Depth {
		note(p, LimitDepth, strconv.Itoa(w.lim.Depth))
		return false
	}
	return w.mayAdd(p)
}

// mayAdd tells whether one more part is allowed, and notes on p if not.
func (w *walker) mayAdd(p *msg.Part) bool {
	if w.parts >= w.lim.Parts {
		note(p, LimitParts, strconv.Itoa(w.lim.Parts))
		w.stopped = true
		return false
	}
	return true
}

// split goes from delimiter to delimiter, starting in the body at pos.
func (w *walker) split(pos int) {
	for !w.stopped && len(w.byLine) > 0 {
		at := nextDashes(w.raw, pos)
		if at < 0 {
			return
		}
		end := lineEnd(w.raw, at)
		pos = w.line(at, end)
	}
}

// line handles the line at:end, which begins with two hyphens, and returns where to
// go on.
func (w *walker) line(at, end int) int {
	idx, closing := w.match(chop(w.raw[at:end]))
	if idx < 0 {
		w.nearMiss(chop(w.raw[at:end]))
		return end
	}
	w.closeTo(idx, w.beforeLine(at))
	l := w.stack[idx]
	if l.first < 0 {
		l.first = at
	}
	if closing {
		if l.epilogue < 0 {
			l.epilogue = end
		}
		l.closed = true
		return end
	}
	if l.epilogue >= 0 {
		note(l.part, PartAfterClose, "")
		l.after = append(l.after, w.raw[l.epilogue:max(at, l.epilogue)]...)
		l.epilogue = -1
	}
	return w.child(l, end)
}

// child opens the next part of a multipart.
func (w *walker) child(l *level, pos int) int {
	if !w.mayAdd(l.part) {
		return pos
	}
	defaultType := textPlain
	if l.part.MediaType == "multipart/digest" {
		defaultType = "message/rfc822" // RFC 2046 section 5.1.5
	}
	p := &msg.Part{Path: childPath(l.part)}
	l.part.Children = append(l.part.Children, p)
	return w.open(p, pos, l.depth+1, defaultType)
}

// beforeLine is the end of a part before a delimiter line: the line end in front
// belongs to the delimiter (RFC 2046 section 5.1.1).
func (w *walker) beforeLine(at int) int {
	if at > 0 && w.raw[at-1] == '\n' {
		at--
	}
	if at > 0 && w.raw[at-1] == '\r' {
		at--
	}
	return at
}

func (w *walker) push(l *level) {
	idx := len(w.stack)
	w.stack = append(w.stack, l)
	if l.kind != multipart {
		return
	}
	for _, b := range l.boundaries {
		if _, taken := w.byLine[b]; taken {
			note(l.part, BoundaryReused, b)
			continue
		}
		w.byLine[b] = idx
		w.longest = max(w.longest, len(b))
	}
}

// closeTo ends every part above the level idx, innermost first.
func (w *walker) closeTo(idx, end int) {
	for top := len(w.stack) - 1; top > idx; top-- {
		l := w.stack[top]
		for _, b := range l.boundaries {
			if w.byLine[b] == top {
				delete(w.byLine, b)
				w.orphan(l, b)
			}
		}
		w.stack = w.stack[:top]
		w.finish(l, end)
	}
}

// orphan remembers the boundary of a multipart that nothing closed.
func (w *walker) orphan(l *level, boundary string) {
	if l.closed {
		return
	}
	if w.orphans == nil {
		w.orphans = map[string]bool{}
	}
	w.orphans[boundary] = true
}

// finish completes a part whose end is now known. A header that ran up to a
// delimiter took its line end along; the body is empty then.
func (w *walker) finish(l *level, end int) {
	p := l.part
	p.End = max(int64(end), p.BodyStart)
	if n := len(p.Children); n > 0 {
		p.End = max(p.End, p.Children[n-1].End)
	}
	if l.kind == multipart {
		w.finishMultipart(l)
		return
	}
	w.finishBody(l)
}

// childPath is the path of the next child.
func childPath(p *msg.Part) string {
	n := strconv.Itoa(len(p.Children) + 1)
	if p.Path == "0" {
		return n
	}
	return p.Path + "." + n
}

// nextDashes finds the next line, from the line start pos on, that begins with "--".
func nextDashes(raw []byte, pos int) int {
	if bytes.HasPrefix(raw[pos:], []byte("--")) {
		return pos
	}
	if i := bytes.Index(raw[pos:], []byte("\n--")); i >= 0 {
		return pos + i + 1
	}
	return -1
}

package mimetree

import (
	"bytes"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// finishMultipart notes what stands around the parts, and looks for parts again
// where the declared boundary showed none.
func (w *walker) finishMultipart(l *level) {
	p := l.part
	if l.first < 0 {
		w.secondLook(l)
	}
	if l.first >= 0 && !l.closed {
		note(p, NoClose, "")
	}
	w.surroundings(l)
	w.undivided(l)
}

// undivided is a multipart as those see it who do not divide it: they take its body for
// a file or a text, in its encoding.
func (w *walker) undivided(l *level) {
	p := l.part
	odd := len(p.Children) == 0 || slices.ContainsFunc(p.Ambiguities, func(a msg.Ambiguity) bool {
		switch a.Code {
		case NoBoundary, BoundaryUnseen, BoundarySyntax, BoundarySpace, BoundaryLong, EncodedContainer:
			return true
		}
		return false
	})
	if body := w.raw[p.BodyStart:p.End]; odd && !isBlank(body) {
		w.encodings(p, body)
	}
	if len(p.Children) == 0 && l.first >= 0 {
		w.also(p, "text", w.raw[p.BodyStart:max(int64(l.first), p.BodyStart)]) // up to its close delimiter
	}
}

// secondLook reads a multipart without delimiters: decoded, if it claims an
// encoding, else divided by what looks like its boundary.
func (w *walker) secondLook(l *level) {
	p := l.part
	body := w.raw[p.BodyStart:p.End]
	if isBlank(body) {
		return
	}
	note(p, BoundaryUnseen, "")
	if encodes(p.Encoding) && w.lookDecoded(l, body) {
		return
	}
	if again := w.again(l, w.raw[:p.End], int(p.BodyStart), []string{guessBoundary(body)}); len(p.Children) > 0 {
		*l = *again
	}
}

// lookDecoded looks for the parts of a multipart in its decoded body. Without parts
// the decoded text is kept beside the raw one.
func (w *walker) lookDecoded(l *level, body []byte) bool {
	p := l.part
	if !w.mayDecode(p, len(body)) {
		return false
	}
	decoded := decodeBody(p, body)
	w.again(l, decoded, 0, l.boundaries)
	if len(p.Children) == 0 {
		w.again(l, decoded, 0, []string{guessBoundary(decoded)})
	}
	if len(p.Children) == 0 {
		p.Text = outsideText(decoded)
		return false
	}
	p.Decoded = decoded
	return true
}

// again divides raw from pos on by other boundaries, for a part that is already there.
func (w *walker) again(l *level, raw []byte, pos int, boundaries []string) *level {
	inner := newWalker(w.tree, raw)
	again := newLevel(l.part, l.depth)
	again.kind = multipart
	for _, b := range boundaries {
		if b != "" {
			again.boundaries = append(again.boundaries, b)
		}
	}
	inner.push(again)
	inner.split(pos)
	inner.closeTo(0, len(raw))
	return again
}

// surroundings notes preamble and epilogue and keeps them as the multipart's text: no
// mail program shows them, other readers may.
func (w *walker) surroundings(l *level) {
	p := l.part
	if p.Decoded != nil {
		return // the body is encoded; its octets say nothing
	}
	preamble := w.raw[p.BodyStart:p.End]
	if l.first >= 0 {
		preamble = w.raw[p.BodyStart:max(int64(l.first), p.BodyStart)]
	}
	epilogue := l.after
	if l.epilogue >= 0 && int64(l.epilogue) < p.End {
		epilogue = append(epilogue, w.raw[l.epilogue:p.End]...)
	}
	if !isBlank(preamble) {
		note(p, Preamble, excerpt(bytes.TrimSpace(preamble)))
		p.Text += outsideText(preamble)
		w.outside(p, preamble)
	}
	if !isBlank(epilogue) {
		note(p, Epilogue, excerpt(bytes.TrimSpace(epilogue)))
		p.Text += outsideText(epilogue)
		w.outside(p, epilogue)
		if n := len(p.Children); n > 0 && p.Children[n-1].Start == p.Children[n-1].End {
			w.readInside(epilogue, p.Path+"~part") // some take delimiters in a row for one
		}
	}
}

// outsideText reads text that no header describes.
func outsideText(b []byte) string {
	s, _ := toUTF8("", b)
	return s
}

func isBlank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }

// finishBody decodes the body of a part that is no multipart.
func (w *walker) finishBody(l *level) {
	p := l.part
	body := w.raw[p.BodyStart:p.End:p.End]
	if p.IsMultipart() {
		return // not opened; a limit was noted
	}
	if isEmbedded(p.MediaType) && encodes(p.Encoding) && !w.mayDecode(p, len(body)) {
		return
	}
	p.Decoded = decodeBody(p, body)
	switch {
	case isEmbedded(p.MediaType):
		if l.kind == leaf {
			w.decodedMessage(l, body)
		}
	case p.IsText():
		decodeText(p)
		w.contents(p, body)
		w.carriers(l)
	default:
		w.contents(p, body)
		if strings.HasPrefix(p.MediaType, "message/") { // some take all of these for messages
			w.readInside(p.Decoded, p.Path+"~message")
		}
	}
	if l.kind == leaf && p.Encoding != "binary" && len(p.Decoded) == len(body) && bytes.IndexByte(body, 0) >= 0 {
		note(p, NUL, "")
	}
}

// decodedMessage parses a message that stood in base64 or quoted-printable. Some
// writers only claim the encoding: then the body is a header as it stands.
func (w *walker) decodedMessage(l *level, body []byte) {
	if !looksLikeHeader(l.part.Decoded) && looksLikeHeader(body) {
		l.part.Decoded = body
	} else {
		w.readInside(body, l.part.Path+"~raw") // RFC 2045 section 6.4 allows no encoding
	}
	if cleaned := withoutControls(l.part.Decoded); cleaned != nil {
		note(l.part, NUL, "")
		w.read(cleaned, reading{}, l.part.Path+"~clean")
	}
	l.part.Children = []*msg.Part{w.message(l.part.Decoded, childPath(l.part), l.depth+1)}
}

// mayDecode tells whether one more container of that size may be decoded.
func (w *walker) mayDecode(p *msg.Part, size int) bool {
	if size > w.decoded {
		note(p, LimitDecoded, "")
		return false
	}
	w.decoded -= size
	return true
}

func looksLikeHeader(b []byte) bool {
	name, _, ok := bytes.Cut(b[:min(len(b), 1000)], []byte(":"))
	return ok && isFieldName(name)
}

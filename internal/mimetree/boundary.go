package mimetree

import (
	"bytes"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// match finds the open multipart to which a line beginning with "--" belongs. The
// outermost wins: most mail programs hand each line to the outer part first.
func (w *walker) match(line []byte) (idx int, closing bool) {
	if w.how.lax {
		return w.matchLax(line)
	}
	idx, closing = w.matchExact(line)
	if w.how.deep && idx < w.innermost() {
		return -1, false
	}
	if idx >= 0 && w.how.strict && w.stack[idx].closed {
		return -1, false
	}
	return idx, closing
}

func (w *walker) matchExact(line []byte) (idx int, closing bool) {
	rest := bytes.TrimRight(line[2:], " \t")
	if len(rest) > w.longest+2 {
		return -1, false
	}
	if i, ok := w.byLine[string(rest)]; ok {
		return i, false
	}
	if rest, ok := bytes.CutSuffix(rest, []byte("--")); ok {
		if i, ok := w.byLine[string(rest)]; ok {
			return i, true
		}
	}
	return -1, false
}

// innermost is the level of the innermost multipart that is not closed.
func (w *walker) innermost() int {
	for i := len(w.stack) - 1; i >= 0; i-- {
		if w.stack[i].kind == multipart && !w.stack[i].closed {
			return i
		}
	}
	return 0
}

// matchLax is the reading of those who look only at the beginning of a line, and at the
// innermost multipart first.
func (w *walker) matchLax(line []byte) (idx int, closing bool) {
	for i := len(w.stack) - 1; i >= 0; i-- {
		for _, b := range w.stack[i].boundaries {
			if rest, ok := bytes.CutPrefix(line[2:], []byte(b)); ok && w.stack[i].kind == multipart {
				return i, bytes.HasPrefix(rest, []byte("--"))
			}
		}
	}
	return -1, false
}

func (w *walker) isDelimiter(line []byte) bool {
	if len(w.byLine) == 0 || !bytes.HasPrefix(line, []byte("--")) {
		return false
	}
	idx, _ := w.match(line)
	return idx >= 0
}

// nearMiss notes a line that begins with the innermost boundary and goes on: readers
// that compare only the beginning divide there.
func (w *walker) nearMiss(line []byte) {
	orphan := len(w.orphans) > 0 && w.orphans[string(bytes.TrimSuffix(bytes.TrimRight(line[2:min(len(line), maxDelimiter)], " \t"), []byte("--")))]
	for i := len(w.stack) - 1; i >= 0; i-- {
		l := w.stack[i]
		if l.kind != multipart {
			continue
		}
		if orphan {
			noteLine(l.part, BoundaryOrphan, line)
		}
		for _, b := range l.boundaries {
			if b != "" && bytes.HasPrefix(line[2:], []byte(b)) {
				noteLine(l.part, BoundaryPrefix, line)
			}
		}
		return
	}
}

const (
	maxBoundary  = 70   // RFC 2046 section 5.1.1
	maxDelimiter = 1000 // of a line that is compared with boundaries of the past
)

// checkBoundaries notes what is wrong with the boundaries of a multipart and returns
// them as they are compared, without trailing space. An empty one cannot divide.
func checkBoundaries(p *msg.Part, given []string) []string {
	var out []string
	slices.Sort(given)
	given = slices.Compact(given)
	if len(given) > 1 {
		note(p, TwoBoundaries, strings.Join(given[:min(len(given), maxCandidates)], " | "))
	}
	for _, b := range given {
		if len(b) > maxBoundary {
			note(p, BoundaryLong, b)
		}
		trimmed := strings.TrimRight(b, " \t")
		if trimmed != b {
			note(p, BoundarySpace, b)
		}
		if trimmed != "" && len(out) < maxCandidates && !slices.Contains(out, trimmed) {
			out = append(out, trimmed)
		}
	}
	if len(out) == 0 {
		note(p, NoBoundary, "")
	}
	return out
}

// guessBoundary takes the first line that looks like a delimiter: "--" and a word,
// with a header field or a blank line behind it.
func guessBoundary(body []byte) string {
	for pos := nextDashes(body, 0); pos >= 0; {
		end := lineEnd(body, pos)
		line := bytes.TrimRight(chop(body[pos:end]), " \t")
		if b := line[2:]; len(b) > 0 && len(b) <= maxBoundary && end < len(body) {
			next := chop(body[end:lineEnd(body, end)])
			name, _, ok := bytes.Cut(next, []byte(":"))
			if len(next) == 0 || ok && isFieldName(name) {
				return string(b)
			}
		}
		if end >= len(body) {
			break
		}
		pos = nextDashes(body[end:], 0)
		if pos >= 0 {
			pos += end
		}
	}
	return ""
}

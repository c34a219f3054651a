package mimetree

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"

	"congthu/internal/msg"
)

// begins is the first line of a uuencoded file: "begin 644 name", and some readers do
// without the name.
var begins = regexp.MustCompile(`^begin [0-7]{3,4}(?: +(\S.*)?)?$`)

// carriers looks for files in the text that no MIME header announces. A text with
// such files becomes a container: its first child is the text as it stands, the
// files follow.
func (w *walker) carriers(l *level) {
	p := l.part
	files := findCarried(p)
	if len(files) == 0 || !w.mayNest(p, l.depth) {
		return
	}
	for _, f := range files {
		note(p, carrierCode(f.Encoding), f.Filename)
	}
	text := &msg.Part{
		MediaType: p.MediaType, Params: p.Params, Encoding: p.Encoding,
		Start: p.BodyStart, BodyStart: p.BodyStart, End: p.End, Decoded: p.Decoded, Text: p.Text,
	}
	p.Decoded, p.Text = nil, ""
	for _, c := range append([]*msg.Part{text}, files...) {
		if !w.mayAdd(p) {
			return
		}
		w.parts++
		c.Path = childPath(p)
		w.twins(c)
		p.Children = append(p.Children, c)
	}
}

func carrierCode(encoding string) string {
	switch encoding {
	case "x-yenc":
		return YEnc
	case "x-binhex":
		return BinHex
	}
	return UUEncode
}

// carrier is a way to write a file into a text: how its first line begins, and what
// reads it from there, into room octets where it may grow. No part means that it was none;
// its other readings are its Others until twins takes them.
type carrier struct {
	mark string
	cut  func(src []byte, pos, room int) (p *msg.Part, next int)
}

func carrierKinds() []carrier {
	return []carrier{{"begin ", cutUU}, {"=ybegin ", cutYEnc}, {binHexMark, cutBinHex}}
}

// findCarried decodes the files in a text. Their offsets count in the message
// when the text is not encoded itself; else they are those of the text.
func findCarried(p *msg.Part) []*msg.Part {
	var out []*msg.Part
	src := p.Decoded
	room := binHexRoom(len(src))
	for _, k := range carrierKinds() {
		for pos := nextLine(src, 0, k.mark); pos >= 0; {
			c, next := k.cut(src, pos, room)
			if c != nil {
				room = max(1, room-len(c.Decoded)) // none at all would hide that it was cut
				c.Start, c.BodyStart, c.End = p.BodyStart, p.BodyStart, p.End
				if !encodes(p.Encoding) {
					first := min(lineEnd(src, pos), next)
					c.Start, c.BodyStart, c.End = p.BodyStart+int64(pos), p.BodyStart+int64(first), p.BodyStart+int64(next)
				}
				out = append(out, c)
			}
			pos = nextLine(src, max(next, pos+1), k.mark)
		}
	}
	return out
}

// carriedFile is a file that stood in a text; nil when there is nothing of it.
func carriedFile(encoding, name string, data []byte) *msg.Part {
	if len(data) == 0 {
		return nil
	}
	return &msg.Part{
		MediaType: octetStream, Encoding: encoding, Disposition: "attachment",
		Filename: cleanName(strings.TrimSpace(name)), Decoded: data,
	}
}

// nextLine finds the next line from pos on that begins with mark. pos is the start of a
// line, or the line that it is in has been read.
func nextLine(src []byte, pos int, mark string) int {
	if pos >= len(src) {
		return -1
	}
	if (pos == 0 || src[pos-1] == '\n') && bytes.HasPrefix(src[pos:], []byte(mark)) {
		return pos
	}
	if i := bytes.Index(src[pos:], []byte("\n"+mark)); i >= 0 {
		return pos + i + 1
	}
	return -1
}

// cutUU decodes the uuencoded file whose "begin" line begins at pos.
func cutUU(src []byte, pos, _ int) (p *msg.Part, next int) {
	end := lineEnd(src, pos)
	m := begins.FindSubmatch(chop(src[pos:end]))
	if m == nil {
		return nil, end
	}
	data, next := decodeUU(src, end)
	p = carriedFile("x-uuencode", string(m[1]), data)
	other := otherUU(src, end)
	if p == nil && len(other.exact) == 0 && !other.ended {
		return nil, next // prose
	}
	for _, data := range [][]byte{other.exact, other.claimed} {
		f := carriedFile("x-uuencode", string(m[1]), data)
		switch {
		case p == nil:
			p = f
		case f != nil && !bytes.Equal(data, p.Decoded):
			p.Others = append(p.Others, f)
		}
	}
	if p != nil && other.cut {
		note(p, LimitDecoded, "")
	}
	return p, next
}

// uuReadings are a file by those who go on behind a bad line up to "end".
type uuReadings struct {
	exact   []byte // who skip lines that have not the length they claim
	claimed []byte // who believe every claim, and take for nought what is missing
	cut     bool   // the claims are more than may be believed
	ended   bool   // there was an "end"
}

func otherUU(src []byte, start int) (r uuReadings) {
	const (
		slack  = 4096 // what may be claimed for a small file beyond its share
		inside = 8    // so many "begin" lines are taken for bad ones: each is looked at again
	)
	begun := 0
	for pos := start; pos < len(src); {
		end := lineEnd(src, pos)
		line := chop(src[pos:end])
		if bytes.HasPrefix(line, []byte("end")) {
			r.ended = true
			return r
		}
		begin := bytes.HasPrefix(line, []byte("begin "))
		if begin {
			if begun++; begun > inside {
				r.cut = r.cut || len(r.exact) > 0
				return r
			}
		}
		if len(line) > 0 && !begin {
			size := int(line[0]-' ') & 63
			r.cut = r.cut || len(r.claimed) > readingsShare*(end-start)+slack
			if !r.cut {
				r.claimed = appendUU(r.claimed, line[1:], size)
			}
			if (size+2)/3 == (end-pos)/4 && !bytes.ContainsFunc(line, unicode.IsLower) {
				r.exact = appendUU(r.exact, line[1:], size)
			}
		}
		pos = end
	}
	return r
}

// decodeUU decodes lines from pos on up to "end" or the first line that is none.
func decodeUU(src []byte, pos int) (data []byte, next int) {
	for pos < len(src) {
		end := lineEnd(src, pos)
		line := chop(src[pos:end])
		if string(bytes.TrimSpace(line)) == "end" {
			return data, end
		}
		size := uuSize(line)
		if size < 0 {
			return data, pos
		}
		data = appendUU(data, line[min(1, len(line)):], size)
		pos = end
	}
	return data, pos
}

// uuSize is how many octets the line holds, or -1 when it is no uuencoded line.
// Writers strip trailing spaces, so a line may be short of up to a third.
func uuSize(line []byte) int {
	if len(line) == 0 {
		return 0
	}
	if line[0] < ' ' || line[0] > '`' {
		return -1
	}
	size := int(line[0]-' ') & 63
	want := (size + 2) / 3 * 4
	if len(line)-1 > want+4 || len(line)-1 < want*2/3 {
		return -1
	}
	return size
}

func appendUU(dst, line []byte, size int) []byte {
	at := func(i int) uint32 {
		if i < len(line) {
			return uint32(line[i]-' ') & 63
		}
		return 0
	}
	for i := 0; size > 0; i += 4 {
		acc := at(i)<<18 | at(i+1)<<12 | at(i+2)<<6 | at(i+3)
		group := []byte{byte(acc >> 16), byte(acc >> 8), byte(acc)}
		dst = append(dst, group[:min(3, size)]...)
		size -= 3
	}
	return dst
}

// decodeWholeUU decodes a body whose transfer encoding is uuencode.
func decodeWholeUU(body []byte) []byte {
	pos := nextLine(body, 0, "begin ")
	if pos < 0 {
		return body
	}
	data, _ := decodeUU(body, lineEnd(body, pos))
	return data
}

package mimetree

import (
	"bytes"
	"regexp"
	"strings"

	"congthu/internal/msg"
)

// begins is the first line of a uuencoded file: "begin 644 name".
var begins = regexp.MustCompile(`^begin [0-7]{3,4} +(\S.*)$`)

// carriers looks for files in the text that no MIME header announces. A text with
// uuencoded files becomes a container: its first child is the text as it stands, the
// files follow.
func (w *walker) carriers(l *level) {
	p := l.part
	if lineStarts(p.Decoded, "=ybegin ") {
		note(p, YEnc, "")
	}
	if lineStarts(p.Decoded, "(This file must be converted with BinHex") {
		note(p, BinHex, "")
	}
	files := findUU(p)
	if len(files) == 0 || !w.mayNest(p, l.depth) {
		return
	}
	note(p, UUEncode, files[0].Filename)
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
		p.Children = append(p.Children, c)
	}
}

// lineStarts tells whether a line of b begins with s.
func lineStarts(b []byte, s string) bool {
	return bytes.HasPrefix(b, []byte(s)) || bytes.Contains(b, []byte("\n"+s))
}

// findUU decodes the uuencoded files of a text. Their offsets count in the message
// when the text is not encoded itself; else they are those of the text.
func findUU(p *msg.Part) []*msg.Part {
	var out []*msg.Part
	src := p.Decoded
	for pos := nextBegin(src, 0); pos >= 0; pos = nextBegin(src, pos) {
		end := lineEnd(src, pos)
		m := begins.FindSubmatch(chop(src[pos:end]))
		if m == nil {
			pos = end
			continue
		}
		data, next := decodeUU(src, end)
		if len(data) > 0 {
			c := &msg.Part{
				MediaType: octetStream, Encoding: "x-uuencode", Disposition: "attachment",
				Filename: cleanName(strings.TrimSpace(string(m[1]))), Decoded: data,
				Start: p.BodyStart, BodyStart: p.BodyStart, End: p.End,
			}
			if !encodes(p.Encoding) {
				c.Start, c.BodyStart, c.End = p.BodyStart+int64(pos), p.BodyStart+int64(end), p.BodyStart+int64(next)
			}
			out = append(out, c)
		}
		pos = next
	}
	return out
}

// nextBegin finds the next line from pos on that begins with "begin ".
func nextBegin(src []byte, pos int) int {
	if bytes.HasPrefix(src[pos:], []byte("begin ")) {
		return pos
	}
	if i := bytes.Index(src[pos:], []byte("\nbegin ")); i >= 0 {
		return pos + i + 1
	}
	return -1
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
	pos := nextBegin(body, 0)
	if pos < 0 {
		return body
	}
	data, _ := decodeUU(body, lineEnd(body, pos))
	return data
}

// Package reported finds, in a letter by which somebody reports another, the letter that is
// meant: as it is attached, or as a mail program has written it out below "Forwarded
// message". What the reporter added is no part of it.
package reported

import (
	"bytes"
	"mime"
	"path"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/radix64"
	"congthu/internal/text"
)

// most is how many letters are taken from one report.
const most = 10

// Originals returns the letters that a report means, as octets: those that are attached, else
// the one that is written out in its text. None: it means no letter.
func Originals(m *msg.Message) [][]byte {
	if out := attached(m.Root, m.Raw); len(out) > 0 {
		return out
	}
	if inner := inline(lines(m.Root)); inner != nil {
		return [][]byte{inner}
	}
	return nil
}

// attached returns the letters that are attached to this one, not those inside them.
// Offsets are into raw as long as no container had to be decoded.
func attached(p *msg.Part, raw []byte) (out [][]byte) {
	if p == nil {
		return nil
	}
	for _, c := range p.Children {
		if len(out) >= most {
			break
		}
		if octets := letter(c, raw); octets != nil {
			out = append(out, octets)
		} else if c.IsMultipart() {
			out = append(out, attached(c, raw)...)
		}
	}
	return out[:min(len(out), most)]
}

// letter returns the octets of a part that is a letter: by its type, or by its name and
// what it begins with.
func letter(p *msg.Part, raw []byte) []byte {
	isFile := strings.EqualFold(path.Ext(p.Filename), ".eml")
	if p.MediaType != "message/rfc822" && p.MediaType != "message/global" && !isFile {
		return nil
	}
	octets := p.Decoded
	if octets == nil && p.BodyStart >= 0 && p.End <= int64(len(raw)) && p.BodyStart < p.End {
		octets = raw[p.BodyStart:p.End]
	}
	root := mimetree.Parse(octets, mimetree.DefaultLimits())
	if len(octets) == 0 || root.Get("From") == "" && root.Get("Subject") == "" {
		return nil
	}
	return bytes.Clone(octets)
}

// lines is the text of a report, line by line: the plain one, else the page as it is shown.
func lines(root *msg.Part) []string {
	var plain, page *msg.Part
	root.Walk(func(p *msg.Part) {
		switch {
		case !p.IsText() || p.Disposition == "attachment":
		case text.IsHTML(p):
			page = first(page, p)
		default:
			plain = first(plain, p)
		}
	})
	for _, p := range []*msg.Part{plain, page} {
		if p == nil {
			continue
		}
		s := p.Text
		if text.IsHTML(p) {
			s = text.Read(&msg.Part{MediaType: "text/html", Text: s}).Body
		}
		if l := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n"); inline(l) != nil || page == nil {
			return l
		}
	}
	return nil
}

func first(had, p *msg.Part) *msg.Part {
	if had != nil {
		return had
	}
	return p
}

// keys are the names that mail programs give the fields of a forwarded letter, without marks.
var keys = map[string]string{
	"from": "from", "tu": "from", "nguoi gui": "from", "de": "from",
	"subject": "subject", "tieu de": "subject", "chu de": "subject", "v/v": "subject",
	"date": "other", "sent": "other", "to": "other", "cc": "other", "reply-to": "other", "importance": "other",
	"ngay": "other", "da gui": "other", "gui luc": "other", "gui": "other", "toi": "other", "den": "other", "nguoi nhan": "other", "dong gui": "other", "luc": "other",
}

// field reads a line as a field of a forwarded letter; "" when it is none.
func field(line string) (key, value string) {
	line = strings.TrimSpace(strings.TrimLeft(line, "> *"))
	name, value, ok := strings.Cut(line, ":")
	if !ok || len(name) > 40 {
		return "", ""
	}
	_, bare := text.Fold(strings.Trim(name, "* "))
	return keys[strings.TrimSpace(bare)], strings.Trim(value, "* \t")
}

// Bounds of what is read of a text.
const (
	maxLines  = 5000
	maxHeader = 12 // lines of the block of fields
)

// inline makes a letter of what is written out below its fields: From, and Subject near it.
func inline(l []string) []byte {
	l = l[:min(len(l), maxLines)]
	for i := range l {
		if key, _ := field(l[i]); key != "from" {
			continue
		}
		if from, subject, body, ok := block(l[i:]); ok {
			return compose(from, subject, body)
		}
	}
	return nil
}

// block reads the fields that begin here, and what stands below them.
func block(l []string) (from, subject string, body []string, ok bool) {
	_, from = field(l[0])
	seen := false
	n := 1
	for n < len(l) && n < maxHeader {
		key, value := field(l[n])
		if key == "" {
			if strings.TrimSpace(strings.Trim(l[n], ">* ")) == "" {
				break
			}
			if !strings.HasPrefix(l[n], " ") && !strings.HasPrefix(l[n], "\t") { // not the rest of a long field
				break
			}
		}
		if key == "subject" {
			subject, seen = value, true
		}
		n++
	}
	for _, line := range l[n:] {
		body = append(body, strings.TrimPrefix(strings.TrimPrefix(line, ">"), " "))
	}
	return from, subject, body, seen && from != ""
}

// compose writes a letter of what is known of it.
func compose(from, subject string, body []string) []byte {
	var b bytes.Buffer
	b.WriteString("From: " + word(from) + "\r\nSubject: " + word(subject) + "\r\n")
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	text := strings.TrimSpace(strings.Join(body, "\r\n")) + "\r\n"
	return radix64.AppendLines(b.Bytes(), []byte(text), radix64.MIME, "\r\n")
}

// word writes a value of a stranger so that it stays one field.
func word(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "\uFFFD")
	if w := mime.BEncoding.Encode("utf-8", s); w != s {
		return strings.ReplaceAll(w, "?= =?", "?=\r\n =?")
	}
	return s
}

package pgp

import (
	"bytes"
	"mime"
	"slices"
	"strings"

	"congthu/internal/mimetree"
)

// split divides a message, given in pieces, into its header with the line end of its last
// field, and its body. The body is not copied.
func split(content [][]byte) (head []byte, body [][]byte) {
	for i, part := range content {
		if len(head) == 0 && bytes.HasPrefix(part, []byte("\r\n")) {
			return nil, append([][]byte{part[2:]}, content[i+1:]...)
		}
		if end := headerEnd(head, part); end >= 0 {
			head = append(head, part[:end]...)
			return head[:len(head)-2], append([][]byte{part[end:]}, content[i+1:]...)
		}
		head = append(head, part...)
	}
	return head, nil
}

// headerEnd returns how many octets of the next piece belong to the header with its empty
// line, which may lie across the seam; -1: all of them, and more comes.
func headerEnd(head, part []byte) int {
	empty := []byte("\r\n\r\n")
	tail := head[max(0, len(head)-3):]
	seam := append(slices.Clone(tail), part[:min(3, len(part))]...)
	if j := bytes.Index(seam, empty); j >= 0 {
		return j + 4 - len(tail)
	}
	if j := bytes.Index(part, empty); j >= 0 {
		return j + 4
	}
	return -1
}

// fieldEnd returns the length of the first field with its folded lines.
func fieldEnd(head []byte) int {
	for n := 0; ; {
		i := bytes.IndexByte(head[n:], '\n')
		if i < 0 {
			return len(head)
		}
		n += i + 1
		if n >= len(head) || (head[n] != ' ' && head[n] != '\t') {
			return n
		}
	}
}

// fields returns the fields of a header, whole; lines that are none are among them.
func fields(head []byte) (out [][]byte) {
	for len(head) > 0 {
		n := fieldEnd(head)
		out = append(out, head[:n])
		head = head[n:]
	}
	return out
}

// nameOf returns the lower-case name of a field; "" when it is none.
func nameOf(field []byte) string {
	before, _, ok := bytes.Cut(field, []byte(":"))
	if !ok {
		return ""
	}
	return strings.ToLower(strings.TrimRight(string(before), " \t"))
}

// authored are the fields that are copied under protection: what the sender wrote and a
// mail program shows or answers by. What servers have written on the way is none of it,
// and Bcc must not be seen by others.
func authored() []string {
	return []string{"from", "sender", "reply-to", "to", "cc", "date", "subject", "message-id", "in-reply-to", "references", "comments", "keywords", "thread-topic"}
}

// hidden are the fields that lose their text outside where the subject is hidden: the
// baseline confidentiality policy of RFC 9788 section 3.2.1, and the field in which Outlook
// and Exchange say the subject once more.
func hidden() []string { return []string{"subject", "comments", "keywords", "thread-topic"} }

// protection is how a header is divided.
type protection struct {
	hp   string // "cipher" or "clear"
	hide bool
	tags []string
	drop []string
}

// header is a divided one. inner ends with the empty line.
type header struct{ outer, inner []byte }

// protect divides a header into the fields that stay outside and those of the protected
// entity (RFC 9788 section 2): copies of the authored ones, an HP-Outer for each of them as
// it is seen outside, and the Content-* fields. Lines that are no fields stay outside,
// where they were.
func protect(head []byte, p protection) header {
	var h header
	var content, seen [][]byte
	for _, f := range fields(head) {
		name := nameOf(f)
		switch {
		case strings.HasPrefix(name, "content-"):
			content = append(content, f)
		case p.hp == "cipher" && (name == "bcc" || name == "resent-bcc"): // who else got it is nobody's business (RFC 5322 section 3.6.3)
		case name == "mime-version" || name == "hp-outer" || slices.ContainsFunc(p.drop, func(d string) bool { return strings.EqualFold(d, name) }):
		case !slices.Contains(authored(), name):
			h.outer = append(h.outer, ended(f)...)
		default:
			f = ended(f)
			if name == "subject" {
				f = untag(f, p.tags)
			}
			h.inner = append(h.inner, f...)
			if f = p.outside(name, f); f != nil {
				seen = append(seen, f)
				h.outer = append(h.outer, f...)
			}
		}
	}
	for _, f := range seen {
		h.inner = append(append(h.inner, "HP-Outer: "...), f...)
	}
	h.inner = append(h.inner, marked(content, p.hp)...)
	h.inner = append(h.inner, "\r\n"...)
	return h
}

// outside is a protected field as strangers see it; nil: not at all.
func (p protection) outside(name string, f []byte) []byte {
	switch {
	case !p.hide || !slices.Contains(hidden(), name):
		return f
	case name == "subject":
		return []byte("Subject: [...]\r\n")
	}
	return nil
}

func ended(f []byte) []byte {
	if bytes.HasSuffix(f, []byte("\n")) {
		return f
	}
	return append(slices.Clone(f), "\r\n"...)
}

// marked gives the Content-Type its parameter hp, by which a mail program knows that the
// fields beside it are the sender's. A header that may be read in two ways gets none.
func marked(content [][]byte, hp string) []byte {
	var out []byte
	kinds := 0
	for _, f := range content {
		if nameOf(f) == "content-type" {
			kinds++
		}
	}
	if kinds == 0 {
		out = append(out, "Content-Type: text/plain; charset=us-ascii; hp=\""+hp+"\"\r\n"...)
	}
	for _, f := range content {
		if nameOf(f) == "content-type" && kinds == 1 && plain(f) {
			f = slices.Concat(bytes.TrimRight(f, " \t\r\n;"), []byte(";\r\n hp=\""+hp+"\"\r\n")) // not in place: the letter's octets are others' too
		}
		out = append(out, ended(f)...)
	}
	return out
}

// plain tells whether one more parameter can be put at the end of a Content-Type: it has
// no comment, no open quote, and no hp already.
func plain(f []byte) bool {
	_, value, _ := bytes.Cut(f, []byte(":"))
	quotes := bytes.Count(value, []byte(`"`))
	return len(bytes.TrimSpace(value)) > 0 && quotes%2 == 0 && !bytes.ContainsAny(value, "()\\") && !bytes.Contains(bytes.ToLower(value), []byte("hp="))
}

// untag takes the words that asked for encryption out of the subject, where the letter is
// made anew anyway.
func untag(field []byte, tags []string) []byte {
	parsed, _, _ := mimetree.ParseHeader(field)
	if len(parsed) != 1 {
		return field
	}
	text := mimetree.DecodeWords(parsed[0].Value)
	rest, ok := CutTag(text, tags)
	if !ok || len(rest) > 800 { // it would need folding, and the tag does no harm
		return field
	}
	return []byte("Subject: " + words(rest) + "\r\n")
}

// words writes text as encoded words where it must be, one a line (RFC 2047 section 2).
func words(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// CutTag takes the first tag found out of a subject.
func CutTag(subject string, tags []string) (rest string, found bool) {
	for _, tag := range tags {
		if i := indexFold(subject, tag); i >= 0 && tag != "" {
			before, after := strings.TrimRight(subject[:i], " "), strings.TrimLeft(subject[i+len(tag):], " ")
			return strings.TrimSpace(before + " " + after), true
		}
	}
	return subject, false
}

// indexFold finds an ASCII word whatever its case.
func indexFold(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

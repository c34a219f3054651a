package mimetree

import "strings"

// DecodeWords decodes the encoded words of an unstructured value or a phrase (RFC
// 2047), tolerantly: inside quotes, next to other text, over 75 characters, with a
// letter divided between two words. A word in an unknown charset stays as it is.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var d wordDecoder
	last := strings.LastIndex(s, "?=") // no word can end after it
	done := 0
	for pos := 0; pos < last; {
		i := strings.Index(s[pos:last], "=?")
		if i < 0 {
			break
		}
		pos += i
		w, size := cutWord(s[pos:])
		if size == 0 {
			pos += 2
			continue
		}
		d.text(s[done:pos])
		d.word(w)
		pos += size
		done = pos
	}
	d.flush()
	d.text(s[done:])
	return d.out.String()
}

// word is one encoded word, "=?charset?encoding?text?=".
type word struct {
	charset string
	octets  []byte
	raw     string
}

// maxCharset bounds the search for the first question mark.
const maxCharset = 64

// cutWord reads the encoded word at the start of s, which begins with "=?". Size 0
// means that there is none.
func cutWord(s string) (w word, size int) {
	mark := strings.IndexByte(s[2:min(len(s), 2+maxCharset)], '?')
	if mark <= 0 || len(s) < 2+mark+3 || s[2+mark+2] != '?' {
		return w, 0
	}
	body := s[2+mark+3:]
	end := strings.Index(body, "?=")
	if end < 0 {
		return w, 0
	}
	var n notes
	switch s[2+mark+1] {
	case 'B', 'b':
		w.octets = slowBase64(nil, []byte(body[:end]), &n)
	case 'Q', 'q':
		w.octets = appendQP(nil, []byte(strings.ReplaceAll(body[:end], "_", " ")), &n)
	default:
		return w, 0
	}
	charset, _, _ := strings.Cut(s[2:2+mark], "*") // the language of RFC 2231 section 5
	w.charset = strings.ToLower(charset)
	size = 2 + mark + 3 + end + 2
	w.raw = s[:size]
	return w, size
}

// wordDecoder joins words of one charset before decoding, since some writers divide
// a letter between two words; white space between words is no text.
type wordDecoder struct {
	out     strings.Builder
	pending []word
}

func (d *wordDecoder) text(s string) {
	if len(d.pending) > 0 && strings.Trim(s, " \t\r\n") == "" {
		return
	}
	d.flush()
	d.out.WriteString(s)
}

func (d *wordDecoder) word(w word) {
	if n := len(d.pending); n > 0 && d.pending[n-1].charset != w.charset {
		d.flush()
	}
	d.pending = append(d.pending, w)
}

func (d *wordDecoder) flush() {
	if len(d.pending) == 0 {
		return
	}
	charset := d.pending[0].charset
	var octets []byte
	for _, w := range d.pending {
		octets = append(octets, w.octets...)
	}
	if !isKnown(charset) {
		for _, w := range d.pending {
			d.out.WriteString(w.raw)
		}
	} else {
		text, _ := toUTF8(charset, octets)
		d.out.WriteString(strings.ToValidUTF8(text, "\ufffd"))
	}
	d.pending = d.pending[:0]
}

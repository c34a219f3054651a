package sig

import (
	"errors"
	"strings"
)

// Tags is a tag=value list (RFC 6376 section 3.2).
type Tags struct {
	Gaps bool // it holds an empty element before its end, which the grammar does not allow

	text string
	list []tag
}

// maxTags is far more than any list has; without it a long one costs its square.
const maxTags = 100

type tag struct {
	name, value string
	start, end  int // of the value in the text, with the white space around it
}

// ParseTags reads a list. One that names a tag twice, or holds something else than
// tags, is none; what was read until then is returned for the report.
func ParseTags(text string) (Tags, error) {
	t := Tags{text: text}
	for pos := 0; pos <= len(text); {
		end := strings.IndexByte(text[pos:], ';')
		if end < 0 {
			end = len(text)
		} else {
			end += pos
		}
		if err := t.add(pos, end); err != nil {
			return t, err
		}
		pos = end + 1
	}
	return t, nil
}

func (t *Tags) add(pos, end int) error {
	name, value, ok := strings.Cut(t.text[pos:end], "=")
	name = trim(name)
	switch {
	case !ok && name == "":
		t.Gaps = t.Gaps || end < len(t.text)
		return nil
	case !ok || !isName(name):
		return errors.New("something is not tag=value")
	case len(t.list) == maxTags:
		return errors.New("too many tags")
	case t.Has(name):
		return errors.New("tag " + name + " is given twice")
	}
	t.list = append(t.list, tag{name, trim(value), end - len(value), end})
	return nil
}

// isName follows the ABNF rule tag-name.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		letter := 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || s[i] != '_' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return s != ""
}

// Has tells whether the list has the tag. Names are case-sensitive.
func (t Tags) Has(name string) bool {
	_, ok := t.find(name)
	return ok
}

// Get returns a value without surrounding space, or "".
func (t Tags) Get(name string) string {
	found, _ := t.find(name)
	return found.value
}

// Word returns a value without any white space: those of names, numbers and base64 may
// be folded anywhere.
func (t Tags) Word(name string) string { return Squeeze(t.Get(name)) }

// List returns the elements of a colon-separated value.
func (t Tags) List(name string) []string { return strings.Split(t.Word(name), ":") }

// Without is the text with the value of a tag taken out, white space around it
// included (RFC 6376 section 3.5, tag b).
func (t Tags) Without(name string) string {
	found, ok := t.find(name)
	if !ok {
		return t.text
	}
	return t.text[:found.start] + t.text[found.end:]
}

func (t Tags) find(name string) (tag, bool) {
	for _, g := range t.list {
		if g.name == name {
			return g, true
		}
	}
	return tag{}, false
}

const space = " \t\r\n"

func trim(s string) string { return strings.Trim(s, space) }

// Squeeze takes all white space out.
func Squeeze(s string) string {
	if !strings.ContainsAny(s, space) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(space, r) {
			return -1
		}
		return r
	}, s)
}

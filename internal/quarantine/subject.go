package quarantine

import (
	"bytes"
	"io"
	"mime"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/unicode/norm"

	"congthu/internal/lang"
)

// Bounds for what is shown of a subject: a header block that is searched no
// further, and the text that is kept.
const (
	headerMax  = 64 << 10
	subjectMax = 300
)

// subject returns the first Subject of a message for people to read: unfolded,
// decoded, safe for a terminal. It looks at the octets and not at the parsed
// tree, because messages that could not be parsed are held as well.
func subject(raw []byte) string {
	value := field(raw[:min(len(raw), headerMax)], "subject:")
	d := mime.WordDecoder{CharsetReader: charsetReader}
	text, err := d.DecodeHeader(value)
	if err != nil {
		text = value // better the encoded words than nothing
	}
	text = norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD"))
	return lang.Safe(strings.Join(strings.Fields(text), " "), subjectMax)
}

// field returns the unfolded value of the first field of that name.
func field(header []byte, name string) string {
	var value []byte
	found := false
	for line := range bytes.Lines(header) {
		text := bytes.TrimRight(line, "\r\n")
		switch {
		case len(text) == 0:
			return string(value)
		case found && (text[0] == ' ' || text[0] == '\t'):
			value = append(value, text...)
		case found:
			return string(value)
		case len(text) >= len(name) && strings.EqualFold(string(text[:len(name)]), name):
			found, value = true, append(value, text[len(name):]...)
		}
	}
	return string(value)
}

func charsetReader(charset string, input io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(input), nil
}

// searchText is what a search looks through: every text that an operator may
// remember of a message, once as it is and once without marks, so that
// "hoa don" finds "Hóa đơn". The recipients are not in it: a search must tell nobody for
// whom else a message is held.
func searchText(i *Item) string {
	all := strings.Join([]string{i.ID, i.From, i.Subject, i.Reason}, "\n")
	exact := fold(all)
	if plain := unmark(exact); plain != exact {
		return exact + "\n" + plain
	}
	return exact
}

// fold makes texts comparable: one form of each letter, lower case.
func fold(s string) string { return strings.ToLower(norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))) }

// unmark removes the marks of Vietnamese letters: ắ becomes a, đ becomes d.
func unmark(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

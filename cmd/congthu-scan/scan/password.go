package scan

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"

	"congthu/internal/mimetree"
	"congthu/internal/scanproto"
)

// mostPasswords bounds the words tried on an archive, mostText the octets of a text
// that are looked at for them.
const (
	mostPasswords = 50
	mostText      = 64 << 10
)

// passwords are the words of the letter that may open an archive in it, the likeliest
// first, then what everybody tries. They are collected when an archive asks for them.
func passwords(objects []scanproto.Object) func() []string {
	var all []string
	return func() []string {
		if all == nil {
			var texts, names []string
			for _, o := range objects {
				texts = append(texts, lettertext(o)...)
				for _, n := range o.Names {
					names = append(names, fromName(n)...)
				}
			}
			all = candidates(texts, names)
		}
		return all
	}
}

// lettertext is what a reader reads in an object: the subject, a text.
func lettertext(o scanproto.Object) []string {
	data := o.Data[:min(len(o.Data), mostText)]
	switch {
	case o.Message:
		fields, _, _ := mimetree.ParseHeader(data)
		for _, f := range fields {
			if strings.EqualFold(f.Name, "Subject") {
				return []string{mimetree.DecodeWords(f.Value)}
			}
		}
	case o.MediaType == "text/html":
		return []string{visible(data)}
	case strings.HasPrefix(o.MediaType, "text/") && len(o.Names) == 0:
		return []string{string(data)}
	}
	return nil
}

// visible is the text of a page.
func visible(page []byte) string {
	var b strings.Builder
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		default:
			b.WriteByte(' ')
		}
	}
}

// candidates collects the words behind "password:" in Vietnamese and English, then
// quoted ones, then those in file names, then the common list.
func candidates(texts, names []string) []string {
	var likely, quoted []string
	for _, t := range texts {
		t = norm.NFC.String(strings.ToValidUTF8(t, " "))
		likely = append(likely, named(t)...)
		quoted = append(quoted, inQuotes(t)...)
	}
	common := []string{"infected", "123456", "1234", "12345", "123", "password", "virus", "malware", "abc123", "12345678", "0000", "1111", "2026", "admin"}
	all := distinct(slices.Concat(likely, quoted, names))
	all = all[:min(len(all), mostPasswords-len(common))] // the common ones always have their turn
	return distinct(append(all, common...))
}

func distinct(words []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		again := seen[w] || w == ""
		seen[w] = true
		return again
	})
}

// named finds the words that a text calls a password: the three behind such a word,
// whatever fills the gap ("là", ":", "is").
func named(text string) []string {
	var out []string
	words := strings.Fields(text)
	for i := range words {
		size, rest := keyword(words[i:])
		if size == 0 {
			continue
		}
		if rest != "" { // "password:abc"
			out = append(out, trimmed(rest)...)
		}
		taken := 0
		for _, next := range words[min(len(words), i+size):] {
			if taken == 3 {
				break
			}
			if filler(next) {
				continue
			}
			out = append(out, trimmed(next)...)
			taken++
		}
	}
	return out
}

// keyword tells whether the words begin with one that means password, how many words
// that takes, and what is glued to it behind a colon or an equals sign.
func keyword(words []string) (size int, rest string) {
	head, rest := words[0], ""
	if at := strings.IndexAny(head, ":="); at > 0 {
		head, rest = head[:at], head[at+1:]
	}
	one := fold(head)
	switch one {
	case "password", "pass", "passwd", "pwd", "mk", "matkhau", "passcode", "pw", "pin", "mat-khau":
		return 1, rest
	case "mat", "ma":
		if len(words) < 2 {
			return 0, ""
		}
		second, rest := words[1], ""
		if at := strings.IndexAny(second, ":="); at > 0 {
			second, rest = second[:at], second[at+1:]
		}
		if w := fold(second); w == "khau" && one == "mat" || w == "pin" || w == "mo" {
			return 2, rest
		}
	}
	return 0, ""
}

// filler is a word between the name of the password and the password.
func filler(w string) bool {
	switch strings.Trim(fold(w), ":=-–>") {
	case "", "la", "is", "file", "tep", "de", "mo", "giai", "nen", "cua", "for", "to", "the", "open", "archive", "unzip", "zip", "rar", "nhu", "sau", "dinh", "kem", "attachment", "tap", "tin", "code":
		return true
	}
	return false
}

// fold is a word without case, diacritics and punctuation around it.
func fold(w string) string {
	w = strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(w)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case !unicode.Is(unicode.Mn, r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// trimmed is a word as it stands, and without the punctuation around it.
func trimmed(w string) []string {
	const longest = 64
	if len(w) > longest {
		return nil
	}
	bare := strings.TrimRight(strings.Trim(w, "\"'`“”‘’«»()[]<>:"), ".,;")
	out := []string{bare, strings.TrimLeft(w, ":=")}
	if end := strings.TrimRight(bare, "!?"); end != bare {
		out = append(out, end)
	}
	return out
}

// inQuotes finds short quoted strings on one line.
func inQuotes(text string) []string {
	var out []string
	for _, pair := range []string{`""`, "''", "“”", "‘’", "«»", "``", "[]"} {
		marks := []rune(pair)
		rest := text
		for len(out) < mostPasswords {
			_, after, ok := strings.Cut(rest, string(marks[0]))
			if !ok {
				break
			}
			inner, behind, ok := strings.Cut(after, string(marks[1]))
			if !ok {
				break
			}
			if len(inner) <= 64 && !strings.Contains(inner, "\n") {
				out = append(out, strings.TrimSpace(inner))
				rest = behind
			} else {
				rest = after
			}
		}
	}
	return out
}

// fromName finds what a file name gives away: "hoso_mk1234.zip".
func fromName(name string) []string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	return append(strings.FieldsFunc(stem, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }), stem)
}

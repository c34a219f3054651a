package header

import (
	"regexp"
	"strings"
	"unicode"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// subject looks at the tricks of subjects, in the subject as its reader sees it: in the
// old charsets soft hyphens are letters, and marks look like those of another alphabet.
func (r *report) subject(t *msg.Text) {
	s := strings.TrimSpace(mimetree.DecodeWords(r.root.Get("Subject")))
	if t != nil {
		s = strings.TrimSpace(t.Subject)
	}
	if s == "" {
		r.add(SubjectEmpty, "")
		return
	}
	if answer.MatchString(s) && r.root.Get("References") == "" && r.root.Get("In-Reply-To") == "" && r.root.Get("Thread-Index") == "" && r.root.Get("Thread-Topic") == "" {
		r.add(SubjectFakeReply, s)
	}
	if strings.ContainsFunc(s, unseen) {
		r.add(SubjectTrick, s)
	} else if w := mixedWord(s); w != "" {
		r.add(SubjectTrick, w)
	}
	if shouts(s) {
		r.add(SubjectShouts, s)
	}
	if padded(s) {
		r.add(SubjectPadded, s)
	}
}

// answer is the beginning of a subject that claims to answer or to pass on, in English
// and as Vietnamese programs write it.
var answer = regexp.MustCompile(`(?i)^(re|fw|fwd|tr[aả] l[oờ]i|chuy[eể]n ti[eế]p)\s*(\[\d+\])?\s*:`)

// unseen tells whether a character takes no room, or turns the direction of reading. The
// joiner of emoji is none; a mark of order at the very beginning comes from bad programs
// and was cut off.
func unseen(c rune) bool {
	switch {
	case c == 0xAD, c == 0x180E, c >= 0x200B && c <= 0x200C, c >= 0x200E && c <= 0x200F, c >= 0x202A && c <= 0x202E, c >= 0x2060 && c <= 0x2069, c >= 0xE0000 && c <= 0xE007F:
		return true
	}
	return false
}

// mixedWord returns a word that has Latin letters beside those of another alphabet that
// look Latin, or "".
func mixedWord(s string) string {
	ascii := true
	for n := range len(s) {
		ascii = ascii && s[n] < 0x80
	}
	if ascii {
		return ""
	}
	for _, w := range strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) }) {
		if lookalike.MixesScripts(w) {
			return w
		}
	}
	return ""
}

// shouts tells whether a subject is in capitals and presses: an agency writes titles in
// capitals, but not with exclamation marks.
func shouts(s string) bool {
	small, great := 0, 0
	for _, c := range s {
		switch {
		case unicode.IsLower(c):
			small++
		case unicode.IsUpper(c):
			great++
		}
	}
	return great >= 10 && small <= great/10 && strings.Contains(s, "!") || strings.Contains(s, "!!!")
}

// padded tells whether a subject ends in a code after a long gap, put there to make each
// copy different.
func padded(s string) bool {
	n := strings.LastIndex(s, "     ")
	return n > 0 && len(strings.Fields(s[n:])) == 1
}

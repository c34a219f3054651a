// Package lang holds the two languages the gateway speaks: Vietnamese first,
// then English. Texts live beside the code that says them, as a pair; this
// package only chooses and fills.
package lang

import (
	"fmt"
	"strings"
)

// Lang is one of the two languages.
type Lang string

// The languages.
const (
	VI Lang = "vi"
	EN Lang = "en"
)

// Text is one sentence in both languages.
type Text struct {
	VI string `toml:"vi" json:"vi"`
	EN string `toml:"en" json:"en"`
}

// In returns the sentence in that language, or the other one when it is empty.
func (t Text) In(l Lang) string {
	if (l == EN && t.EN != "") || t.VI == "" {
		return t.EN
	}
	return t.VI
}

// F fills the sentence's verbs, as fmt.Sprintf does.
func (t Text) F(l Lang, args ...any) string { return fmt.Sprintf(t.In(l), args...) }

// T makes a Text.
func T(vi, en string) Text { return Text{VI: vi, EN: en} }

// Choose returns the language of a user: the --lang flag if given, else what the
// environment says by LC_ALL, LC_MESSAGES, LANG in that order. Anything that is
// not English is answered in Vietnamese; "C" and "POSIX" say nothing.
func Choose(flag string, getenv func(string) string) Lang {
	for _, v := range []string{flag, getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")} {
		switch v = strings.ToLower(v); {
		case v == "", v == "c", v == "posix", strings.HasPrefix(v, "c."):
			continue
		case strings.HasPrefix(v, "en"):
			return EN
		default:
			return VI
		}
	}
	return VI
}

// Plus appends the same words to both sentences.
func (t Text) Plus(s string) Text { return Text{VI: t.VI + s, EN: t.EN + s} }

// Also appends another sentence, each in its own language.
func (t Text) Also(u Text) Text { return Text{VI: t.VI + u.VI, EN: t.EN + u.EN} }

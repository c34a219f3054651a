// Package content applies the administrator's rules (rules/content/*.toml) to what a
// reader of the message would see: the subject, the visible text, the names. Words
// are found whole and in any spelling a reader takes for the same word (see text.Fold),
// and, where a rule says fold, without Vietnamese marks.
//
// All words of all rules are found in one pass over the text, and a regular expression
// runs only where letters that it needs were seen; a rule of which nothing was seen is not
// tried at all, so thousands of rules cost what a few do.
package content

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/text"
)

// The symbols that the code itself reports, besides those of the rules.
const (
	HiddenText  = "HTML_HIDDEN_TEXT"    // text that the reader is not shown
	ImageOnly   = "HTML_IMAGE_ONLY"     // a picture with next to no text
	ZeroWidth   = "TEXT_ZERO_WIDTH"     // invisible characters inside words
	MixedScript = "TEXT_MIXED_SCRIPT"   // letters of two scripts in one word
	DigitText   = "TEXT_DIGIT_LETTERS"  // digits in the place of letters, in many words
	TurnedText  = "TEXT_BIDI_OVERRIDE"  // characters that show the text in another order than it is written
	OldCharset  = "TEXT_LEGACY_CHARSET" // an old Vietnamese charset under another name, or none: information
	TextLimit   = "CONTENT_TEXT_LIMIT"  // more text than was looked at
)

// Symbols lists the symbols of the code; a Set's Rules have theirs.
func Symbols() []string {
	return []string{HiddenText, ImageOnly, ZeroWidth, MixedScript, DigitText, TurnedText, OldCharset, TextLimit}
}

const (
	hiddenLetters = 60  // a preview line of a newsletter is shorter
	imageLetters  = 40  // less visible text than this beside a picture
	zeroWidths    = 3   // a stray joiner is no evasion
	mixedWords    = 2   // one odd word may be a name
	digitWords    = 4   // some codes look like words
	maxEvidence   = 160 // runes
)

type inspector struct{ current func() *Set }

// New returns the inspector "content". current gives the set in use; it is asked once
// a message.
func New(current func() *Set) msg.Inspector { return inspector{current} }

// Name returns "content".
func (inspector) Name() string { return "content" }

// Inspect applies the rules in use.
func (in inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	set := in.current()
	if set == nil || m.Root == nil || m.Text == nil {
		return nil, nil, errors.New("no rules are loaded or the message was not read")
	}
	v := look(m)
	found, err := set.apply(ctx, v)
	return append(v.oddities(), found...), nil, err
}

// oddities reports what the text itself shows, without any rule.
func (v *views) oddities() []msg.Finding {
	var out []msg.Finding
	add := func(yes bool, symbol, evidence string) {
		if yes {
			out = append(out, msg.Finding{Symbol: symbol, Evidence: lang.Safe(evidence, maxEvidence)})
		}
	}
	add(letters(v.Hidden, hiddenLetters) >= hiddenLetters, HiddenText, strings.Join(strings.Fields(v.Hidden[:min(len(v.Hidden), 4*maxEvidence)]), " "))
	add(v.Images > 0 && letters(v.Body, imageLetters) < imageLetters, ImageOnly, strconv.Itoa(v.Images))
	add(v.Unseen >= zeroWidths, ZeroWidth, strconv.Itoa(v.Unseen))
	add(len(v.Mixed) >= mixedWords, MixedScript, strings.Join(v.Mixed[:min(len(v.Mixed), mixedWords)], " "))
	add(len(v.Swapped) >= digitWords, DigitText, strings.Join(v.Swapped, " "))
	add(v.Turned > 0, TurnedText, strconv.Itoa(v.Turned))
	add(v.Charset != "", OldCharset, v.Charset)
	add(v.cut, TextLimit, strconv.Itoa(text.Limit))
	return out
}

// letters counts letters, as far as enough.
func letters(s string, enough int) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			if n++; n >= enough {
				return n
			}
		}
	}
	return n
}

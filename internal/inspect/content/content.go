// Package content applies the administrator's rules (rules/content/*.toml) to what a
// reader of the message would see: the subject, the visible text, the names. Words
// are found whole and in any spelling a reader takes for the same word: composed or
// not, in full-width letters, with invisible characters inside, and, where a rule
// says fold, without Vietnamese marks.
//
// All words of all rules are found in one pass over the text (Aho-Corasick), and a
// regular expression runs only where a literal that it needs was seen.
package content

import (
	"context"
	"errors"
	"strconv"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// The symbols that the code itself reports, besides those of the rules.
const (
	HiddenText  = "HTML_HIDDEN_TEXT"   // text that the reader is not shown
	ImageOnly   = "HTML_IMAGE_ONLY"    // a picture with next to no text
	ZeroWidth   = "TEXT_ZERO_WIDTH"    // invisible characters inside words
	MixedScript = "TEXT_MIXED_SCRIPT"  // letters of two scripts in one word
	TextLimit   = "CONTENT_TEXT_LIMIT" // more text than was looked at
)

// Symbols lists the symbols of the code; a Set's Rules have theirs.
func Symbols() []string {
	return []string{HiddenText, ImageOnly, ZeroWidth, MixedScript, TextLimit}
}

const (
	hiddenLetters = 60  // a preview line of a newsletter is shorter
	imageLetters  = 40  // less visible text than this beside a picture
	zeroWidths    = 3   // a stray joiner is no evasion
	mixedWords    = 2   // one odd word may be a name
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
	if set == nil || m.Root == nil {
		return nil, nil, errors.New("no rules are loaded or the message was not parsed")
	}
	t, err := gather(ctx, m, set.folder)
	if err != nil {
		return nil, nil, err
	}
	out := t.oddities()
	found, err := set.apply(ctx, t)
	return append(out, found...), nil, err
}

// oddities reports what the text itself shows, without any rule.
func (t *texts) oddities() []msg.Finding {
	var out []msg.Finding
	add := func(yes bool, symbol, evidence string) {
		if yes {
			out = append(out, msg.Finding{Symbol: symbol, Evidence: lang.Safe(evidence, maxEvidence)})
		}
	}
	hidden := t.views["hidden"].clean
	add(letters(hidden) >= hiddenLetters, HiddenText, hidden)
	add(t.images > 0 && letters(t.views["body"].clean) < imageLetters, ImageOnly, strconv.Itoa(t.images))
	add(t.zeroWidth >= zeroWidths, ZeroWidth, strconv.Itoa(t.zeroWidth))
	mixed := mixedScript(t.views["body"].raw + "\n" + t.views["subject"].raw + "\n" + t.views["from"].raw)
	if len(mixed) >= mixedWords {
		add(true, MixedScript, mixed[0]+" "+mixed[1])
	}
	add(t.cut, TextLimit, strconv.Itoa(maxText))
	return out
}

// Package adlaw looks whether advertising keeps the law that it is under: the label that
// comes first in the subject, the way to refuse more, who advertises, and how much of it
// one mailbox gets in a day.
//
// What the law asks for (labels, numbers, words, its name) is data, rules/lists/ad-law.toml:
// it changed three times in ten years. Nothing here says that mail is spam; a letter that
// keeps the law gets facts that an agency may act upon.
package adlaw

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"congthu/internal/lang"
	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/needles"
)

// The symbols.
const (
	Label     = "SUBJECT_AD_LABEL"
	Misplaced = "AD_LABEL_MISPLACED"
	NoOptOut  = "AD_NO_OPT_OUT"
	NoSender  = "AD_NO_SENDER_DATA"
	OptOut    = "AD_OPT_OUT"
	TooMany   = "AD_TOO_MANY"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{Label, Misplaced, NoOptOut, NoSender, OptOut, TooMany} }

type inspector struct {
	law   Law
	words *needles.Set // of advertising, letters made plain
	out   []string     // of the way out, likewise
	place *needles.Set // of an address, likewise
	count *Counter
}

// New returns the inspector "adlaw" under a law. The counter outlives a change of the law;
// nil: mails a day are not counted.
func New(l Law, c *Counter) msg.Inspector {
	return &inspector{law: l, words: needles.Of(plain(l.Words)), out: plain(l.OptOut), place: needles.Of(plain(l.Address)), count: c}
}

// plain makes the letters of words plain; two that then are one count as one.
func plain(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = lookalike.Fold(w)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Name implements msg.Inspector.
func (*inspector) Name() string { return "adlaw" }

// Inspect implements msg.Inspector.
func (i *inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if m.Root == nil {
		return nil, nil, errors.New("the message was not parsed")
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	subject := mimetree.DecodeWords(m.Root.Get("Subject"))
	var found []msg.Finding
	add := func(symbol, evidence string) {
		found = append(found, msg.Finding{Symbol: symbol, Evidence: lang.Safe(evidence, 200)})
	}
	label, place := i.law.label(subject)
	switch place {
	case first:
		add(Label, label)
	case elsewhere:
		add(Misplaced, subject)
	}
	text := textOf(m)
	if place == nowhere && !i.advertises(text) {
		return found, nil, nil
	}
	i.wayOut(m, text, add)
	if place != nowhere {
		i.daily(m, add)
	}
	return found, nil, nil
}

// advertises tells whether enough of the words of advertising stand in the text.
func (i *inspector) advertises(text string) bool {
	seen := make([]bool, i.words.Len())
	different := 0
	i.words.Find(text, func(n int32) bool {
		if !seen[n] {
			seen[n] = true
			different++
		}
		return different >= i.law.LikelyFrom
	})
	return different > 0 && different >= i.law.LikelyFrom
}

const (
	tail   = 3000 // octets at the end in which the way out is looked for
	before = 1500 // octets before the way out in which the sender says who it is
)

// wayOut looks for the way to refuse more, and just before it for who advertises.
func (i *inspector) wayOut(m *msg.Message, text string, add func(symbol, evidence string)) {
	end := text[max(0, len(text)-tail):]
	at := -1
	for _, w := range i.out {
		if n := strings.LastIndex(end, w); n >= 0 {
			at = max(at, n)
		}
	}
	switch field := m.Root.Get("List-Unsubscribe"); {
	case at >= 0:
		add(OptOut, "")
	case field != "":
		add(OptOut, "List-Unsubscribe")
		at = len(end)
	default:
		add(NoOptOut, "")
		at = len(end)
	}
	whole := text[:len(text)-len(end)+at]
	if missing := i.missing(whole[max(0, len(whole)-before):]); missing != "" {
		add(NoSender, missing)
	}
}

var (
	phone   = regexp.MustCompile(`(?:\+84|\b0|\b1[89]00)[ .-]?(?:\(0?\d{1,3}\)[ .-]?)?\d(?:[ .-]?\d){5,9}\b`)
	mailbox = regexp.MustCompile(`[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+`)
)

// missing says which of telephone, e-mail and address the advertiser does not give.
func (i *inspector) missing(text string) string {
	var out []string
	if !phone.MatchString(text) {
		out = append(out, "phone")
	}
	if !mailbox.MatchString(text) {
		out = append(out, "email")
	}
	if !i.place.In(text) {
		out = append(out, "address")
	}
	return strings.Join(out, ", ")
}

// daily counts the advertising of one house to one mailbox.
func (i *inspector) daily(m *msg.Message, add func(symbol, evidence string)) {
	house := houseOf(m)
	if i.count == nil || i.law.PerDay <= 0 || house == "" {
		return
	}
	for _, to := range m.Envelope.To {
		if n := i.count.add(house, to.Key(), m.Root.Get("Message-ID"), m.Received); n > i.law.PerDay {
			add(TooMany, house+" -> "+to.Key()+": "+strconv.Itoa(n))
			return
		}
	}
}

// houseOf is the organisation in From.
func houseOf(m *msg.Message) string {
	list, _ := mimetree.Addresses(m.Root.Get("From"))
	if len(list) == 0 || list[0].Domain == "" {
		return ""
	}
	return lookalike.Organisation(lookalike.ASCII(list[0].Domain))
}

const maxText = 16 << 10

// textOf is the text of a message as it is read, its letters made plain.
func textOf(m *msg.Message) string {
	if m.Text != nil {
		return m.Text.Bare
	}
	var b strings.Builder
	m.Root.Walk(func(p *msg.Part) {
		if p.IsText() && b.Len() < maxText {
			b.WriteString(p.Text[:min(len(p.Text), maxText)])
			b.WriteByte('\n')
		}
	})
	return lookalike.Fold(strings.ToValidUTF8(b.String(), " "))
}

// Where a label stands.
const (
	nowhere = iota
	elsewhere
	first
)

// label returns the label of a subject and where it stands. First is first: nothing that
// is seen or unseen comes before it, and its letters are its own.
func (l Law) label(subject string) (string, int) {
	upper := strings.ToUpper(subject)
	for _, label := range l.Labels {
		if strings.HasPrefix(upper, strings.ToUpper(label)) {
			return label, first
		}
	}
	bare := squeezed(subject)
	for _, label := range l.Labels {
		if strings.Contains(bare, squeezed(label)) {
			return label, elsewhere
		}
	}
	return "", nowhere
}

var brackets = strings.NewReplacer("【", "[", "】", "]", "〔", "[", "〕", "]", "［", "[", "］", "]", "⟦", "[", "⟧", "]", "「", "[", "」", "]")

// squeezed is a subject as a hurried eye reads it: plain letters, one kind of brackets, no
// spaces.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, lookalike.Fold(brackets.Replace(s)))
}

// Package classify reports what the trained classifier thinks of a letter: how sure it is,
// and never more than it has learned. It decides nothing alone: its weight in the rules
// stays below what holds a letter.
package classify

import (
	"context"
	"fmt"

	"congthu/internal/learn"
	"congthu/internal/msg"
)

// The symbols.
const (
	spam = "CLASSIFY_SPAM"
	sure = "CLASSIFY_SURE" // beside it, where there is hardly a doubt
	ham  = "CLASSIFY_HAM"
)

// Symbols returns what the inspector can report.
func Symbols() []string { return []string{spam, sure, ham} }

// Classifier is what the inspector needs of the trained model.
type Classifier interface {
	Judge(*msg.Message) learn.Opinion
	Reasons(m *msg.Message, n int) (forSpam, forHam []learn.Reason)
	Seen() (ham, spam int) // letters learned
}

// Options are the parts of the inspector.
type Options struct {
	Classifier Classifier
	// Trusted tells whether the letter is proven to be of an agency that is known here: what
	// the classifier was taught, by mistake or on purpose, must not hold such letters.
	Trusted func(*msg.Message) bool
}

// New makes the inspector.
func New(o Options) msg.Inspector { return inspector{o} }

type inspector struct{ Options }

// Name implements msg.Inspector.
func (inspector) Name() string { return "classify" }

// Inspect implements msg.Inspector. It cannot fail: a model that knows nothing says
// nothing.
func (in inspector) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	o := in.Classifier.Judge(m)
	symbol, percent := in.verdict(m, o)
	if percent == 0 {
		return nil, nil, nil
	}
	evidence := fmt.Sprintf("p=%.3f", o.Spam())
	found := []msg.Finding{{Symbol: symbol, Percent: percent, Evidence: evidence}}
	if more := share(o.LogOdds*in.evidence(o), sureFrom, sureFull); more > 0 && percent > trustedMost {
		found = append(found, msg.Finding{Symbol: sure, Percent: more, Evidence: evidence})
	}
	return found, nil, nil
}

// What the weight rests on. Opinions are log-odds.
const (
	enough      = 100 // letters of the rarer kind, at which half of the weight is given
	spamFrom    = 0.5 // p 0.62: below, nothing is said
	spamFull    = 4.5 // p 0.99
	sureFrom    = 2.5 // p 0.92: above, an ordinary letter is hardly ever found
	sureFull    = spamFull
	hamFrom     = 1.0 // p 0.27
	hamFull     = 5.0 // p 0.007
	trustedMost = 25  // percent
)

// verdict gives the symbol and how much of its weight is asked for.
func (in inspector) verdict(m *msg.Message, o learn.Opinion) (symbol string, percent int) {
	x := o.LogOdds * in.evidence(o)
	if x < 0 {
		return ham, share(-x, hamFrom, hamFull)
	}
	percent = share(x, spamFrom, spamFull)
	if percent > trustedMost && in.Trusted != nil && in.Trusted(m) {
		percent = trustedMost
	}
	return spam, percent
}

// evidence is how far the opinion is to be believed, 0 to 1: little when few letters were
// learned, or when the model has not met the words of this one.
func (in inspector) evidence(o learn.Opinion) float64 {
	h, s := in.Classifier.Seen()
	rarer := float64(min(h, s))
	return rarer / (rarer + enough) * min(1, 2*o.Known)
}

// share is where x lies between none and full, in percent.
func share(x, none, full float64) int {
	return int(max(0, min(100, 100*(x-none)/(full-none))))
}

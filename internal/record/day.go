package record

import (
	"context"
	"slices"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Tally counts letters by what became of them, in the order of Fates.
type Tally [5]int

// Fates are the actions that a Tally counts, in its order.
func Fates() []string {
	return []string{msg.Deliver.String(), Strip, msg.Quarantine.String(), msg.Reject.String(), msg.Defer.String()}
}

// All is the number of letters in a tally.
func (t Tally) All() (n int) {
	for _, c := range t {
		n += c
	}
	return n
}

// Day is the figures of some time.
type Day struct {
	Total   Tally
	Domains map[string]Tally // by our side's domain: the recipients' inward, the sender's outward
	Reasons map[string]int   // of what was not delivered
}

// Count reads the record since a time and counts each letter once for each of our domains
// that sees lets through. In Total a letter for two such domains counts twice, as it is two
// agencies' letter.
func Count(ctx context.Context, db *store.DB, since time.Time, sees func(domain string) bool) (Day, error) {
	d := Day{Domains: map[string]Tally{}, Reasons: map[string]int{}}
	fates := Fates()
	err := Read(ctx, db, since, func(l *Letter) error {
		for domain, f := range l.byDomain() {
			n := slices.Index(fates, f.Action)
			if n < 0 || !sees(domain) {
				continue
			}
			d.Total[n]++
			t := d.Domains[domain]
			t[n]++
			d.Domains[domain] = t
			if n > 0 && f.Reason != "" {
				d.Reasons[f.Reason]++
			}
		}
		return nil
	})
	return d, err
}

// byDomain returns what became of a letter for each domain of our side: of different
// fates of one domain's recipients the one that stands last in Fates.
func (l *Letter) byDomain() map[string]Fate {
	out := map[string]Fate{}
	note := func(domain string, f Fate) {
		if old, ok := out[domain]; !ok || slices.Index(Fates(), f.Action) > slices.Index(Fates(), old.Action) {
			out[domain] = f
		}
	}
	for _, f := range l.Fates {
		if l.Outbound {
			note(l.From.our(), f)
			continue
		}
		for _, i := range f.To {
			if i >= 0 && i < len(l.To) {
				note(l.To[i].our(), f)
			}
		}
	}
	return out
}

// our is the domain as agencies write it.
func (a Address) our() string {
	if a.Domain != "" {
		return a.Domain
	}
	return strings.ToLower(a.domain())
}

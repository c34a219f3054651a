// Package simulate decides again about past letters, under rules that are not in use: by
// arithmetic on the findings that were recorded, or on findings made anew. It says whose
// fate would change, and of which letters it cannot know.
package simulate

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/record"
)

// Fate is what becomes of a letter for some recipients.
type Fate struct {
	Action   string  `json:"action"`
	Score    float64 `json:"score"`
	Required float64 `json:"required"`
	Reason   string  `json:"reason,omitempty"`
	Rule     string  `json:"rule,omitempty"`
}

// Change is a letter that would meet another fate. To are the recipients whose fate
// changes in this way.
type Change struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	From   string    `json:"from"`
	To     []string  `json:"to"`
	Agency string    `json:"agency"`
	Old    Fate      `json:"old"`
	New    Fate      `json:"new"`
	Anew   bool      `json:"anew"` // inspected again, not only reckoned
}

// Count is how many letters of an agency would go from one fate to another.
type Count struct {
	Agency  string `json:"agency"`
	Old     string `json:"old"`
	New     string `json:"new"`
	Letters int    `json:"letters"`
}

// Report is what a simulation has found.
type Report struct {
	Letters int      `json:"letters"` // looked at
	Anew    int      `json:"anew"`    // of these: inspected again
	Changed int      `json:"changed"` // of these: would meet another fate
	Counts  []Count  `json:"counts"`
	Changes []Change `json:"changes"` // the first of them
	Open    Open     `json:"open"`
}

// Open is what cannot be known from findings alone.
type Open struct {
	Cut     int            `json:"cut"`      // letters that were not recorded whole
	NoRoute int            `json:"no_route"` // letters to recipients that have no route any more
	Strip   int            `json:"strip"`    // letters that would lose a file, if that can be taken out
	Files   map[string]int `json:"files"`    // letters judged by another state of a file than the candidate's
	Unknown int            `json:"unknown"`  // letters judged by a set that is not kept, so nobody knows what differs
	LeftOut int            `json:"left_out"` // held letters that were too many to inspect again
	NotAnew int            `json:"not_anew"` // letters that could not be inspected again
	NoBase  bool           `json:"no_base"`  // sample letters were judged by the candidate only
}

// Trial is a candidate. Its fields are set once.
type Trial struct {
	Policy *policy.Policy
	Routes policy.Routes
	List   int // how many changes are listed
	// Differs returns the files, other than weights and policy, in which a set differs
	// from the candidate; known is false when the set is not kept.
	Differs func(hash string) (files []string, known bool)

	report Report
	counts map[Count]int
}

// Report returns what was found until now.
func (t *Trial) Report() Report {
	r := t.report
	r.Counts = []Count{}
	for c, n := range t.counts {
		c.Letters = n
		r.Counts = append(r.Counts, c)
	}
	slices.SortFunc(r.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Letters, a.Letters), cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Old+a.New, b.Old+b.New))
	})
	if r.Changes == nil {
		r.Changes = []Change{}
	}
	return r
}

// Open returns what is still being counted, for the caller's own part of it.
func (t *Trial) Open() *Open { return &t.report.Open }

// Recorded decides again about a recorded letter. anew are its outcomes by the candidate,
// nil when it was not inspected again.
func (t *Trial) Recorded(l *record.Letter, anew []msg.Outcome) {
	t.report.Letters++
	if l.Cut {
		t.report.Open.Cut++
		return
	}
	outcomes := anew
	if anew == nil {
		t.differences(l.Rules)
		outcomes = recorded(l)
	} else {
		t.report.Anew++
	}
	m, gone := t.message(l)
	if gone {
		t.report.Open.NoRoute++
		return
	}
	old := make([]Fate, len(l.To))
	for _, f := range l.Fates {
		for _, to := range f.To {
			old[to] = Fate{f.Action, f.Score, f.Required, f.Reason, f.Rule}
		}
	}
	keys := map[string]policy.Key{}
	for _, k := range l.Keys {
		keys[m.Envelope.To[k].Key()] = policy.Key{Fingerprint: "recorded"}
	}
	t.compare(m, old, t.fates(policy.Input{Message: m, Outcomes: outcomes, Keys: keys, Protected: l.Sealed, Sealed: strings.HasSuffix(l.Sealed, "-encrypted")}), anew != nil, l.Agency)
}

// Judged compares a letter that was judged by both sets.
func (t *Trial) Judged(m *msg.Message, old []Fate, ds []msg.Decision) {
	t.report.Letters++
	t.report.Anew++
	if old == nil {
		t.report.Open.NoBase = true
	}
	t.compare(m, old, Fates(m, ds), true, m.Session.Identity.Agency)
}

func (t *Trial) differences(hash string) {
	files, known := t.Differs(hash)
	if !known {
		t.report.Open.Unknown++
		return
	}
	for _, f := range files {
		if t.report.Open.Files == nil {
			t.report.Open.Files = map[string]int{}
		}
		t.report.Open.Files[f]++
	}
}

var errBlind = errors.New("could not look then")

// recorded are the outcomes as they were.
func recorded(l *record.Letter) []msg.Outcome {
	out := make([]msg.Outcome, len(l.Outcomes))
	for i, o := range l.Outcomes {
		out[i] = msg.Outcome{Inspector: o.Inspector, Findings: o.Findings}
		if o.Blind {
			out[i].Err = errBlind
		}
	}
	return out
}

// message is the letter as far as a decision wants it. gone: a recipient that had a route
// has none in today's settings, which is no matter of rules.
func (t *Trial) message(l *record.Letter) (m *msg.Message, gone bool) {
	m = &msg.Message{ID: l.ID, Received: time.UnixMilli(l.At), Auth: l.Auth}
	m.Session.Outbound = l.Outbound
	m.Envelope.From = l.From.Path()
	for _, a := range l.To {
		p := a.Path()
		if _, outward, ok := t.Routes.Find(t.Routes.DomainOf(p)); !ok || outward && !l.Outbound {
			gone = true
		}
		m.Envelope.To = append(m.Envelope.To, p)
	}
	return m, gone
}

// fates decides. Whether a file can be taken out is not recorded: a letter that is not
// signed or encrypted is taken for one that can do without it, and counted.
func (t *Trial) fates(in policy.Input) []Fate {
	in.Removable = func([]msg.Finding) bool { return in.Protected == "" }
	out := Fates(in.Message, t.Policy.Decide(in, t.Routes))
	if slices.ContainsFunc(out, func(f Fate) bool { return f.Action == record.Strip }) {
		t.report.Open.Strip++
	}
	return out
}

// Fates returns the fate of each recipient, in the order of the envelope.
func Fates(m *msg.Message, ds []msg.Decision) []Fate {
	answer := policy.Answer(ds)
	place := make(map[string]int, len(m.Envelope.To))
	for i, to := range m.Envelope.To {
		place[to.Raw] = i
	}
	out := make([]Fate, len(m.Envelope.To))
	for _, d := range policy.Settle(ds) {
		f := Fate{record.Action(d, answer), d.Why.Score, d.Why.Required, d.Reason, d.Rule}
		for _, to := range d.To {
			out[place[to.Raw]] = f
		}
	}
	return out
}

// compare notes what is different, each kind of difference of a letter once.
func (t *Trial) compare(m *msg.Message, old, now []Fate, anew bool, sender string) {
	var changes []Change
	counted := map[Count]bool{}
	for i, to := range m.Envelope.To {
		if old == nil || old[i].Action == "" || old[i].Action == now[i].Action {
			continue
		}
		c := Change{ID: m.ID, At: m.Received, From: m.Envelope.From.Raw, To: []string{to.Raw}, Agency: t.agency(m, to, sender), Old: old[i], New: now[i], Anew: anew}
		counted[Count{Agency: c.Agency, Old: c.Old.Action, New: c.New.Action}] = true
		if n := len(changes) - 1; n >= 0 && changes[n].Old == c.Old && changes[n].New == c.New && changes[n].Agency == c.Agency {
			changes[n].To = append(changes[n].To, to.Raw)
			continue
		}
		changes = append(changes, c)
	}
	if len(changes) == 0 {
		return
	}
	t.report.Changed++
	if t.counts == nil {
		t.counts = map[Count]int{}
	}
	for c := range counted {
		if len(t.counts) >= maxCounts && t.counts[c] == 0 {
			c.Agency = "…"
		}
		t.counts[c]++
	}
	if room := t.List - len(t.report.Changes); room > 0 {
		t.report.Changes = append(t.report.Changes, changes[:min(room, len(changes))]...)
	}
}

// maxCounts bounds the lines of the summary: outward, the domains are anybody's.
const maxCounts = 10_000

// agency is whose letter it is: the recipient's domain inward, outward who sent it.
func (t *Trial) agency(m *msg.Message, to msg.Path, sender string) string {
	if domain := t.Routes.DomainOf(to); t.Routes.Local(domain) {
		return domain
	}
	return cmp.Or(sender, m.Envelope.From.Domain)
}

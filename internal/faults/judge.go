package faults

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"congthu/internal/figures"
)

// Verdict is what a judge finds.
type Verdict struct {
	figures.Figures
	Kept     int      // recipients whose letter is in the queue or in quarantine, or was returned
	Denied   int      // letters that were answered with 4xx
	Problems []string // the first of them in words
}

const problemsSaid = 20

func (v *Verdict) complain(format string, args ...any) {
	if len(v.Problems) < problemsSaid {
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

// Case is what is judged.
type Case struct {
	Records  map[int]*Record
	Arrivals []Arrival
	Kept     map[string]bool // recipients in queue or quarantine, or returned
	Faults   []time.Time
	Until    time.Time // only what was confirmed before it; zero: all
	Permits  func(reply string) bool
}

// Judge compares a ledger with what became of its letters:
//
//   - whoever was confirmed has the letter, with its octets, or it is kept;
//   - a second copy needs a fault between the copies;
//   - no reply is a 5xx: the letters are good, so all trouble is ours;
//   - nothing has arrived that was not sent.
func Judge(c Case) *Verdict {
	v := &Verdict{}
	v.Faults = len(c.Faults)
	at := v.arrivals(c)
	for _, n := range slices.Sorted(maps.Keys(c.Records)) {
		r := c.Records[n]
		v.reply(c, r)
		confirmed := r.Confirmed && (c.Until.IsZero() || r.Said.Before(c.Until))
		for _, to := range r.To {
			v.copies(c, to, at[to])
			if !confirmed {
				continue
			}
			v.Acknowledged++
			if c.Kept[to] {
				v.Kept++
			} else if len(at[to]) == 0 {
				v.Lost++
				v.complain("lost: letter %d to %s (%s)", n, to, r.Reply)
			}
		}
	}
	return v
}

// arrivals checks what has arrived, and gives them by recipient.
func (v *Verdict) arrivals(c Case) map[string][]Arrival {
	at := map[string][]Arrival{}
	for _, a := range c.Arrivals {
		if a.N == 0 {
			continue
		}
		r := c.Records[a.N]
		if r == nil || r.Sum != a.Sum {
			v.Lost++
			v.complain("letter %d arrived changed, or was never sent", a.N)
			continue
		}
		for _, to := range a.To {
			at[to] = append(at[to], a)
		}
	}
	return at
}

// reply checks what the sender was told.
func (v *Verdict) reply(c Case, r *Record) {
	switch {
	case r.Reply == "" || r.Confirmed:
	case strings.HasPrefix(r.Reply, "4"):
		v.Denied++
	case c.Permits != nil && c.Permits(r.Reply):
	default:
		v.Lost++
		v.complain("letter %d was refused: %s", r.N, r.Reply)
	}
}

// copies counts copies beyond the first and looks for what explains them.
func (v *Verdict) copies(c Case, to string, at []Arrival) {
	slices.SortFunc(at, func(a, b Arrival) int { return a.At.Compare(b.At) })
	for i := 1; i < len(at); i++ {
		v.Duplicates++
		if !at[i-1].Unsure && !at[i].Unsure && !between(c.Faults, at[i-1].At, at[i].At) {
			v.Unexplained++
			v.complain("%s has a second copy without a fault between the two (%v and %v)", to, at[i-1].At, at[i].At)
		}
	}
}

// between tells whether something broke between two copies. The time of a fault is
// taken down a moment after it.
func between(faults []time.Time, first, second time.Time) bool {
	const moment = 200 * time.Millisecond
	for _, f := range faults {
		if f.After(first) && f.Before(second.Add(moment)) {
			return true
		}
	}
	return false
}

// Judge drains the queue and judges the rig's ledger.
func (r *Rig) Judge(permits func(string) bool) (*Verdict, error) {
	if err := r.Drain(90 * time.Second); err != nil {
		return nil, err
	}
	return r.Look(time.Time{}, permits)
}

// Look judges the rig's ledger as things are.
func (r *Rig) Look(until time.Time, permits func(string) bool) (*Verdict, error) {
	c, err := r.evidence()
	if err != nil {
		return nil, err
	}
	c.Until, c.Permits = until, permits
	v := Judge(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	v.Faults = r.made
	return v, nil
}

// arrivals are what has arrived from this rig's gateway.
func (r *Rig) arrivals() []Arrival {
	all := append(r.A.Arrivals(), r.B.Arrivals()...)
	for _, h := range r.also {
		all = append(all, h.Arrivals()...)
	}
	return slices.DeleteFunc(all, func(a Arrival) bool { return a.Helo != r.Name })
}

var returned = regexp.MustCompile(`(?m)^Final-Recipient: rfc822; (\S+)\r\nAction: failed`)

// evidence gathers ledger, arrivals and what is kept, or was returned to its sender.
func (r *Rig) evidence() (Case, error) {
	c := Case{Kept: map[string]bool{}, Arrivals: r.arrivals(), Faults: r.when()}
	var err error
	if c.Records, err = r.Ledger.Records(); err != nil {
		return c, err
	}
	queued, err := r.Queued()
	if err != nil {
		return c, err
	}
	for _, k := range queued {
		c.Kept[k.To] = true
	}
	held, err := r.Held()
	for _, to := range held {
		c.Kept[to] = true
	}
	for _, a := range c.Arrivals {
		for _, m := range returned.FindAllSubmatch(a.Data, -1) {
			c.Kept[string(m[1])] = true
		}
	}
	return c, err
}

// when returns when something broke between the gateway and its next hops.
func (r *Rig) when() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.faults, r.A.Breaks(), r.B.Breaks())
}

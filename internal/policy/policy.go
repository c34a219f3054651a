// Package policy decides what becomes of a message: outcomes, weights and routes
// in, decisions out. It is pure (no clock, no network, no files), so every rule of
// the house can be shown by a table test.
package policy

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"congthu/internal/msg"
)

// Policy is the content of rules/policy.toml, resolved: what a total means.
type Policy struct {
	Weights    Weights
	Composites []Composite // in the order in which they are evaluated
	Inward     Threshold
	Outward    Threshold
	Agencies   []Agency          // first match by recipient domain wins
	Forces     []Force           // in file order; the gravest action wins, then the first
	Blocks     []Block           // by types of files; for each type the first that applies
	Blind      map[string]Action // required inspectors: what happens when one could not look
	BlindAt    map[string]string // and where that is said
	Encrypt    Encrypt
	Decrypt    Decrypt
}

// Action is msg.Action; it is repeated here so that Policy reads in its own words.
type Action = msg.Action

// Threshold says from which score a message is spam and what becomes of spam.
type Threshold struct {
	Required float64 // spam from this score on; 0 or less: never
	Spam     Action  // Deliver (marked), Quarantine or Reject
	RejectAt float64 // rejected from this score on; 0: never
	Place    string  // where it stands, such as "policy.toml:13"
}

// Agency is a threshold of its own for the recipients of some domains.
type Agency struct {
	Domains   []string
	Threshold Threshold
}

// Force is an action that a symbol brings about whatever the score.
type Force struct {
	Symbols   []string
	Action    Action
	Direction string // "inward", "outward" or "" for both
	Reply     msg.Reply
	Place     string
}

// Route is where the mail of some domains goes.
type Route struct {
	Domains          []string // exact names, "*.example.vn" for all names below, "*" for the outward route
	NextHop          string
	TLS              string // how much TLS the next hop needs; "": as everywhere
	XForward         bool   // the next hop is told about the client
	VerifyRecipients bool   // the next hop is asked about recipients at RCPT
}

// Input is everything a decision rests on.
type Input struct {
	Message   *msg.Message
	Outcomes  []msg.Outcome
	Keys      map[string]Key                             // by Path.Key(), of recipients of whose keys something is known
	Removable func([]msg.Finding) bool                   // whether the message can do without the parts of these
	Protected string                                     // "" or how the message claims to be signed or encrypted end to end
	Sealed    bool                                       // nothing in it can be read by strangers, in fact
	Subject   string                                     // decoded; only asked for from our own senders
	Asks      []string                                   // values of the field Encrypt.Header
	Author    string                                     // domain of the one author; "" when that is not clear
	Signer    func(domain string) (have bool, err error) // whether there is a key that signs for it, and why it cannot
	Signable  func(msg.Decision) bool                    // whether a signature of what leaves would survive the way
	Opened    func(to msg.Path) bool                     // whether a key of the recipient's domain has opened the whole message; nil: none has
}

// Routes finds next hops.
type Routes []Route

// Find returns the next hop of a domain: the exact name first, then the longest
// wildcard, then "*". outward tells that it was "*", which only our own senders
// may use.
func (rs Routes) Find(domain string) (hop string, outward, ok bool) {
	r, outward, ok := rs.Route(domain)
	return r.NextHop, outward, ok
}

// Route returns the route that Find finds the next hop of.
func (rs Routes) Route(domain string) (found Route, outward, ok bool) {
	best := -1
	for _, r := range rs {
		for _, d := range r.Domains {
			if n := match(strings.ToLower(d), domain); n > best {
				best, found = n, r
			}
		}
	}
	return found, best == 0, best >= 0
}

// Local tells whether the domain is one of ours: it has a route of its own.
func (rs Routes) Local(domain string) bool {
	_, outward, ok := rs.Find(domain)
	return ok && !outward
}

// match grades how closely pattern names the domain: -1 not at all, 0 by "*".
func match(pattern, domain string) int {
	pattern, domain = spelled(pattern), spelled(domain)
	switch {
	case pattern == "*":
		return 0
	case domain == "":
		return -1
	case pattern == domain:
		return 1 << 16
	case strings.HasPrefix(pattern, "*.") && strings.HasSuffix(domain, pattern[1:]):
		return len(pattern)
	}
	return -1
}

// spelled is a domain, or a pattern of domains, in A-labels (RFC 5890 section 2.3.2.1): what
// holds for "sở.vn" holds for a recipient whose address spells that "xn--s-lym.vn".
func spelled(domain string) string {
	if !strings.ContainsFunc(domain, func(r rune) bool { return r >= 0x80 }) {
		return domain
	}
	rest, below := strings.CutPrefix(domain, "*.")
	ascii, err := idna.Lookup.ToASCII(rest)
	switch {
	case err != nil:
		return domain
	case below:
		return "*." + ascii
	}
	return ascii
}

// Decide returns the fate of every recipient, recipients with one fate together.
func (p *Policy) Decide(in Input, routes Routes) []msg.Decision {
	score, counted := p.Weights.Weigh(p.compose(in.Outcomes))
	why := msg.Verdict{Score: score, Counted: counted, Blind: p.blind(in.Outcomes)}
	var out []msg.Decision
	for _, to := range in.Message.Envelope.To {
		out = gather(out, p.fate(in, routes, to, why))
	}
	return out
}

// fate decides for one recipient. The order is the order of certainty: what could
// not be seen, what is forced, what the score says, and then how it may leave.
func (p *Policy) fate(in Input, routes Routes, to msg.Path, why msg.Verdict) msg.Decision {
	hop, outward, ok := routes.Find(routes.DomainOf(to))
	t := p.threshold(to, outward)
	why.Required = t.Required
	d := msg.Decision{Action: msg.Deliver, To: []msg.Path{to}, NextHop: hop, Why: why}
	if !ok || (outward && !in.Message.Session.Outbound) {
		return refuse(d, "NO_ROUTE", "", msg.Reply{Code: 550, Detail: "7.1", Text: "Khong chuyen tiep cho ten mien nay / Relaying denied"})
	}
	d = p.judge(d, t, direction(outward))
	d = p.block(d, in, ours(in, to, outward), direction(outward))
	if d.Action == msg.Deliver || d.Action == msg.Quarantine { // a held copy may be released
		d = p.Encrypt.Apply(d, in, to, outward)
		d.Open = d.Action == msg.Deliver && !outward && p.Opens(in, to)
	}
	return d
}

// DomainOf returns the domain that routes an address; <postmaster> (RFC 5321 section
// 4.5.1) has the first domain of ours.
func (rs Routes) DomainOf(to msg.Path) string {
	if to.Domain != "" {
		return to.Domain
	}
	for _, r := range rs {
		for _, d := range r.Domains {
			if d != "*" {
				return strings.TrimPrefix(d, "*.")
			}
		}
	}
	return ""
}

func (p *Policy) threshold(to msg.Path, outward bool) Threshold {
	for _, a := range p.Agencies {
		for _, d := range a.Domains {
			if match(strings.ToLower(d), to.Domain) >= 0 {
				return a.Threshold
			}
		}
	}
	if outward {
		return p.Outward
	}
	return p.Inward
}

// blind lists required inspectors that could not look, in the order they ran.
func (p *Policy) blind(outcomes []msg.Outcome) []string {
	var out []string
	for _, o := range outcomes {
		if _, required := p.Blind[o.Inspector]; required && o.Err != nil {
			out = append(out, o.Inspector)
		}
	}
	return out
}

// judge takes the gravest of what blindness, forces and score ask for.
func (p *Policy) judge(d msg.Decision, t Threshold, dir string) msg.Decision {
	for _, name := range d.Why.Blind {
		d = worse(d, p.Blind[name], "BLIND_"+strings.ToUpper(name), p.BlindAt[name], msg.Reply{})
	}
	for _, f := range p.Forces {
		if f.Direction != "" && f.Direction != dir {
			continue
		}
		if s := f.found(d.Why.Counted); s != "" {
			d = worse(d, f.Action, s, f.Place, f.Reply)
		}
	}
	return t.apply(d)
}

func (f Force) found(counted []msg.Weighed) string {
	for _, c := range counted {
		if slices.Contains(f.Symbols, c.Symbol) {
			return c.Symbol
		}
	}
	return ""
}

func (t Threshold) apply(d msg.Decision) msg.Decision {
	if t.RejectAt > 0 && d.Why.Score >= t.RejectAt {
		d = worse(d, msg.Reject, "SCORE", t.Place, msg.Reply{})
	}
	if d.Why.Spam() {
		d = worse(d, t.Spam, "SCORE", t.Place, msg.Reply{})
	}
	return d
}

// gravity orders actions. Defer stands above Quarantine and below Reject: what is
// refused for a known reason need not wait for what could not be seen, but what
// would be held is better kept by the sender until all could look.
func gravity(a Action) int {
	switch a {
	case msg.Deliver:
		return 0
	case msg.Quarantine:
		return 1
	case msg.Defer:
		return 2
	case msg.Reject:
		return 3
	}
	return 2
}

func worse(d msg.Decision, a Action, reason, place string, r msg.Reply) msg.Decision {
	if gravity(a) <= gravity(d.Action) {
		return d
	}
	d.Action, d.Reason, d.Rule, d.Reply = a, reason, place, r
	return d
}

func refuse(d msg.Decision, reason, place string, r msg.Reply) msg.Decision {
	return worse(d, msg.Reject, reason, place, r)
}

func direction(outward bool) string {
	if outward {
		return "outward"
	}
	return "inward"
}

// gather puts a recipient with those who share its fate. An encrypted copy is made
// for one recipient alone, so that nobody learns from it who else got one.
func gather(ds []msg.Decision, d msg.Decision) []msg.Decision {
	for i := range ds {
		if len(d.EncryptTo) == 0 && same(ds[i], d) {
			ds[i].To = append(ds[i].To, d.To...)
			return ds
		}
	}
	return append(ds, d)
}

func same(a, b msg.Decision) bool {
	return a.Action == b.Action && a.NextHop == b.NextHop && len(a.EncryptTo) == 0 && a.Sign == b.Sign &&
		a.Reply == b.Reply && a.Reason == b.Reason && a.Open == b.Open && slices.Equal(a.Strip, b.Strip) && a.Why.Required == b.Why.Required &&
		len(a.Why.Counted) == len(b.Why.Counted) && slices.Equal(a.Why.Counted, b.Why.Counted)
}

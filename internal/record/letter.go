package record

import (
	"strings"
	"time"
	"unicode/utf8"

	"congthu/internal/msg"
)

// Bounds of what is kept of one letter.
const (
	maxEvidence   = 120 // octets
	maxFindings   = 200
	maxRecipients = 100
	maxAddress    = 320 // octets
)

// Letter is what is kept of one letter: enough to decide again, and nothing of its text
// but the evidence of its findings. Addresses and evidence are a stranger's text.
type Letter struct {
	ID       string           `json:"id"`
	At       int64            `json:"at"` // Unix milliseconds
	From     Address          `json:"from"`
	To       []Address        `json:"to"`
	Cut      bool             `json:"cut,omitempty"` // there were more recipients or findings than are kept
	Outbound bool             `json:"out,omitempty"`
	Agency   string           `json:"agency,omitempty"` // that sent it through us
	Account  string           `json:"account,omitempty"`
	Size     int              `json:"size"` // octets
	Took     int64            `json:"took"` // microseconds
	Auth     []msg.AuthResult `json:"auth,omitempty"`
	Outcomes []Outcome        `json:"found"`
	Fates    []Fate           `json:"fates"`
	Reply    int              `json:"reply"`          // SMTP code that the sender got in the end
	Keys     []int            `json:"keys,omitempty"` // recipients, by their place in To, with an OpenPGP key
	Sealed   string           `json:"sealed,omitempty"`
	Rules    string           `json:"rules"` // hash of the set that judged it
}

// Address is an envelope address.
type Address struct {
	Raw    string `json:"a"`
	Domain string `json:"d,omitempty"` // lower-case A-labels; "": as Raw has it
}

// Outcome is what one inspector found.
type Outcome struct {
	Inspector string        `json:"i"`
	Blind     bool          `json:"x,omitempty"` // it could not look
	Findings  []msg.Finding `json:"f,omitempty"`
}

// Fate is what was decided for some recipients.
type Fate struct {
	Action   string  `json:"a"`
	Score    float64 `json:"s"`
	Required float64 `json:"q"`
	Reason   string  `json:"r,omitempty"`
	Rule     string  `json:"w,omitempty"` // where that stands
	To       []int   `json:"t"`           // places in To
}

// Event is a letter at the end of its way.
type Event struct {
	Message   *msg.Message
	Outcomes  []msg.Outcome
	Decisions []msg.Decision
	Answer    msg.Reply // that the decisions alone ask for
	Reply     msg.Reply // that the sender got
	Took      time.Duration
	HasKey    func(msg.Path) bool
	Sealed    string // how it was signed or encrypted end to end already
}

// letter copies what is kept. The message's octets must not live on in it: a substring
// of them would hold all of them in memory until the next flush.
func (e Event) letter() *Letter {
	m := e.Message
	l := &Letter{
		ID: m.ID, At: m.Received.UnixMilli(), From: address(m.Envelope.From), Outbound: m.Session.Outbound,
		Agency: m.Session.Identity.Agency, Account: m.Session.Identity.Account, Size: len(m.Raw), Took: e.Took.Microseconds(),
		Reply: e.Reply.Code, Sealed: e.Sealed, Rules: m.Rules,
	}
	for i, to := range m.Envelope.To {
		if i == maxRecipients {
			l.Cut = true
			break
		}
		l.To = append(l.To, address(to))
		if e.HasKey != nil && e.HasKey(to) {
			l.Keys = append(l.Keys, i)
		}
	}
	for _, a := range m.Auth {
		l.Auth = append(l.Auth, msg.AuthResult{Method: a.Method, Status: a.Status, Property: a.Property, Value: short(a.Value, maxAddress)})
	}
	l.find(e.Outcomes)
	l.decide(e)
	return l
}

func (l *Letter) find(outcomes []msg.Outcome) {
	room := maxFindings
	for _, o := range outcomes {
		kept := Outcome{Inspector: o.Inspector, Blind: o.Err != nil}
		n := min(len(o.Findings), room)
		l.Cut = l.Cut || n < len(o.Findings)
		room -= n
		for _, f := range o.Findings[:n] {
			kept.Findings = append(kept.Findings, msg.Finding{
				Symbol: f.Symbol, Evidence: short(f.Evidence, maxEvidence), Part: short(f.Part, maxEvidence), Percent: f.Percent, Type: short(f.Type, maxEvidence),
			})
		}
		if kept.Blind || n > 0 {
			l.Outcomes = append(l.Outcomes, kept)
		}
	}
}

// decide notes by recipient what was decided; one answer for all of them overrules it.
func (l *Letter) decide(e Event) {
	place := map[string]int{}
	for i, to := range e.Message.Envelope.To[:len(l.To)] {
		place[to.Raw] = i
	}
	for _, d := range e.Decisions {
		f := Fate{Action: Action(d, e.Answer), Score: d.Why.Score, Required: d.Why.Required, Reason: d.Reason, Rule: d.Rule}
		for _, to := range d.To {
			if i, ok := place[to.Raw]; ok {
				f.To = append(f.To, i)
			}
		}
		l.Fates = append(l.Fates, f)
	}
}

// Strip is the action of a copy that leaves without a file, while the original is held.
const Strip = "strip"

// Action is one word for what becomes of a decision's recipients under the one answer
// that the letter gets.
func Action(d msg.Decision, answer msg.Reply) string {
	switch {
	case answer.Temporary():
		return msg.Defer.String()
	case answer.Permanent():
		return msg.Reject.String()
	case len(d.Strip) > 0:
		return Strip
	}
	return d.Action.String()
}

// held and deferred tell what a letter counts as. One that is held for one recipient of
// many is held.
func (l *Letter) held() bool     { return l.any("quarantine", "reject") && !l.deferred() }
func (l *Letter) deferred() bool { return l.any("defer") }

func (l *Letter) any(actions ...string) bool {
	for _, f := range l.Fates {
		for _, a := range actions {
			if f.Action == a {
				return true
			}
		}
	}
	return false
}

func address(p msg.Path) Address {
	a := Address{Raw: short(p.Raw, maxAddress)}
	if p.Domain != "" && p.Domain != a.domain() {
		a.Domain = strings.Clone(p.Domain)
	}
	return a
}

// domain is the domain as it is written.
func (a Address) domain() string { return a.Raw[strings.LastIndexByte(a.Raw, '@')+1:] }

// Path returns the address as the policy wants it.
func (a Address) Path() msg.Path {
	p := msg.Path{Raw: a.Raw, Local: a.Raw, Domain: a.Domain}
	if i := strings.LastIndexByte(a.Raw, '@'); i >= 0 {
		p.Local = a.Raw[:i]
		if p.Domain == "" {
			p.Domain = a.Raw[i+1:]
		}
	}
	return p
}

// short copies the beginning of a text, in whole characters.
func short(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.Clone(s)
}

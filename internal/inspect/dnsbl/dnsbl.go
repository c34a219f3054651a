// Package dnsbl asks lists in the DNS about a message: the address it comes from, the
// domains that it names as senders, the hosts of its links, the addresses it is from
// (RFC 5782).
//
// A list is somebody else's opinion, and often somebody else's outage. So a list only
// ever adds to the score; no answer, an answer that says "you may not ask", and a list
// that went out of business and lists everybody are no hits. They are told to the
// administrator, and no message waits for them longer than the deadline.
package dnsbl

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// The symbols. One for each kind of thing that is listed: the list stands in the
// evidence, and how much of the weight an answer is worth in the settings.
const (
	IP      = "DNSBL_IP"
	Domain  = "DNSBL_DOMAIN"
	URL     = "DNSBL_URL"
	Address = "DNSBL_ADDRESS"
	Welcome = "DNSBL_WELCOME" // a list of good servers
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{IP, Domain, URL, Address, Welcome} }

// Kinds are what a list may be about, as the settings call it.
func Kinds() []string { return []string{"ip", "domain", "url", "address", "welcome"} }

// List is one list.
type List struct {
	Zone    string
	Kind    string         // one of Kinds
	Results map[string]int // "127.0.0.2", "127.0.0.0/29" or a bit of the last octet "&8" -> percent; nil: any is 100
}

// Resolver is what the inspector needs of internal/dns, which remembers the answers.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options are the settings and what others know about a message.
type Options struct {
	Lists    []List
	Resolver Resolver
	Timeout  time.Duration                 // for all questions about a message; 0: 3 s
	Local    func(domain string) bool      // domains that are never asked about; nil: none
	Hosts    func(m *msg.Message) []string // the hosts of its links
	Log      *slog.Logger                  // nil: nowhere
	Event    func(string)                  // counts; nil: not counted
}

// The events that are counted.
const (
	EventNoAnswer = "dnsbl_no_answer" // a list did not answer in time
	EventRefused  = "dnsbl_refused"   // a list says that we may not ask
)

const (
	maxNames = 15 // names of one kind that are asked about
	atOnce   = 16 // questions under way for one message
)

// Inspector is the inspector "dnsbl".
type Inspector struct {
	o     Options
	lists []list
	quiet *quiet
}

// New returns the inspector. The error says which result cannot be read.
func New(o Options) (*Inspector, error) {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Event == nil {
		o.Event = func(string) {}
	}
	if o.Local == nil {
		o.Local = func(string) bool { return false }
	}
	in := &Inspector{o: o, quiet: newQuiet()}
	for _, l := range o.Lists {
		ready, err := newList(l)
		if err != nil {
			return nil, err
		}
		in.lists = append(in.lists, ready)
	}
	return in, nil
}

// Name returns "dnsbl".
func (*Inspector) Name() string { return "dnsbl" }

// question is one name of one list.
type question struct {
	list  *list
	about string // what is asked about
	name  string // the name in the DNS
}

// Inspect asks all lists at once. It never fails: what could not be asked is logged.
func (in *Inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	ctx, cancel := context.WithTimeout(ctx, in.o.Timeout)
	defer cancel()
	questions := in.questions(m)
	found := make([]*msg.Finding, len(questions))
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = in.ask(ctx, q)
		})
	}
	wg.Wait()
	var out []msg.Finding
	for _, f := range found {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out, nil, nil
}

// ask asks one question; nil is "not listed" or "could not ask".
func (in *Inspector) ask(ctx context.Context, q question) *msg.Finding {
	if ctx.Err() != nil {
		in.trouble(q, EventNoAnswer, ctx.Err())
		return nil
	}
	answers, err := in.o.Resolver.LookupNetIP(ctx, "ip4", q.name)
	if err != nil {
		var no *net.DNSError
		if !errors.As(err, &no) || !no.IsNotFound {
			in.trouble(q, EventNoAnswer, err)
		}
		return nil
	}
	percent, said, refused := q.list.worth(answers)
	switch {
	case refused:
		in.trouble(q, EventRefused, nil)
		return nil
	case percent <= 0:
		return nil
	}
	return &msg.Finding{Symbol: q.list.symbol, Evidence: lang.Safe(q.list.zone+": "+q.about+" ("+said.String()+")", 200), Percent: percent}
}

// trouble tells the administrator that a list could not be asked, each list once in a
// while: it is the same for every message.
func (in *Inspector) trouble(q question, event string, err error) {
	in.o.Event(event)
	if !in.quiet.may(q.list.zone+event, time.Now()) {
		return
	}
	why := "the list did not answer"
	if event == EventRefused {
		why = "the list says that this gateway may not ask it, or asks too much"
	}
	in.o.Log.Warn("dnsbl: could not ask: "+why+"; nothing is counted, no mail waits for it", "zone", q.list.zone, "error", err)
}

// quiet keeps the log from saying the same thing for every message.
type quiet struct {
	mu   sync.Mutex
	last map[string]time.Time // by list: as many as the settings name
}

const quietFor = 10 * time.Minute

func newQuiet() *quiet { return &quiet{last: map[string]time.Time{}} }

func (q *quiet) may(what string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if last, ok := q.last[what]; ok && now.Sub(last) < quietFor {
		return false
	}
	q.last[what] = now
	return true
}

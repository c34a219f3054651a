package dmarcreport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// Queue is what sending needs of the queue.
type Queue interface {
	Prepare(ctx context.Context, t ...*msg.Transfer) (*store.Change, error)
}

// Sending is what reports are sent with.
type Sending struct {
	Store    *store.DB
	Resolver dmarc.Resolver
	Queue    Queue
	NextHop  func(domain string) (string, bool)
	Identity Identity
	NewID    func() string
	Log      *slog.Logger
	Now      func() time.Time
}

// Sent is what became of one report.
type Sent struct {
	Day      string    `json:"day"`
	Domain   string    `json:"domain"`
	ID       string    `json:"id"`
	Messages int64     `json:"messages"`
	Records  int       `json:"records"`
	To       []string  `json:"to"`             // addresses that it is queued for
	Left     []LeftOut `json:"left_out"`       // addresses that it does not go to
	Later    bool      `json:"later"`          // an address could not be checked: tried again
	XML      string    `json:"xml,omitempty"`  // of a rehearsal
	File     string    `json:"file,omitempty"` // name of the attachment
}

// LeftOut is an address that gets no report, and why.
type LeftOut struct {
	Address string    `json:"address"`
	Why     lang.Text `json:"why"`
}

// Send reports a day to the owners: each report is queued in the transaction that marks
// it as sent. A day that is not over is reported as far as it goes; what comes after is
// in a report of its own.
func (s *Sending) Send(ctx context.Context, day Day) ([]Sent, error) {
	if err := freeze(ctx, s.Store, day, s.Now()); err != nil {
		return nil, err
	}
	list, err := unsent(ctx, s.Store, day, false, s.Now())
	if err != nil {
		return nil, err
	}
	var out []Sent
	for _, p := range list {
		one, letters, err := s.prepare(ctx, p)
		if err == nil && !one.Later {
			err = s.commit(ctx, p, one, letters)
		}
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Rehearse is Send without sending: it says what would be sent to whom, and changes
// nothing.
func (s *Sending) Rehearse(ctx context.Context, day Day) ([]Sent, error) {
	list, err := unsent(ctx, s.Store, day, true, s.Now())
	if err != nil {
		return nil, err
	}
	var out []Sent
	for _, p := range list {
		one, _, err := s.prepare(ctx, p)
		if err != nil {
			return nil, err
		}
		doc, err := s.report(p).XML()
		if err != nil {
			return nil, err
		}
		one.XML = string(doc)
		out = append(out, one)
	}
	return out, nil
}

// report makes the report of a part. Its id is the same whenever it is made, so that a
// copy sent twice is known as one.
func (s *Sending) report(p part) *aggregate.Report {
	sum := sha256.Sum256([]byte(p.domain))
	r := &aggregate.Report{
		Org: s.Identity.Org, Email: s.Identity.From, Contact: s.Identity.Contact, Policy: p.policy, Records: p.records,
		ID:    fmt.Sprintf("%s-%x-%d", p.day.Begin().Format("20060102"), sum[:6], p.n),
		Begin: p.day.Begin(), End: p.day.End(),
	}
	if r.Org == "" {
		r.Org = s.Identity.Hostname
	}
	if p.frozen.Before(r.End) {
		r.End = p.frozen.UTC().Truncate(time.Second)
	}
	if p.unlisted > 0 {
		r.Errors = append(r.Errors, fmt.Sprintf("%d messages are not listed: too many different sources", p.unlisted))
	}
	return r
}

// prepare writes the letters of a part.
func (s *Sending) prepare(ctx context.Context, p part) (Sent, []*msg.Transfer, error) {
	r := s.report(p)
	a, err := s.Identity.attach(r)
	if err != nil {
		return Sent{}, nil, err
	}
	out := Sent{Day: p.day.String(), Domain: p.domain, ID: r.ID, Messages: r.Messages(), Records: len(r.Records), To: []string{}, Left: []LeftOut{}, File: a.name}
	var letters []*msg.Transfer
	for _, d := range dmarc.Destinations(p.rua) {
		why, later := s.refuse(ctx, p.domain, d, a)
		switch {
		case later:
			out.Later = true
		case why != (lang.Text{}):
			out.Left = append(out.Left, LeftOut{d.Address, why})
		default:
			out.To = append(out.To, d.Address)
			letters = append(letters, s.transfer(a, d))
		}
	}
	return out, letters, nil
}

// refuse says why a destination gets no report; later: it could not be looked up.
func (s *Sending) refuse(ctx context.Context, domain string, d dmarc.Destination, a attachment) (why lang.Text, later bool) {
	if int64(len(a.gz)) > d.Max {
		return lang.T(fmt.Sprintf("báo cáo lớn hơn mức họ nhận (%d > %d octet)", len(a.gz), d.Max), fmt.Sprintf("the report is larger than they take (%d > %d octets)", len(a.gz), d.Max)), false
	}
	if _, ok := s.NextHop(d.Domain); !ok {
		return lang.T("không có route ra tên miền này", "there is no route to this domain"), false
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ok, err := dmarc.MayReport(ctx, s.Resolver, domain, d)
	if err != nil {
		s.Log.Info("DMARC report waits: its destination could not be checked", "domain", domain, "destination", d.Address, "error", err)
		return lang.Text{}, true
	}
	if !ok {
		return lang.T("tên miền nhận chưa cho phép (RFC 9990 mục 4)", "the receiving domain has not agreed (RFC 9990 section 4)"), false
	}
	return lang.Text{}, false
}

// transfer makes the copy for one destination.
func (s *Sending) transfer(a attachment, d dmarc.Destination) *msg.Transfer {
	hop, _ := s.NextHop(d.Domain) // refuse has asked
	id := s.NewID()
	return &msg.Transfer{
		ID: id, NextHop: hop, Outbound: true, From: plainPath(s.Identity.From), To: []msg.Path{plainPath(d.Address)},
		Content: [][]byte{s.Identity.letter(a, d.Address, id, s.Now())},
	}
}

// plainPath is the path of an address that needs no quoting.
func plainPath(address string) msg.Path {
	at := strings.LastIndexByte(address, '@')
	return msg.Path{Raw: address, Local: address[:at], Domain: strings.ToLower(address[at+1:])}
}

// commit queues the letters and marks the part as sent, both or neither.
func (s *Sending) commit(ctx context.Context, p part, one Sent, letters []*msg.Transfer) error {
	outcome := "to " + strings.Join(one.To, " ")
	for _, l := range one.Left {
		outcome += "; not to " + l.Address + ": " + l.Why.EN
	}
	changes := []*store.Change{p.claim(s.Now(), outcome)}
	if len(letters) > 0 {
		c, err := s.Queue.Prepare(ctx, letters...)
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	err := s.Store.Commit(ctx, changes...)
	if err == nil {
		s.Log.Info("DMARC report", "domain", p.domain, "day", p.day.String(), "messages", one.Messages, "outcome", outcome)
	}
	return err
}

// Due lists the days that are over and may still be sent by themselves.
func Due(now time.Time) []Day {
	last := DayOf(now.Add(-settle)) - 1
	var out []Day
	for d := last - freshDays + 1; d <= last; d++ {
		out = append(out, d)
	}
	return out
}

package record

import (
	"context"
	"testing"
	"time"

	"congthu/internal/msg"
)

// letterTo is a letter from outside that one decision was made about for each recipient.
func letterTo(n int, at time.Time, fates map[string]msg.Action) Event {
	e := passed(n, at, msg.Deliver)
	e.Message.Envelope.To, e.Decisions = nil, nil
	for domain, a := range fates {
		p := path("van-thu", domain)
		e.Message.Envelope.To = append(e.Message.Envelope.To, p)
		d := msg.Decision{Action: a, To: []msg.Path{p}}
		if a != msg.Deliver {
			d.Reason = "spam"
		}
		e.Decisions = append(e.Decisions, d)
	}
	return e
}

func TestCountByDomain(t *testing.T) {
	r, now := bench(t, "")
	r.Note(letterTo(1, *now, map[string]msg.Action{"a.gov.vn": msg.Deliver, "b.gov.vn": msg.Quarantine}))
	r.Note(letterTo(2, *now, map[string]msg.Action{"a.gov.vn": msg.Quarantine}))
	r.Note(letterTo(3, now.Add(-2*time.Hour), map[string]msg.Action{"a.gov.vn": msg.Reject}))
	out := letterTo(4, *now, map[string]msg.Action{"elsewhere.example": msg.Deliver})
	out.Message.Session.Outbound, out.Message.Envelope.From = true, path("so", "B.gov.vn")
	r.Note(out)
	if err := r.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}

	everywhere := func(string) bool { return true }
	d, err := Count(context.Background(), r.o.Store, now.Add(-time.Hour), everywhere)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Tally{"a.gov.vn": {1, 0, 1, 0, 0}, "b.gov.vn": {1, 0, 1, 0, 0}}
	for domain, tally := range want {
		if d.Domains[domain] != tally {
			t.Errorf("%s: %v, want %v", domain, d.Domains[domain], tally)
		}
	}
	if len(d.Domains) != 2 || d.Total != (Tally{2, 0, 2, 0, 0}) || d.Total.All() != 4 || d.Reasons["spam"] != 2 {
		t.Errorf("in all: %+v", d)
	}

	d, err = Count(context.Background(), r.o.Store, now.Add(-3*time.Hour), func(domain string) bool { return domain == "a.gov.vn" })
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Domains) != 1 || d.Domains["a.gov.vn"] != (Tally{1, 0, 1, 1, 0}) || d.Reasons["spam"] != 2 {
		t.Errorf("one agency: %+v", d)
	}
}

func TestCountTakesTheHardestFateOfADomain(t *testing.T) {
	l := Letter{To: []Address{{Raw: "x@a.gov.vn"}, {Raw: "y@A.gov.vn"}}, Fates: []Fate{{Action: "quarantine", To: []int{0}}, {Action: "deliver", To: []int{1, 7, -1}}}}
	got := l.byDomain()
	if len(got) != 1 || got["a.gov.vn"].Action != "quarantine" {
		t.Errorf("%v", got)
	}
}

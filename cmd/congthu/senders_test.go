package main

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"congthu/internal/account"
	"congthu/internal/config"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// office is the senders of a gateway with one agency and three accounts.
func office(t *testing.T) (*senders, *store.DB, *int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := config.Default()
	c.Relay.RecipientsHour, c.Relay.RecipientsDay = 3, 0
	c.Agency = []config.Agency{{Name: "health", Domains: []string{"h.vn"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, RecipientsHour: 2, RecipientsDay: -1}}
	over := new(int)
	s, err := newSenders(c, db, slog.New(slog.NewTextHandler(io.Discard, nil)), func(string) { *over++ })
	if err != nil {
		t.Fatal(err)
	}
	hash, err := account.Hash("con-ngua-dung-pin-ghim")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []account.Account{{Name: "lan", Agency: "health"}, {Name: "scanner", Domains: []string{"s.vn"}}, {Name: "orphan", Agency: "gone"}} {
		if err := s.accounts.Add(t.Context(), a, hash, "test"); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Millisecond) // accounts change by the millisecond
	return s, db, over
}

var desk = netip.MustParseAddr("192.0.2.1")

func (s *senders) enter(t *testing.T, name string) *msg.Session {
	t.Helper()
	id, r := s.authenticate(t.Context(), desk, name, "con-ngua-dung-pin-ghim")
	if r != (msg.Reply{}) || id.Proof != msg.ByPassword || id.Account != name {
		t.Fatalf("%s: %+v %v", name, id, r)
	}
	return &msg.Session{Identity: id}
}

func path(domain string) msg.Path { return msg.Path{Raw: "a@" + domain, Local: "a", Domain: domain} }

func TestSendersSendAsThemselves(t *testing.T) {
	s, _, _ := office(t)
	for name, own := range map[string]string{"lan": "h.vn", "scanner": "s.vn", "orphan": ""} {
		who := s.enter(t, name)
		for _, domain := range []string{"h.vn", "s.vn", "x.h.vn", "gone"} {
			want := replyForeign
			if domain == own {
				want = msg.Reply{}
			}
			if got := s.checkMail(t.Context(), who, path(domain)); got != want {
				t.Errorf("%s as %s: %v", name, domain, got)
			}
		}
		if got := s.checkMail(t.Context(), who, msg.Path{}); got != (msg.Reply{}) {
			t.Errorf("%s with the null sender: %v", name, got)
		}
	}
	if got := s.checkMail(t.Context(), &msg.Session{}, path("anybody.vn")); got != (msg.Reply{}) {
		t.Errorf("a stranger's mail to us: %v", got)
	}
}

func TestChangesEndSessions(t *testing.T) {
	s, _, _ := office(t)
	for what, change := range map[string]func() error{
		"disabled": func() error { return s.accounts.SetDisabled(t.Context(), "lan", true, "") },
		"enabled again": func() error {
			return s.accounts.SetDisabled(t.Context(), "scanner", false, "")
		},
		"deleted": func() error { return s.accounts.Delete(t.Context(), "orphan", "") },
	} {
		who := s.enter(t, map[string]string{"disabled": "lan", "enabled again": "scanner", "deleted": "orphan"}[what])
		time.Sleep(2 * time.Millisecond) // as above
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if got := s.checkMail(t.Context(), who, msg.Path{}); got != replyChanged {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestTroubleOfTheStoreIsTemporary(t *testing.T) {
	s, db, _ := office(t)
	who := s.enter(t, "lan")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, r := s.authenticate(t.Context(), desk, "scanner", "con-ngua-dung-pin-ghim"); r != replyPaused {
		t.Errorf("AUTH: %v", r)
	}
	if r := s.checkMail(t.Context(), who, path("h.vn")); r != replyTrouble {
		t.Errorf("MAIL: %v", r)
	}
	if r := s.count(t.Context(), who); r != replyTrouble {
		t.Errorf("RCPT: %v", r)
	}
}

func TestSameAnswerForUnknownAndWrong(t *testing.T) {
	s, _, _ := office(t)
	for _, name := range []string{"lan", "nobody"} {
		for i, want := range []msg.Reply{replyWrong, replyWrong, replyWrong, replyPaused} {
			if _, got := s.authenticate(t.Context(), desk, name, "khong-phai-mat-khau"); got != want {
				t.Errorf("%s, try %d: %v", name, i+1, got)
			}
		}
	}
	for _, r := range []msg.Reply{replyWrong, replyPaused, replyTrouble, replyChanged, replyForeign, replyQuota} {
		if strings.ContainsFunc(r.Text, func(c rune) bool { return c < ' ' || c > '~' }) || !strings.Contains(r.Text, " / ") {
			t.Errorf("%v is not both languages in ASCII", r)
		}
	}
}

func TestLimitsOfSenders(t *testing.T) {
	s, _, over := office(t)
	for _, c := range []struct {
		who  *msg.Session
		want int
	}{
		{s.enter(t, "lan"), 2}, // the agency's limit
		{&msg.Session{Identity: s.Identify(netip.MustParseAddr("10.0.0.1"), nil)}, 2}, // and its own, apart
		{s.enter(t, "scanner"), 3}, // that of [relay]
	} {
		n := 0
		for s.count(t.Context(), c.who) == (msg.Reply{}) && n < 10 {
			n++
		}
		if got := s.count(t.Context(), c.who); n != c.want || got != replyQuota {
			t.Errorf("%+v: %d recipients, then %v", c.who.Identity, n, got)
		}
	}
	if *over != 6 {
		t.Errorf("%d refusals counted", *over)
	}
	for range 20 {
		if got := s.count(t.Context(), &msg.Session{Identity: msg.Identity{Proof: msg.ByNetwork}}); got != (msg.Reply{}) {
			t.Fatalf("a network of no agency: %v", got)
		}
	}
}

type answering msg.Reply

func (a answering) Handle(context.Context, *msg.Message) msg.Reply { return msg.Reply(a) }

func TestWhatComesAgainIsCountedOnce(t *testing.T) {
	s, _, _ := office(t)
	who := s.enter(t, "lan")
	m := &msg.Message{Session: *who, Envelope: msg.Envelope{To: []msg.Path{path("x.vn"), path("y.vn")}}}
	for _, c := range []struct {
		reply msg.Reply
		again bool
	}{{replyTrouble, true}, {msg.Reply{}, true}, {msg.Reply{Code: 250}, false}, {replyForeign, false}} {
		s.quota = account.NewQuota(emptyStore{}, slog.New(slog.DiscardHandler))
		for range m.Envelope.To {
			if r := s.count(t.Context(), who); r != (msg.Reply{}) {
				t.Fatal(r)
			}
		}
		counted{answering(c.reply), s.quota}.Handle(t.Context(), m)
		if got := s.count(t.Context(), who) == (msg.Reply{}); got != c.again {
			t.Errorf("after %v there is room: %v", c.reply, got)
		}
	}
}

// emptyStore has counted nothing yet.
type emptyStore struct{}

func (emptyStore) Update(context.Context, func(store.Tx) error) error { return nil }

func (emptyStore) View(context.Context, func(store.Tx) error) error { return nil }

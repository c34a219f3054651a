package burst

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

// house is a guard with a clock that only the test moves.
type house struct {
	*Guard
	now     time.Time
	known   map[string]bool
	held    map[string]string
	limits  Limits
	most    int
	days    int
	tripped []string
	letters int
}

func newHouse() *house {
	h := &house{now: time.Unix(1e9, 0), known: map[string]bool{}, held: map[string]string{}, limits: Limits{New: 10, SameBody: 6, Rejected: 5, RateTimes: 10, RateFrom: 20}}
	h.Guard = New(Options{
		Name:    func(id msg.Identity) string { return id.Account },
		Limits:  func(msg.Identity) Limits { return h.limits },
		Known:   func(name, address string) bool { return h.known[name+" "+address] },
		Usual:   func(string) (int, int) { return h.most, h.days },
		Held:    func(name string) (string, bool) { why, ok := h.held[name]; return why, ok },
		Tripped: func(name, symbol, _ string) { h.tripped = append(h.tripped, name+" "+symbol) },
		Now:     func() time.Time { return h.now },
	})
	return h
}

func path(s string) msg.Path {
	local, domain, _ := strings.Cut(s, "@")
	return msg.Path{Raw: s, Local: local, Domain: domain}
}

// send sends a letter of an account and returns the symbols.
func (h *house) send(t testing.TB, account, body string, to ...string) string {
	t.Helper()
	h.letters++
	m := &msg.Message{ID: fmt.Sprint(h.letters), Raw: []byte("Subject: x\r\n\r\n" + body), Session: msg.Session{Outbound: true, Identity: msg.Identity{Account: account}}}
	for _, a := range to {
		m.Envelope.To = append(m.Envelope.To, path(a))
	}
	found, _, err := h.Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if !slices.Contains(Symbols(), f.Symbol) {
			t.Errorf("%s is not listed", f.Symbol)
		}
		out = append(out, f.Symbol)
	}
	return strings.Join(out, " ")
}

func people(prefix string, from, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%s%d@ngoai.test", prefix, from+i))
	}
	return out
}

func TestNewRecipients(t *testing.T) {
	h := newHouse()
	for i := range 10 {
		if got := h.send(t, "lan", fmt.Sprint("thu ", i), people("a", i, 1)...); got != "" {
			t.Fatalf("letter %d: %s", i, got)
		}
	}
	if got := h.send(t, "an", "x", "a99@ngoai.test"); got != "" {
		t.Errorf("another account: %s", got)
	}
	if got := h.send(t, "lan", "thu 9", people("a", 9, 1)...); got != "" {
		t.Errorf("the same letter brought again: %s", got)
	}
	if got := h.send(t, "lan", "thu 10", people("a", 10, 1)...); got != NewRecipients || !slices.Equal(h.tripped, []string{"lan " + NewRecipients}) {
		t.Errorf("the eleventh: %s %q", got, h.tripped)
	}
	h.now = h.now.Add(time.Hour)
	if got := h.send(t, "lan", "thu 11", people("b", 0, 10)...); got != "" {
		t.Errorf("an hour later: %s", got)
	}
}

// A house that writes to those it has written to is not stopped, nor is a few new ones
// among many old.
func TestKnownRecipients(t *testing.T) {
	h := newHouse()
	old := people("cu", 0, 200)
	for _, a := range old {
		h.known["lan "+a] = true
	}
	if got := h.send(t, "lan", "ban tin", old...); got != "" {
		t.Errorf("a newsletter to its readers: %s", got)
	}
	if got := h.send(t, "lan", "ban tin", people("moi", 0, 6)...); got != "" {
		t.Errorf("some new readers: %s", got)
	}
	if got := h.send(t, "lan", "khac", people("khac", 0, 30)...); got != "" {
		t.Errorf("thirty new among two hundred old: %s", got)
	}
}

func TestSameBody(t *testing.T) {
	h := newHouse()
	h.limits.New = 0
	if got := h.send(t, "lan", "mot thu", people("a", 0, 50)...); got != "" {
		t.Errorf("one letter to fifty: %s", got) // that is what New is for
	}
	h = newHouse()
	h.limits.New = 0
	for i := range 6 {
		if got := h.send(t, "lan", "mot thu", people("a", i, 1)...); got != "" {
			t.Fatalf("copy %d: %s", i, got)
		}
	}
	if got := h.send(t, "lan", "mot thu", "a7@ngoai.test"); got != SameBody {
		t.Errorf("the seventh copy: %s", got)
	}
	if got := h.send(t, "lan", "thu khac", "a8@ngoai.test"); got != "" {
		t.Errorf("another letter: %s", got)
	}
}

func TestRejected(t *testing.T) {
	h := newHouse()
	id := msg.Identity{Account: "lan"}
	for range 6 {
		h.Refused(id)
	}
	if got := h.send(t, "lan", "x", "a@ngoai.test"); got != Rejected {
		t.Errorf("%s", got)
	}
	h = newHouse()
	for _, a := range people("a", 0, 30) {
		h.known["lan "+a] = true
	}
	for range 6 {
		h.Refused(id)
	}
	if got := h.send(t, "lan", "x", people("a", 0, 30)...); got != "" {
		t.Errorf("six wrong among thirty right: %s", got)
	}
	h.Refused(msg.Identity{})
	if len(h.senders) != 1 {
		t.Error("nobody is counted")
	}
	for range 2 * maxRefused {
		h.Refused(id)
	}
	if n := len(h.senders["lan"].refused); n != maxRefused {
		t.Errorf("%d are kept", n)
	}
}

func TestRate(t *testing.T) {
	to := people("a", 0, 60)
	for _, c := range []struct {
		most, days int
		want       string
	}{{5, 10, Rate}, {6, 10, ""}, {5, 4, ""}, {1, 30, Rate}} {
		h := newHouse()
		h.limits.New, h.most, h.days = 0, c.most, c.days
		if got := h.send(t, "lan", "x", to...); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestHeld(t *testing.T) {
	h := newHouse()
	h.held["lan"] = "vi sao"
	if got := h.send(t, "lan", "x", "a@ngoai.test"); got != Held || len(h.tripped) != 0 {
		t.Errorf("%s %q", got, h.tripped)
	}
	h.send(t, "an", "x", people("a", 0, 9)...)
	if got := h.Most(); len(got) != 1 || got["an"] != 9 {
		t.Errorf("most: %v", got)
	}
	h.Forget("an")
	if got := h.send(t, "an", "y", people("b", 0, 9)...); got != "" {
		t.Errorf("after somebody has looked: %s", got)
	}
}

// Strangers' mail and that of networks that are nobody's is not counted.
func TestNobody(t *testing.T) {
	h := newHouse()
	h.limits.New = 1
	if got := h.send(t, "", "x", people("a", 0, 9)...); got != "" {
		t.Errorf("%s", got)
	}
	m := &msg.Message{Session: msg.Session{Identity: msg.Identity{Account: "lan"}}}
	if found, _, _ := h.Inspect(t.Context(), m); found != nil || len(h.senders) != 0 {
		t.Errorf("%v", found)
	}
}

func TestIsBounded(t *testing.T) {
	h := newHouse()
	h.limits = Limits{}
	for i := range 25 {
		h.send(t, "lan", fmt.Sprint(i), people("a", i*1000, 1000)...)
	}
	if n := len(h.senders["lan"].seen); n > maxRecipients {
		t.Errorf("%d recipients", n)
	}
	h.now = h.now.Add(2 * time.Hour)
	h.send(t, "an", "x", "a@ngoai.test")
	if len(h.senders) != 1 {
		t.Errorf("%d senders are remembered", len(h.senders))
	}
}

// Whatever is sent, no figure is above what was sent.
func FuzzCount(f *testing.F) {
	f.Add("abcabc", uint16(30), uint8(3))
	f.Fuzz(func(t *testing.T, text string, step uint16, limit uint8) {
		h := newHouse()
		h.limits = Limits{New: int(limit), SameBody: int(limit), Rejected: int(limit), RateTimes: 1, RateFrom: 1}
		distinct := map[string]bool{}
		for _, c := range text[:min(len(text), 200)] {
			to := string(c) + "@ngoai.test"
			distinct[path(to).Key()] = true
			h.now = h.now.Add(time.Duration(step) * time.Second)
			h.send(t, "lan", string(c%3), to)
			got := h.senders["lan"].totals(0)
			if got.all > len(distinct) || got.fresh > got.all || got.same > got.fresh {
				t.Fatalf("%+v of %d", got, len(distinct))
			}
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	h := newHouse()
	h.limits = Limits{New: 1 << 30}
	to := people("a", 0, 500)
	for b.Loop() {
		h.now = h.now.Add(time.Second)
		h.send(b, "lan", "x", to[h.letters%500])
	}
}

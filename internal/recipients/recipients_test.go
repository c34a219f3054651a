package recipients

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
)

func path(addr string) msg.Path {
	local, domain, _ := strings.Cut(addr, "@")
	return msg.Path{Raw: addr, Local: local, Domain: domain}
}

// hop is a next hop that counts what it is asked.
type hop struct {
	mu    sync.Mutex
	reply msg.Reply
	asked int
	hang  bool
}

func (h *hop) ask(ctx context.Context, _ string, _ msg.Path) msg.Reply {
	h.mu.Lock()
	h.asked++
	r, hang := h.reply, h.hang
	h.mu.Unlock()
	if hang {
		<-ctx.Done()
		return msg.Reply{}
	}
	return r
}

func TestOnlyARefusalOfTheAddressIsANo(t *testing.T) {
	for _, c := range []struct {
		reply   msg.Reply
		refused bool
		again   bool // asked again the next time
	}{
		{msg.Reply{Code: 250, Detail: "1.5"}, false, false},
		{msg.Reply{Code: 550, Detail: "1.1", Text: "nobody"}, true, false},
		{msg.Reply{Code: 550, Text: "nobody"}, true, false},
		{msg.Reply{Code: 551}, true, false},
		{msg.Reply{Code: 553, Detail: "1.3"}, true, false},
		{msg.Reply{Code: 550, Detail: "1.0"}, true, false},
		{msg.Reply{Code: 550, Detail: "7.1", Text: "you are on a list"}, false, true},
		{msg.Reply{Code: 550, Detail: "1.8", Text: "your sender"}, false, true},
		{msg.Reply{Code: 552, Detail: "2.2", Text: "full"}, false, true},
		{msg.Reply{Code: 554, Text: "no"}, false, true},
		{msg.Reply{Code: 503, Text: "sequence"}, false, true},
		{msg.Reply{Code: 450, Detail: "2.0", Text: "greylisted"}, false, true},
		{msg.Reply{Code: 421}, false, true},
	} {
		h := &hop{reply: c.reply}
		b := New(Options{Ask: h.ask})
		for range 2 {
			r := b.Check(t.Context(), "h:25", path("a@b.test"))
			if (r.Code != 0) != c.refused || c.refused && (!r.Permanent() || r.Detail == "") {
				t.Errorf("%v: answered %v", c.reply, r)
			}
		}
		if want := map[bool]int{true: 2, false: 1}[c.again]; h.asked != want {
			t.Errorf("%v: asked %d times, want %d", c.reply, h.asked, want)
		}
	}
}

func TestAnswersAgeByTheirKind(t *testing.T) {
	h := &hop{reply: msg.Reply{Code: 550, Detail: "1.1"}}
	b := New(Options{Ask: h.ask})
	now := time.Now()
	b.now = func() time.Time { return now }
	check := func(refused bool, asked int) {
		t.Helper()
		if r := b.Check(t.Context(), "h:25", path("new@b.test")); (r.Code != 0) != refused || h.asked != asked {
			t.Errorf("%v, asked %d times, want %d", r, h.asked, asked)
		}
	}
	check(true, 1)
	now = now.Add(14 * time.Minute)
	check(true, 1)
	h.reply = msg.Reply{Code: 250} // the mailbox was made
	now = now.Add(2 * time.Minute)
	check(false, 2)
	h.reply = msg.Reply{Code: 550, Detail: "1.1"}
	now = now.Add(59 * time.Minute)
	check(false, 2)
	now = now.Add(2 * time.Minute)
	check(true, 3)
}

// A next hop that is down costs one wait, not one for each recipient, and refuses nobody.
func TestNoAnswerIsAYes(t *testing.T) {
	h := &hop{hang: true}
	b := New(Options{Ask: h.ask, Timeout: 20 * time.Millisecond})
	now := time.Now()
	b.now = func() time.Time { return now }
	for i := range 50 {
		if r := b.Check(t.Context(), "h:25", path(fmt.Sprintf("a%d@b.test", i))); r.Code != 0 {
			t.Fatalf("refused: %v", r)
		}
	}
	if h.asked != 1 {
		t.Errorf("asked %d times", h.asked)
	}
	h.hang, h.reply = false, msg.Reply{Code: 550, Detail: "1.1"}
	now = now.Add(time.Minute)
	if r := b.Check(t.Context(), "h:25", path("a@b.test")); r.Code != 550 {
		t.Errorf("not asked again: %v", r)
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	asked, answer := make(chan bool, 10), make(chan bool)
	b := New(Options{Asking: 2, Timeout: time.Minute, Ask: func(context.Context, string, msg.Path) msg.Reply {
		asked <- true
		<-answer
		return msg.Reply{Code: 550, Detail: "1.1"}
	}})
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if r := b.Check(t.Context(), "h:25", path(fmt.Sprintf("a%d@b.test", i))); r.Code != 550 {
				t.Errorf("%v", r)
			}
		})
	}
	<-asked
	<-asked
	for i := range 5 {
		if r := b.Check(t.Context(), "h:25", path(fmt.Sprintf("b%d@b.test", i))); r.Code != 0 {
			t.Errorf("refused without a question: %v", r)
		}
	}
	close(answer)
	wg.Wait()
	if len(asked) != 0 {
		t.Errorf("%d more were asked about", len(asked))
	}
}

func TestLearnFromDeliveries(t *testing.T) {
	h := &hop{reply: msg.Reply{Code: 250}}
	b := New(Options{Ask: h.ask})
	b.Learn("h:25", path("gone@b.test"), msg.Reply{Code: 550, Detail: "1.1", Text: "nobody"})
	b.Learn("h:25", path("here@b.test"), msg.Reply{Code: 250})
	if r := b.Check(t.Context(), "h:25", path("gone@b.test")); r.Code != 550 || r.Status() != "5.1.1" {
		t.Errorf("%v", r)
	}
	if r := b.Check(t.Context(), "h:25", path("here@b.test")); r.Code != 0 || h.asked != 0 {
		t.Errorf("%v, asked %d times", r, h.asked)
	}
	if r := b.Check(t.Context(), "other:25", path("gone@b.test")); r.Code != 0 || h.asked != 1 {
		t.Errorf("another hop's refusal counts: %v", r)
	}
	// What may have been about the sender is no reason to refuse everybody's mail.
	for i, r := range []msg.Reply{{Code: 550, Text: "blocked"}, {Code: 550, Detail: "7.1"}, {Code: 550, Detail: "1.0"}, {Code: 550, Detail: "1.8"}, {Code: 450}, {}} {
		to := path(fmt.Sprintf("r%d@b.test", i))
		b.Learn("h:25", to, r)
		if got := b.Check(t.Context(), "h:25", to); got.Code != 0 {
			t.Errorf("learnt from %v: %v", r, got)
		}
	}
}

func TestForgetsTheOneNotUsedForLongest(t *testing.T) {
	b := New(Options{Size: 10, Ask: (&hop{}).ask})
	gone := msg.Reply{Code: 550, Detail: "1.1"}
	for i := range 100 {
		b.Learn("h:25", path(fmt.Sprintf("a%d@b.test", i)), gone)
		b.Check(t.Context(), "h:25", path("a0@b.test"))
	}
	if len(b.known) != 10 || b.recent.Len() != 10 {
		t.Errorf("%d entries, %d in the list", len(b.known), b.recent.Len())
	}
	if r, known := b.look(key{"h:25", "a0", "b.test"}); !known || r.Code != 550 {
		t.Error("the one in use was forgotten")
	}
}

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/e2e"
)

// TestRepliesSurviveKills: the daemon is killed again and again while it takes replies to a
// digest, whose sender comes again with the same letter until it hears 250. In the end each
// letter that was asked for has been released once by the record, and has arrived; each
// reply has one answer, though a kill may bring that one twice; the chain is whole.
func TestRepliesSurviveKills(t *testing.T) {
	t.Parallel()
	letters, kills := 24, 5
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		letters, kills = 48, 40
	}
	zone, err := fake.ParseZone(releasingZone)
	if err != nil {
		t.Fatal(err)
	}
	p := openProvince(t, loopback(spare(), 1), &e2e.Case{Config: releasing + "[notice]\nper_hour = 1000\n", Zone: zone})
	c := &e2e.Case{Messages: map[string][]byte{}}
	for i := range letters {
		name := fmt.Sprint("so-", i)
		c.Messages[name] = []byte("From: Van thu <van-thu@a.test>\r\nTo: <reply@so.gov.test>\r\nSubject: " + name + "\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <" + name + "@a.test>\r\n\r\n" + gtube + "\r\n")
		c.Dialogue = append(c.Dialogue, "LETTER "+name+" from=van-thu@a.test to=reply@so.gov.test ip=192.0.2.1 helo=mx.a.test => 250")
	}
	c.Dialogue = append(c.Dialogue, "SLEEP 2500ms", "RESTART", "WAIT delivered 1", `UNTIL queue list --json => ^\[\]`)
	if err := p.Play(c); err != nil {
		t.Fatal(err)
	}
	codes := codesIn(p.Gateway)
	if len(codes) != letters {
		t.Fatalf("%d codes in the digest, want %d", len(codes), letters)
	}
	var taken atomic.Int64
	var senders sync.WaitGroup
	for first := range 4 {
		senders.Go(func() {
			for i := first; i < len(codes); i += 4 {
				insist(t, p.Gateway, i, codes[i])
				taken.Add(1)
			}
		})
	}
	for kill := range kills {
		for at := taken.Load(); taken.Load() < at+1 && taken.Load() < int64(letters); {
			time.Sleep(time.Millisecond) // a slow machine has done something by then
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		p.Kill()
		whole(t, p.Gateway, kill)
		if err := p.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	senders.Wait()
	if err := p.Play(&e2e.Case{Dialogue: []string{"RUN queue retry all => 0", `UNTIL queue list --json => ^\[\]`}}); err != nil {
		t.Fatal(err)
	}
	whole(t, p.Gateway, kills)
	p.eachOnce(letters)
}

// insist sends a reply until it is taken, as a server does.
func insist(t *testing.T, g *e2e.Gateway, n int, code string) {
	raw := fmt.Sprintf("From: <reply@so.gov.test>\r\nTo: <cong-thu@gw.congthu.test>\r\nSubject: Re\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <re-%d@so.gov.test>\r\n\r\nNHAN %s\r\n", n, code)
	c := &e2e.Case{Messages: map[string][]byte{"re": []byte(raw)}, Dialogue: []string{"LETTER re from=reply@so.gov.test to=cong-thu@gw.congthu.test ip=192.0.2.9 helo=mx.so.gov.test => 250"}}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := g.Play(c)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Errorf("reply %d is not taken: %v", n, err)
			return
		}
	}
}

// eachOnce looks at what has come of the replies.
func (p *province) eachOnce(letters int) {
	p.t.Helper()
	arrived, answers := map[string]int{}, map[string]map[string]bool{}
	field := func(name string, data []byte) string {
		m := regexp.MustCompile(`(?m)^` + name + `: <?([^>\r]*)`).FindSubmatch(data)
		if m == nil {
			return ""
		}
		return string(m[1])
	}
	for _, d := range p.Sink.Deliveries() {
		if d.From != "" {
			arrived[field("Subject", d.Data)]++
		} else if re := field("In-Reply-To", d.Data); re != "" {
			if answers[re] == nil {
				answers[re] = map[string]bool{}
			}
			answers[re][field("Message-ID", d.Data)] = true
		}
	}
	for re, ids := range answers {
		if len(ids) != 1 {
			p.t.Errorf("%s has %d answers", re, len(ids))
		}
	}
	released := map[string]int{}
	var list []struct{ Act, Object string }
	p.json(&list, "audit", "list", "--act", "quarantine.release", "--limit", "10000")
	for _, e := range list {
		released[e.Object]++
	}
	for id, n := range released {
		if n != 1 {
			p.t.Errorf("%s is on record as released %d times", id, n)
		}
	}
	out, _, _ := p.Run("quarantine", "list", "--json")
	if len(arrived) != letters || len(answers) != letters || len(released) != letters || strings.TrimSpace(out) != "[]" {
		p.t.Errorf("of %d letters %d have arrived, %d are on record, %d replies are answered; held: %s", letters, len(arrived), len(released), len(answers), out)
	}
	p.t.Logf("%d letters asked for: %d arrived, %d on record, %d answered", letters, len(arrived), len(released), len(answers))
}

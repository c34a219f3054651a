package dns

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

const soa = "test. %d IN SOA ns.test. h.test. 1 1 1 1 %d"

func TestBelief(t *testing.T) {
	cases := map[string]struct {
		lines    []string
		rcode    int
		believed time.Duration // 0: not at all
	}{
		"its time to live":     {[]string{`a.test. 60 IN TXT "x"`}, 0, time.Minute},
		"the shortest":         {[]string{`a.test. 60 IN TXT "x"`, `a.test. 10 IN TXT "y"`}, 0, 10 * time.Second},
		"the alias's":          {[]string{`a.test. 5 IN CNAME b.test.`, `b.test. 60 IN TXT "x"`}, 0, 5 * time.Second},
		"at most an hour":      {[]string{`a.test. 86400 IN TXT "x"`}, 0, time.Hour},
		"zero":                 {[]string{`a.test. 0 IN TXT "x"`}, 0, 0},
		"negative is zero":     {[]string{`a.test. 2147483648 IN TXT "x"`}, 0, 0},
		"absence by minimum":   {[]string{fmt.Sprintf(soa, 600, 30)}, mdns.RcodeNameError, 30 * time.Second},
		"absence by SOA's TTL": {[]string{fmt.Sprintf(soa, 20, 600)}, mdns.RcodeNameError, 20 * time.Second},
		"absence is capped":    {[]string{fmt.Sprintf(soa, 86400, 86400)}, mdns.RcodeNameError, 5 * time.Minute},
		"empty answer":         {[]string{fmt.Sprintf(soa, 40, 40)}, 0, 40 * time.Second},
		"absence without SOA":  {nil, mdns.RcodeNameError, 0},
		"failure":              {nil, mdns.RcodeServerFailure, 0},
		"too large":            {[]string{`a.test. 60 IN TXT "` + strings.Repeat("x", 250) + `" "` + strings.Repeat(strings.Repeat("y", 250)+`" "`, 20) + `z"`}, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(q *mdns.Msg, tcp bool) *mdns.Msg {
				m := records(t, q, c.lines...)
				m.Rcode = c.rcode
				if !tcp {
					m.Truncate(udpSize)
				}
				return m
			})
			r, clk := resolver(t, Options{Servers: []string{s.addr}}), &clock{t: time.Unix(1e9, 0)}
			r.now = clk.now
			asks := func() bool {
				before := s.udp.Load()
				_, _ = lookupTXT(t, r, "a.test")
				return s.udp.Load() > before
			}
			asks()
			if c.believed == 0 {
				if !asks() {
					t.Error("answered from memory")
				}
				return
			}
			clk.pass(c.believed - time.Millisecond)
			if asks() {
				t.Error("asked again before its time")
			}
			clk.pass(time.Millisecond)
			if !asks() {
				t.Error("believed for too long")
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		return records(t, q, q.Question[0].Name+` 60 IN TXT "x"`)
	})
	r := resolver(t, Options{Servers: []string{s.addr}, CacheSize: 3})
	for _, name := range []string{"a.test", "b.test", "c.test", "a.test", "d.test", "a.test"} {
		if _, err := lookupTXT(t, r, name); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.udp.Load(); n != 4 { // a b c, then d in b's place; a stays because it was used
		t.Errorf("%d questions, want 4", n)
	}
	if len(r.cache) != 3 || r.recent.Len() != 3 {
		t.Errorf("%d and %d entries, want 3", len(r.cache), r.recent.Len())
	}
	if none := resolver(t, Options{Servers: []string{s.addr}, CacheSize: -1}); true {
		_, _ = lookupTXT(t, none, "a.test")
		if len(none.cache) != 0 {
			t.Error("kept although told not to")
		}
	}
}

// Many who ask the same are one question; one who gives up does not fail the rest.
func TestOneFlight(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		arrived <- struct{}{}
		<-release
		return records(t, q, `a.test. 60 IN TXT "x"`)
	})
	r := resolver(t, Options{Servers: []string{s.addr}})
	impatient, giveUp := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := r.LookupTXT(impatient, "a.test")
		gone <- err
	}()
	<-arrived // the first to ask is the one who gives up
	var wait sync.WaitGroup
	errs := make(chan error, 50)
	for range 50 {
		wait.Go(func() {
			_, err := r.LookupTXT(t.Context(), "a.test")
			errs <- err
		})
	}
	giveUp()
	if k := kind(t, <-gone); k != "time-out" {
		t.Errorf("who gave up got %s", k)
	}
	close(release)
	wait.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := s.udp.Load(); n != 1 {
		t.Errorf("%d questions, want 1", n)
	}
	if len(r.flying) != 0 {
		t.Error("a flight never landed")
	}
}

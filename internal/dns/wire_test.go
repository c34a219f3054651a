package dns

import (
	"errors"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

func replyWire(tb testing.TB, q question, id uint16, lines ...string) []byte {
	tb.Helper()
	m := new(mdns.Msg)
	m.SetQuestion(q.name, q.qtype)
	m.Id, m.Response, m.RecursionAvailable = id, true, true
	for _, l := range lines {
		rr, err := mdns.NewRR(l)
		if err != nil {
			tb.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	wire, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return wire
}

// A truncated reply is recognised although its records do not parse to the end.
func TestTruncatedMidRecord(t *testing.T) {
	q := question{"a.test.", mdns.TypeTXT}
	wire := replyWire(t, q, 7, `a.test. 60 IN TXT "some text that is cut"`)
	wire = wire[:len(wire)-9]
	if _, err := parseReply(wire, q, 7); !errors.Is(err, errBogus) {
		t.Errorf("cut without TC: %v, want %v", err, errBogus)
	}
	wire[2] |= 0x02
	if _, err := parseReply(wire, q, 7); !errors.Is(err, errTruncated) {
		t.Errorf("cut with TC: %v, want %v", err, errTruncated)
	}
}

// Whatever a server sends, an accepted answer is about the question asked, is
// believed for a time that is not negative, and is either records or an error.
func FuzzReply(f *testing.F) {
	q := question{"a.test.", mdns.TypeTXT}
	for _, lines := range [][]string{
		nil,
		{`a.test. 60 IN TXT "v=spf1 -all"`},
		{`a.test. 60 IN CNAME b.test.`, `b.test. 4294967295 IN TXT "x" "y"`},
		{`a.test. 60 IN CNAME a.test.`},
		{`a.test. 60 IN MX 10 mx.test.`, `a.test. 60 IN AAAA ::1`},
	} {
		f.Add(replyWire(f, q, 0x1234, lines...))
	}
	f.Add([]byte("\x12\x34\x80\x00\x00\x01\xff\xff"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		m, err := parseReply(wire, q, 0x1234)
		if err != nil {
			return
		}
		if !m.Response || m.Id != 0x1234 {
			t.Fatal("took something else for the reply")
		}
		if usable(m) != nil {
			return
		}
		a, err := readAnswer(m, q)
		if err != nil {
			return
		}
		if (a.err == nil) != (len(a.records) > 0) || a.ttl < 0 || a.ttl > (1<<31)*time.Second {
			t.Fatalf("%d records, error %v, ttl %v", len(a.records), a.err, a.ttl)
		}
		for _, rr := range a.records {
			if rr.Header().Rrtype != q.qtype {
				t.Fatalf("record of type %d", rr.Header().Rrtype)
			}
		}
	})
}

package spf

import (
	"net/netip"
	"strings"
	"testing"

	"congthu/internal/conformance"
	"congthu/internal/dns/fake"
)

// TestConformance runs the published RFC 7208 test suite: results, and the
// explanation where the suite names one.
func TestConformance(t *testing.T) {
	s := conformance.Open(t, "spf", "spf")
	for _, doc := range s.Documents("rfc7208-tests.yml") {
		zone := suiteZone(doc.Get("zonedata"))
		for _, c := range doc.Get("tests").Pairs() {
			var want []string
			for _, w := range c.Value.Get("result").List() {
				want = append(want, w.Text()+suiteExplanation(c.Value, w.Text()))
			}
			end, owner := suiteCheck(t, zone, c.Value)
			got := end.status
			if c.Value.Get("explanation").Given() && end.status == Fail {
				got += " " + owner
			}
			s.Case(c.Key, got, want, end.reason)
		}
	}
	s.Done(203)
}

// suiteExplanation is what must be said beside a result; DEFAULT is the receiver's own
// text, which for us is none.
func suiteExplanation(c conformance.Node, result string) string {
	e := c.Get("explanation")
	if !e.Given() || result != Fail {
		return ""
	}
	return " " + strings.TrimPrefix(e.Text(), "DEFAULT")
}

func suiteCheck(t *testing.T, z fake.Zone, c conformance.Node) (outcome, string) {
	t.Helper()
	from, helo := path(c.Get("mailfrom").Text()), c.Get("helo").Text()
	id := identity{local: from.Local, domain: from.Domain, helo: helo}
	if id.domain == "" {
		id.local, id.domain = postmaster, helo
	}
	if id.local == "" {
		id.local = postmaster
	}
	if !checkable(id.domain) {
		return outcome{status: None}, ""
	}
	return id.evaluate(t.Context(), z, netip.MustParseAddr(c.Get("host").Text()))
}

// suiteZone turns a scenario's zone into ours. SPF stands for TXT unless TXT is given,
// and TIMEOUT concerns the types that have no record.
func suiteZone(data conformance.Node) fake.Zone {
	z := make(fake.Zone)
	for _, name := range data.Pairs() {
		key := strings.ToLower(name.Key)
		z[key] = []fake.Record{}
		types := make(map[string]bool)
		for _, e := range name.Value.List() {
			for _, r := range e.Pairs() {
				types[r.Key] = r.Value.Text() != "NONE"
			}
		}
		_, noDefault := types["TXT"]
		for _, e := range name.Value.List() {
			if e.Text() == "TIMEOUT" {
				z[key] = append(z[key], timeouts(types, noDefault)...)
			}
			for _, r := range e.Pairs() {
				z[key] = append(z[key], suiteRecord(r, noDefault)...)
			}
		}
	}
	return z
}

func timeouts(types map[string]bool, noDefault bool) []fake.Record {
	var out []fake.Record
	for _, typ := range []string{"A", "AAAA", "MX", "TXT", "PTR"} {
		if !types[typ] && (typ != "TXT" || noDefault || !types["SPF"]) {
			out = append(out, fake.Timeout(typ))
		}
	}
	return out
}

func suiteRecord(r conformance.Pair, noDefault bool) []fake.Record {
	text := r.Value.Text()
	switch {
	case text == "NONE", r.Key == "SPF" && noDefault:
		return nil
	case r.Key == "SPF":
		return []fake.Record{fake.TXT(text)}
	case r.Key == "MX":
		l := r.Value.List()
		return []fake.Record{{Type: "MX", Data: l[0].Text() + " " + l[1].Text()}}
	}
	return []fake.Record{{Type: r.Key, Data: text}}
}

package dmarc

import (
	"fmt"
	"math"
	"net/mail"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
)

func TestDestinations(t *testing.T) {
	for _, c := range []struct{ rua, want string }{
		{"mailto:d@a.test", "d@a.test"},
		{" MAILTO:D@A.Test!10m , mailto:e@b.test!2K", "D@a.test!10485760 e@b.test!2048"},
		{"mailto:d@a.test!500", "d@a.test!500"},
		{"mailto:d@a.test!ten", ""},
		{"mailto:d@a.test!9999999999t", ""},
		{"mailto:d@a.test!", ""},
		{"https://a.test/r, mailto:d@a.test", "d@a.test"},
		{"mailto:d@a.test, mailto:d@A.test", "d@a.test"},
		{"mailto:d%2Bx@a.test?subject=y", "d+x@a.test"},
		{"mailto:a@b@c.test", ""},
		{"mailto:@a.test", ""},
		{"mailto:d@", ""},
		{"mailto:d%0d%0aRCPT@a.test", ""},
		{"mailto:\"d d\"@a.test", ""},
		{"mailto:d@[192.0.2.1]", ""},
		{"mailto:a@1.test,mailto:a@2.test,mailto:a@3.test,mailto:a@4.test,mailto:a@5.test,mailto:a@6.test", "a@1.test a@2.test a@3.test a@4.test a@5.test"},
		{"mailto:thu@thư.test", "thu@xn--th-e0a.test"},
		{"", ""},
	} {
		var got []string
		for _, d := range Destinations(c.rua) {
			s := d.Address
			if d.Max != math.MaxInt64 {
				s += fmt.Sprintf("!%d", d.Max)
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, want %q", c.rua, got, c.want)
		}
	}
}

// What is kept of a record for the report is read again as the same addresses, and is
// plain text whatever the record holds.
func TestReportable(t *testing.T) {
	for _, c := range []struct{ at, rua, want string }{
		{"a.test", "mailto:d@a.test!10k, https://a.test, mailto:\x00\xff@a.test", "mailto:d@a.test!10240"},
		{"a.test", "mailto:d%25%3F%21,@a.test,mailto:d%25%3F%21@b.test", "mailto:d%25%3F%21@b.test"},
		{"a.test", "https://a.test", ""},
		{"a\x00.test", "mailto:d@a.test", ""},
		{"a b.test", "mailto:d@a.test", ""},
	} {
		got := Result{Status: Fail, PolicyAt: c.at, Record: &Record{RUA: c.rua}}.Reportable()
		if got != c.want || len(Destinations(got)) != min(len(got), 1) {
			t.Errorf("%q at %q: %q", c.rua, c.at, got)
		}
	}
	if got := (Result{Status: TempError, PolicyAt: "a.test", Record: &Record{RUA: "mailto:d@a.test"}}).Reportable(); got != "" {
		t.Errorf("an open question is reported: %q", got)
	}
}

func TestMayReport(t *testing.T) {
	z := policies(map[string]string{"a.test": "p=reject", "b.test": "p=none", "down.test": "p=none"})
	z["a.test._report._dmarc.c.test"] = []fake.Record{fake.TXT("other"), fake.TXT("v=DMARC1")}
	z["a.test._report._dmarc.d.test"] = []fake.Record{fake.TXT("v=spf1 -all")}
	z["a.test._report._dmarc.down.test"] = []fake.Record{fake.ServFail("")}
	for _, c := range []struct {
		to   string
		want bool
		fail bool
	}{
		{"a.test", true, false},
		{"reports.a.test", true, false},
		{"b.test", false, false},
		{"c.test", true, false},
		{"d.test", false, false},
		{"down.test", false, true},
	} {
		got, err := MayReport(t.Context(), z, "a.test", Destination{Domain: c.to})
		if got != c.want || (err != nil) != c.fail {
			t.Errorf("%s: %v, %v", c.to, got, err)
		}
	}
	z["_dmarc.x.a.test"] = []fake.Record{fake.Timeout("")}
	if ok, err := MayReport(t.Context(), z, "x.a.test", Destination{Domain: "c.test"}); ok || err == nil {
		t.Errorf("an organisation that cannot be looked up: %v, %v", ok, err)
	}
}

// Whatever a record says, an address that comes out of it is one plain mailbox.
func FuzzDestinations(f *testing.F) {
	for _, s := range []string{"mailto:d@a.test!10m,https://x", "mailto:%22@%22@a.test", "mailto:d@a.test!9999999999999g", "mailto:a%00@b.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rua string) {
		got := Destinations(rua)
		if len(got) > maxDestinations {
			t.Fatalf("%d addresses", len(got))
		}
		for _, d := range got {
			a, err := mail.ParseAddress("<" + d.Address + ">")
			if err != nil || a.Address != d.Address || strings.ContainsAny(d.Address, " \r\n\x00<>\"") || d.Max < 0 {
				t.Fatalf("%q: %+v %v", rua, d, err)
			}
			if again := Destinations(d.String()); len(again) != 1 || again[0] != d {
				t.Fatalf("%q is read again as %+v", d, again)
			}
		}
	})
}

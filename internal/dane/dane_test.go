package dane_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/dane"
	"congthu/internal/testca"
)

func digest(matching uint8, b []byte) []byte {
	switch matching {
	case 1:
		s := sha256.Sum256(b)
		return s[:]
	case 2:
		s := sha512.Sum512(b)
		return s[:]
	}
	return b
}

func record(usage, selector, matching uint8, c *x509.Certificate) dane.Record {
	of := c.Raw
	if selector == 1 {
		of = c.RawSubjectPublicKeyInfo
	}
	return dane.Record{Usage: usage, Selector: selector, Matching: matching, Data: digest(matching, of)}
}

func TestVerify(t *testing.T) {
	authority := testca.New(t)
	ca := authority.Cert
	leaf := authority.Issue(t, "mx.a.test", time.Hour).Leaf
	old := authority.Issue(t, "mx.a.test", -time.Hour).Leaf
	foreign := testca.New(t).Issue(t, "mx.a.test", time.Hour).Leaf
	both := []*x509.Certificate{leaf, ca}
	for _, c := range []struct {
		name    string
		records []dane.Record
		chain   []*x509.Certificate
		names   []string
		ok      bool
	}{
		{"own certificate, whole", []dane.Record{record(3, 0, 0, leaf)}, both, nil, true},
		{"own certificate, SHA-256", []dane.Record{record(3, 0, 1, leaf)}, both, nil, true},
		{"own key, SHA-256", []dane.Record{record(3, 1, 1, leaf)}, both, nil, true},
		{"own key, SHA-512", []dane.Record{record(3, 1, 2, leaf)}, both, nil, true},
		{"own key, whatever its name", []dane.Record{record(3, 1, 1, leaf)}, both, []string{"elsewhere.test"}, true},
		{"own key, whatever its date", []dane.Record{record(3, 1, 1, old)}, []*x509.Certificate{old}, []string{"mx.a.test"}, true},
		{"own key of another", []dane.Record{record(3, 1, 1, foreign)}, both, nil, false},
		{"the authority is not the server", []dane.Record{record(3, 1, 1, ca)}, both, nil, false},
		{"one of two, as in a change of keys", []dane.Record{record(3, 1, 1, foreign), record(3, 1, 1, leaf)}, both, nil, true},
		{"authority", []dane.Record{record(2, 0, 1, ca)}, both, []string{"mx.a.test"}, true},
		{"authority's key", []dane.Record{record(2, 1, 2, ca)}, both, []string{"mx.a.test"}, true},
		{"authority, the domain's name", []dane.Record{record(2, 0, 1, ca)}, both, []string{"no.test", "mx.a.test"}, true},
		{"authority, another name", []dane.Record{record(2, 0, 1, ca)}, both, []string{"mx.b.test"}, false},
		{"authority, no name to look for", []dane.Record{record(2, 0, 1, ca)}, both, nil, false},
		{"authority, out of date", []dane.Record{record(2, 0, 1, ca)}, []*x509.Certificate{old, ca}, []string{"mx.a.test"}, false},
		{"authority beside a stranger's certificate", []dane.Record{record(2, 0, 1, ca)}, []*x509.Certificate{foreign, ca}, []string{"mx.a.test"}, false},
		{"authority not shown", []dane.Record{record(2, 0, 1, ca)}, both[:1], []string{"mx.a.test"}, false},
		{"authority not shown, but in the record", []dane.Record{record(2, 0, 0, ca)}, both[:1], []string{"mx.a.test"}, true},
		{"public authorities say nothing here", []dane.Record{record(1, 1, 1, leaf), record(0, 1, 1, ca)}, both, []string{"mx.a.test"}, false},
		{"no certificate", []dane.Record{record(3, 1, 1, leaf)}, nil, nil, false},
		{"no record", nil, both, nil, false},
	} {
		if err := dane.Verify(c.records, c.chain, c.names...); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := dane.Verify(nil, both); !errors.Is(err, dane.ErrNoMatch) {
		t.Error(err)
	}
}

func TestUsable(t *testing.T) {
	sum := make([]byte, 32)
	for _, c := range []struct {
		r  dane.Record
		ok bool
	}{
		{dane.Record{Usage: 3, Selector: 1, Matching: 1, Data: sum}, true},
		{dane.Record{Usage: 2, Selector: 0, Matching: 0, Data: []byte{1}}, true},
		{dane.Record{Usage: 0, Selector: 1, Matching: 1, Data: sum}, false},
		{dane.Record{Usage: 255, Selector: 1, Matching: 1, Data: sum}, false},
		{dane.Record{Usage: 3, Selector: 2, Matching: 1, Data: sum}, false},
		{dane.Record{Usage: 3, Selector: 1, Matching: 3, Data: sum}, false},
		{dane.Record{Usage: 3, Selector: 1, Matching: 1, Data: sum[:31]}, false},
		{dane.Record{Usage: 3, Selector: 1, Matching: 2, Data: sum}, false},
		{dane.Record{Usage: 3, Selector: 1}, false},
	} {
		if c.r.Usable() != c.ok || len(dane.Usable([]dane.Record{c.r})) != map[bool]int{true: 1}[c.ok] {
			t.Errorf("%v: %v", c.r, c.r.Usable())
		}
	}
}

func TestParse(t *testing.T) {
	r, err := dane.Parse("3 1 1 0123 4567\t89ab CDEF")
	if err != nil || r.String() != "3 1 1 0123456789abcdef" {
		t.Errorf("%v %v", r, err)
	}
	for _, bad := range []string{"", "3 1 1", "3 1 1 xyz", "256 1 1 00", "-1 1 1 00", "3 1 1 0", "3 1 1 " + strings.Repeat("00", 17<<10)} {
		if r, err := dane.Parse(bad); err == nil {
			t.Errorf("%.20q was read as %v", bad, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("3 1 1 00ff")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := dane.Parse(text)
		if err != nil {
			return
		}
		again, err := dane.ParseSet(dane.Set([]dane.Record{r, r}))
		if err != nil || len(again) != 2 || again[1].String() != r.String() {
			t.Errorf("%q: %v %v", text, again, err)
		}
	})
}

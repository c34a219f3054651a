package policy

import (
	"testing"

	"congthu/internal/msg"
)

// A letter is delivered decrypted to those whom the policy says it to, by a key of their own
// domain, inward, and to nobody for whom it has to be encrypted.
func TestDecrypt(t *testing.T) {
	a, b := msg.Path{Raw: "a@x.test", Local: "a", Domain: "x.test"}, msg.Path{Raw: "b@y.test", Local: "b", Domain: "y.test"}
	far := msg.Path{Raw: "c@far.test", Local: "c", Domain: "far.test"}
	routes := Routes{{Domains: []string{"x.test", "y.test"}, NextHop: "h:25"}, {Domains: []string{"*"}, NextHop: "mx"}}
	ofX := func(p msg.Path) bool { return p.Domain == "x.test" }
	all := func(msg.Path) bool { return true }
	key := map[string]Key{"a@x.test": {Fingerprint: "F"}}
	for name, c := range map[string]struct {
		d      Decrypt
		e      Encrypt
		opened func(msg.Path) bool
		keys   map[string]Key
		to     msg.Path
		score  string
		want   bool
	}{
		"as received":                     {Decrypt{}, Encrypt{}, all, nil, a, "", false},
		"decrypted":                       {Decrypt{Deliver: true}, Encrypt{}, all, nil, a, "", true},
		"nothing was opened":              {Decrypt{Deliver: true}, Encrypt{}, nil, nil, a, "", false},
		"by another domain's key":         {Decrypt{Deliver: true}, Encrypt{}, ofX, nil, b, "", false},
		"outward":                         {Decrypt{Deliver: true}, Encrypt{}, all, nil, far, "", false},
		"a rule for him":                  {Decrypt{Rules: []DecryptRule{{To: []string{"x.test"}, Deliver: true}}}, Encrypt{}, all, nil, a, "", true},
		"a rule for somebody else":        {Decrypt{Rules: []DecryptRule{{To: []string{"x.test"}, Deliver: true}}}, Encrypt{}, all, nil, b, "", false},
		"the first rule":                  {Decrypt{Deliver: true, Rules: []DecryptRule{{To: []string{"a@x.test"}}, {To: []string{"x.test"}, Deliver: true}}}, Encrypt{}, all, nil, a, "", false},
		"encryption is required":          {Decrypt{Deliver: true}, Encrypt{Must: []string{"x.test"}}, all, nil, a, "", false},
		"he has a key":                    {Decrypt{Deliver: true}, Encrypt{WhenKey: true}, all, key, a, "", false},
		"he has a key and gets it clear":  {Decrypt{Deliver: true}, Encrypt{}, all, key, a, "", true},
		"encryption by chance and no key": {Decrypt{Deliver: true}, Encrypt{WhenKey: true}, all, nil, a, "", true},
		"held":                            {Decrypt{Deliver: true}, Encrypt{}, all, nil, a, "BAD", false},
	} {
		p := &Policy{Decrypt: c.d, Encrypt: c.e, Forces: []Force{{Symbols: []string{"BAD"}, Action: msg.Quarantine}}}
		m := &msg.Message{Envelope: msg.Envelope{To: []msg.Path{c.to}}, Session: msg.Session{Outbound: true}}
		in := Input{Message: m, Opened: c.opened, Keys: c.keys, Protected: "pgp-encrypted", Sealed: true}
		if c.score != "" {
			in.Outcomes = []msg.Outcome{{Findings: []msg.Finding{{Symbol: c.score}}}}
		}
		ds := p.Decide(in, routes)
		if len(ds) != 1 || ds[0].Open != c.want {
			t.Errorf("%s: %+v", name, ds)
		}
	}
}

// Two who get it in different forms get a copy each.
func TestDecryptDivides(t *testing.T) {
	a, b := msg.Path{Raw: "a@x.test", Local: "a", Domain: "x.test"}, msg.Path{Raw: "b@y.test", Local: "b", Domain: "y.test"}
	p := &Policy{Decrypt: Decrypt{Deliver: true}}
	in := Input{Message: &msg.Message{Envelope: msg.Envelope{To: []msg.Path{a, b, a}}}, Opened: func(to msg.Path) bool { return to.Domain == "x.test" }}
	ds := p.Decide(in, Routes{{Domains: []string{"x.test", "y.test"}, NextHop: "h:25"}})
	if len(ds) != 2 || !ds[0].Open || len(ds[0].To) != 2 || ds[1].Open {
		t.Errorf("%+v", ds)
	}
}

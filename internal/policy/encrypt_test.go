package policy_test

import (
	"errors"
	"slices"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

var errLost = errors.New("the passphrase is lost")

// encryptCase is one copy of a letter: who sends what to whom under which rules, and what
// must come of it.
type encryptCase struct {
	name      string
	rules     []policy.EncryptRule
	from, to  string
	outbound  bool
	key       policy.Key
	set       func(*policy.Encrypt)
	in        policy.Input
	want      msg.Action
	reason    string
	encrypted bool
	signed    string
	notes     []string
}

func (c encryptCase) run(t *testing.T) {
	t.Helper()
	p := house()
	p.Encrypt.Must, p.Encrypt.Tags, p.Encrypt.Header, p.Encrypt.Rules = nil, []string{"[mahoa]", "[encrypt]"}, "X-Congthu-Encrypt", c.rules
	if c.set != nil {
		c.set(&p.Encrypt)
	}
	in := c.in
	in.Message = &msg.Message{Envelope: msg.Envelope{From: to(c.from), To: []msg.Path{to(c.to)}}, Session: msg.Session{Outbound: c.outbound}}
	in.Keys = map[string]policy.Key{}
	if c.key != (policy.Key{}) {
		in.Keys[c.to] = c.key
	}
	ds := p.Decide(in, routes())
	if len(ds) != 1 {
		t.Fatalf("%d decisions", len(ds))
	}
	d := ds[0]
	var notes []string
	for _, f := range d.Why.Counted {
		notes = append(notes, f.Symbol)
	}
	if d.Action != c.want || d.Reason != c.reason || (len(d.EncryptTo) == 1) != c.encrypted || d.Sign != c.signed || !slices.Equal(notes, c.notes) {
		t.Errorf("%v %q, encrypt %v, sign %q, %v; want %v %q, %v, %q, %v", d.Action, d.Reason, d.EncryptTo, d.Sign, notes, c.want, c.reason, c.encrypted, c.signed, c.notes)
	}
	if d.Action == msg.Reject && d.Reply.Code != 550 {
		t.Errorf("the reply is %v", d.Reply)
	}
}

var (
	usable  = policy.Key{Fingerprint: "F"}
	expired = policy.Key{Fingerprint: "F", Trouble: "PGP_KEY_EXPIRED"}
	offered = policy.Key{Trouble: "PGP_KEY_PROPOSED"}
)

func hold(e *policy.Encrypt)           { e.NoKey = msg.Quarantine }
func clear(e *policy.Encrypt)          { e.Unusable = msg.Deliver }
func refuseUnusable(e *policy.Encrypt) { e.Unusable = msg.Reject }
func noWhenKey(e *policy.Encrypt)      { e.WhenKey = false }
func must(e *policy.Encrypt)           { e.Must = []string{"*.test"} }

func TestEncryptRules(t *testing.T) {
	required := policy.EncryptRule{To: []string{"world.test"}, Mode: policy.Required}
	never := policy.EncryptRule{To: []string{"A@World.test"}, Mode: policy.Never}
	out := func(mode policy.Mode) policy.EncryptRule { return policy.EncryptRule{Direction: "outward", Mode: mode} }
	for _, c := range []encryptCase{
		{name: "a key, no rule", to: "a@gov.test", key: usable, want: msg.Deliver, encrypted: true},
		{name: "a key, and when_key is off", to: "a@gov.test", key: usable, set: noWhenKey, want: msg.Deliver},
		{name: "a rule asks for chance although when_key is off", rules: []policy.EncryptRule{{Mode: policy.Opportunistic}}, to: "a@gov.test", key: usable, set: noWhenKey, want: msg.Deliver, encrypted: true},
		{name: "required, a key", rules: []policy.EncryptRule{required}, to: "a@world.test", outbound: true, key: usable, want: msg.Deliver, encrypted: true},
		{name: "required, none", rules: []policy.EncryptRule{required}, to: "a@world.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "required, none, hold", rules: []policy.EncryptRule{required}, set: hold, to: "a@world.test", outbound: true, want: msg.Quarantine, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "required, an expired one", rules: []policy.EncryptRule{required}, to: "a@world.test", outbound: true, key: expired, want: msg.Reject, reason: "PGP_KEY_EXPIRED", notes: []string{"PGP_KEY_EXPIRED"}},
		{name: "required is not loosened by unusable = clear", rules: []policy.EncryptRule{required}, set: clear, to: "a@world.test", outbound: true, key: expired, want: msg.Reject, reason: "PGP_KEY_EXPIRED", notes: []string{"PGP_KEY_EXPIRED"}},
		{name: "required, only offered", rules: []policy.EncryptRule{required}, to: "a@world.test", outbound: true, key: offered, want: msg.Reject, reason: "PGP_KEY_PROPOSED", notes: []string{"PGP_KEY_PROPOSED"}},
		{name: "the first rule that fits decides", rules: []policy.EncryptRule{never, required}, to: "a@world.test", outbound: true, key: usable, want: msg.Deliver},
		{name: "and not the second", rules: []policy.EncryptRule{required, never}, to: "a@world.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "a rule goes before must", rules: []policy.EncryptRule{never}, set: must, to: "a@world.test", outbound: true, want: msg.Deliver},
		{name: "must where no rule fits", set: must, to: "b@world.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "outward", rules: []policy.EncryptRule{out(policy.Required)}, to: "a@world.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "not inward", rules: []policy.EncryptRule{out(policy.Required)}, to: "a@gov.test", want: msg.Deliver},
		{name: "from a domain", rules: []policy.EncryptRule{{From: []string{"*.so.test"}, Mode: policy.Required}}, from: "x@y.so.test", to: "a@gov.test", want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "not from another", rules: []policy.EncryptRule{{From: []string{"*.so.test"}, Mode: policy.Required}}, from: "x@so.test", to: "a@gov.test", want: msg.Deliver},
		{name: "a name of another spelling", rules: []policy.EncryptRule{{To: []string{"sở.test"}, Mode: policy.Required}}, to: "a@xn--s-lym.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "and the other way round", rules: []policy.EncryptRule{{To: []string{"*.xn--s-lym.test"}, Mode: policy.Required}}, to: "a@y.sở.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "an address of another spelling", rules: []policy.EncryptRule{{To: []string{"Ất@sở.test"}, Mode: policy.Required}}, to: "ất@xn--s-lym.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "not another address there", rules: []policy.EncryptRule{{To: []string{"b@sở.test"}, Mode: policy.Required}}, to: "a@xn--s-lym.test", outbound: true, want: msg.Deliver},
		{name: "must by another spelling", set: func(e *policy.Encrypt) { e.Must = []string{"*.Sở.test"} }, to: "a@x.xn--s-lym.test", outbound: true, want: msg.Reject, reason: policy.NoKey, notes: []string{policy.NoKey}},
		{name: "unusable: hold", to: "a@gov.test", key: expired, want: msg.Quarantine, reason: "PGP_KEY_EXPIRED", notes: []string{"PGP_KEY_EXPIRED"}},
		{name: "unusable: refuse", set: refuseUnusable, to: "a@gov.test", key: expired, want: msg.Reject, reason: "PGP_KEY_EXPIRED", notes: []string{"PGP_KEY_EXPIRED"}},
		{name: "unusable: clear, and it says so", set: clear, to: "a@gov.test", key: expired, want: msg.Deliver, notes: []string{"PGP_KEY_EXPIRED"}},
		{name: "only offered, not required: clear, and it says so", to: "a@gov.test", key: offered, want: msg.Deliver, notes: []string{"PGP_KEY_PROPOSED"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestEncryptTriggers(t *testing.T) {
	noKey := []string{policy.NoKey}
	never := []policy.EncryptRule{{Mode: policy.Never}}
	for _, c := range []encryptCase{
		{name: "a tag", in: policy.Input{Subject: "Cong van [MaHoa]"}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.NoKey, notes: noKey},
		{name: "the other tag", in: policy.Input{Subject: "[ENCRYPT] x"}, outbound: true, to: "a@world.test", key: usable, want: msg.Deliver, encrypted: true},
		{name: "the wish goes before never", rules: never, in: policy.Input{Subject: "[mahoa]"}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.NoKey, notes: noKey},
		{name: "strangers have no say", in: policy.Input{Subject: "[mahoa]", Asks: []string{"yes"}}, to: "a@gov.test", want: msg.Deliver},
		{name: "a field", in: policy.Input{Asks: []string{" Yes "}}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.NoKey, notes: noKey},
		{name: "a field in Vietnamese", in: policy.Input{Asks: []string{"Có"}}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.NoKey, notes: noKey},
		{name: "a field that says no", in: policy.Input{Asks: []string{"no", ""}}, outbound: true, to: "a@world.test", want: msg.Deliver},
		{name: "two fields, one says yes", in: policy.Input{Asks: []string{"no", "1"}}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.NoKey, notes: noKey},
		{name: "the field is switched off", set: func(e *policy.Encrypt) { e.Header = "" }, in: policy.Input{Asks: []string{"yes"}}, outbound: true, to: "a@world.test", want: msg.Deliver},
		{name: "half a tag", in: policy.Input{Subject: "mahoa]"}, outbound: true, to: "a@world.test", want: msg.Deliver},
		{name: "asked, and sealed already", in: policy.Input{Subject: "[mahoa]", Protected: "pgp-encrypted", Sealed: true}, outbound: true, to: "a@world.test", want: msg.Deliver},
		{name: "asked, and sealed by its label alone", in: policy.Input{Subject: "[mahoa]", Protected: "pgp-encrypted"}, outbound: true, to: "a@world.test", want: msg.Reject, reason: policy.OnlyPart, notes: []string{policy.OnlyPart}},
		{name: "asked, and signed", in: policy.Input{Subject: "[mahoa]", Protected: "smime-signed"}, outbound: true, to: "a@world.test", key: usable, want: msg.Reject, reason: policy.SignedMsg, notes: []string{policy.SignedMsg}},
		{name: "not asked, and signed: it goes as it is", in: policy.Input{Protected: "smime-signed"}, outbound: true, to: "a@world.test", key: expired, want: msg.Deliver},
	} {
		t.Run(c.name, c.run)
	}
}

func TestSigning(t *testing.T) {
	rules := []policy.EncryptRule{{From: []string{"so.test"}, Sign: true}, {To: []string{"must.gov.test"}, Mode: policy.Required}}
	signer := func(have bool, err error) policy.Input {
		return policy.Input{
			Author: "so.test", Signer: func(string) (bool, error) { return have, err },
			Signable: func(msg.Decision) bool { return true },
		}
	}
	unsignable := signer(true, nil)
	unsignable.Signable = func(msg.Decision) bool { return false }
	nobody := signer(true, nil)
	nobody.Author = ""
	signed := signer(true, errLost)
	signed.Protected = "pgp-signed"
	for _, c := range []encryptCase{
		{name: "signed", in: signer(true, nil), outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Deliver, signed: "so.test"},
		{name: "signed and encrypted", in: signer(true, nil), outbound: true, from: "x@so.test", to: "a@world.test", key: usable, want: msg.Deliver, signed: "so.test", encrypted: true},
		{name: "a rule about signing leaves the mode to the next", in: signer(true, nil), outbound: true, from: "x@so.test", to: "a@must.gov.test", want: msg.Reject, reason: policy.NoKey, signed: "so.test", notes: []string{policy.NoKey}},
		{name: "no rule", in: signer(true, nil), outbound: true, from: "x@khac.test", to: "a@world.test", want: msg.Deliver},
		{name: "a stranger is not vouched for", in: signer(true, nil), from: "x@so.test", to: "a@gov.test", want: msg.Deliver},
		{name: "no key", in: signer(false, nil), outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Deliver, notes: []string{policy.NotSigned}},
		{name: "no one author", in: nobody, outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Deliver, notes: []string{policy.NotSigned}},
		{name: "cannot be signed as it is", in: unsignable, outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Deliver, notes: []string{policy.NotSigned}},
		{name: "and signed inside of the encryption all the same", in: unsignable, outbound: true, from: "x@so.test", to: "a@world.test", key: usable, want: msg.Deliver, signed: "so.test", encrypted: true},
		{name: "a key that does not sign: held", in: signer(true, errLost), outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Quarantine, reason: policy.SignKey, signed: "so.test", notes: []string{policy.SignKey}},
		{name: "the same with a recipient's key", in: signer(true, errLost), outbound: true, from: "x@so.test", to: "a@world.test", key: usable, want: msg.Quarantine, reason: policy.SignKey, signed: "so.test", encrypted: true, notes: []string{policy.SignKey}},
		{name: "signed by its sender: our key does not matter", in: signed, outbound: true, from: "x@so.test", to: "a@world.test", want: msg.Deliver},
	} {
		c.rules = rules
		t.Run(c.name, c.run)
	}
	if policy.Encryption(policy.SignKey) || !policy.Encryption(policy.NoKey) || !policy.Encryption("PGP_KEY_EXPIRED") {
		t.Error("whose letters wait for a key of their recipient")
	}
}

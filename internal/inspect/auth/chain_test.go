package auth

import (
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/arctest"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// changed is a letter of legit.test that lists have changed and sealed on its way, so
// that it fails DMARC where p=reject.
func changed(t *testing.T, from string, sets ...arctest.Set) *msg.Message {
	t.Helper()
	l := letter{ip: "203.0.113.66", mailfrom: "list@bare.test", from: from, sign: []string{"legit.test"}}
	raw := spoil(string(l.message(t).Raw))
	for _, s := range sets {
		s.Key = key()
		raw = s.Add(raw)
	}
	m := l.message(t)
	m.Raw, m.Root = []byte(raw), mimetree.Parse([]byte(raw), mimetree.DefaultLimits())
	return m
}

func set(domain, results string) arctest.Set {
	return arctest.Set{Domain: domain, Results: results}
}

// A failure of DMARC is excused when handlers whom the administrator trusts have seen a
// pass for the very author, and in no other case.
func TestTrustedSealers(t *testing.T) {
	const passed, failed = "spf=pass; dmarc=pass header.from=legit.test", "dmarc=fail header.from=legit.test"
	z := zone()
	for _, d := range []string{"list.test", "relay.test", "stranger.test"} {
		z["k1._domainkey."+d] = []fake.Record{keyRecord()}
	}
	for _, c := range []struct {
		name    string
		m       *msg.Message
		symbols string
	}{
		{"trusted", changed(t, "a@legit.test", set("list.test", passed)), "DKIM_FAIL ARC_PASS DMARC_OVERRIDDEN"},
		{"two trusted", changed(t, "a@legit.test", set("list.test", passed), set("relay.test", failed)), "DKIM_FAIL ARC_PASS DMARC_OVERRIDDEN"},
		{"stranger", changed(t, "a@legit.test", set("stranger.test", passed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"stranger after trusted", changed(t, "a@legit.test", set("list.test", passed), set("stranger.test", passed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"stranger before trusted who saw a failure", changed(t, "a@legit.test", set("stranger.test", passed), set("list.test", failed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"stranger between trusted", changed(t, "a@legit.test", set("list.test", passed), set("stranger.test", passed), set("relay.test", failed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"name below a trusted one", changed(t, "a@legit.test", set("x.list.test", passed)), "DKIM_FAIL ARC_FAIL DMARC_REJECT"},
		{"trusted, saw a failure", changed(t, "a@legit.test", set("list.test", failed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"trusted, of another author", changed(t, "a@legit.test", set("list.test", "dmarc=pass header.from=attack.test")), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"trusted, of no author", changed(t, "a@legit.test", set("list.test", "dmarc=pass")), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"trusted, From not signed", changed(t, "a@legit.test", arctest.Set{Domain: "list.test", Results: passed, Signed: "subject"}), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"trusted, chain given up", changed(t, "a@legit.test", arctest.Set{Domain: "list.test", Results: passed, CV: "fail"}), "DKIM_FAIL ARC_FAIL DMARC_REJECT"},
		{"trusted, key not to be had", changed(t, "a@legit.test", set("down.test", passed)), "DKIM_FAIL DMARC_TEMPERROR"},
		{"two authors", changed(t, "a@legit.test, b@attack.test", set("list.test", passed)), "DKIM_FAIL ARC_PASS DMARC_REJECT"},
		{"no chain", changed(t, "a@legit.test"), "DKIM_FAIL DMARC_REJECT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := New(Options{Resolver: z, Sealers: []string{"list.test", "relay.test", "down.test"}})
			fs, as, err := in.Inspect(t.Context(), c.m)
			if err != nil || symbols(fs) != c.symbols {
				t.Errorf("%s, want %s; %v\n%+v", symbols(fs), c.symbols, err, as)
			}
			if strings.Contains(c.symbols, "ARC") != strings.Contains(words(as), "arc=") && c.name != "trusted, key not to be had" {
				t.Errorf("results %s", words(as))
			}
		})
	}
	// What the administrator says of a domain goes before what a handler says.
	over := []Override{{Domain: "legit.test", Policy: "quarantine", Reason: "known"}}
	fs, _, _ := New(Options{Resolver: z, Sealers: []string{"list.test"}, Overrides: over}).Inspect(t.Context(), changed(t, "a@legit.test", set("list.test", passed)))
	if symbols(fs) != "DKIM_FAIL ARC_PASS DMARC_QUARANTINE" {
		t.Errorf("an entry of the administrator's list: %s", symbols(fs))
	}
}

// A key that cannot be had excuses a refusal only for the time being, and nothing less.
func TestChainNotChecked(t *testing.T) {
	z := zone()
	z["_dmarc.legit.test"] = []fake.Record{fake.TXT("v=DMARC1; p=quarantine")}
	m := changed(t, "a@legit.test", set("down.test", "dmarc=pass header.from=legit.test"))
	fs, _, err := New(Options{Resolver: z, Sealers: []string{"down.test"}}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != "DKIM_FAIL DMARC_QUARANTINE" {
		t.Errorf("%s, %v", symbols(fs), err)
	}
	fs, _, err = New(Options{Resolver: zone()}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != "DKIM_FAIL DMARC_REJECT" {
		t.Errorf("a stranger's: %s, %v", symbols(fs), err)
	}
}

// The name in HELO is checked beside the sender; DMARC does not read it (RFC 9989
// section 4.4.2: only of a null sender).
func TestHeloIdentity(t *testing.T) {
	for _, c := range []struct{ helo, symbols, words string }{
		{"legit.test", "SPF_HELO_FAIL DMARC_REJECT", "spf=none smtp.mailfrom=a@bare.test; dkim=none =; spf=fail smtp.helo=legit.test; dmarc=fail header.from=legit.test"},
		{"attack.test", "DMARC_REJECT", "spf=none smtp.mailfrom=a@bare.test; dkim=none =; spf=pass smtp.helo=attack.test; dmarc=fail header.from=legit.test"},
		{"bare.test", "DMARC_REJECT", "spf=none smtp.mailfrom=a@bare.test; dkim=none =; dmarc=fail header.from=legit.test"},
	} {
		m := letter{ip: "203.0.113.66", helo: c.helo, mailfrom: "a@bare.test", from: "a@legit.test"}.message(t)
		fs, as, err := New(Options{Resolver: zone()}).Inspect(t.Context(), m)
		if err != nil || symbols(fs) != c.symbols || words(as) != c.words {
			t.Errorf("%s: %s; %s; %v", c.helo, symbols(fs), words(as), err)
		}
	}
	own := letter{ip: "192.0.2.1", helo: "legit.test", mailfrom: "a@bare.test", from: "a@legit.test"}.message(t)
	fs, _, _ := New(Options{Resolver: zone()}).Inspect(t.Context(), own)
	if symbols(fs) != "DMARC_REJECT" {
		t.Errorf("a HELO that passes is no DMARC pass: %s", symbols(fs))
	}
}

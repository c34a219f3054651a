package sender_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/inspect/sender"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func health() msg.Identity {
	return msg.Identity{Proof: msg.ByPassword, Account: "lan", Agency: "health", Senders: []string{"health.vn", "*.health.vn"}}
}

// found is the evidence of SENDER_NOT_YOURS, "" when there is none.
func found(t testing.TB, who msg.Identity, header string) string {
	t.Helper()
	raw := []byte(header + "\r\nbody\r\n")
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits()), Session: msg.Session{Identity: who, Outbound: who.Proof != ""}}
	fs, auth, err := sender.New().Inspect(t.Context(), m)
	if err != nil || auth != nil || len(fs) > 1 {
		t.Fatalf("%v %v %v", fs, auth, err)
	}
	if len(fs) == 0 {
		return ""
	}
	if fs[0].Symbol != sender.NotYours || fs[0].Evidence == "" {
		t.Errorf("%+v", fs[0])
	}
	return fs[0].Evidence
}

func TestInspect(t *testing.T) {
	for name, c := range map[string]struct{ header, want string }{
		"own":                      {"From: Lan <lan@health.vn>\r\n", ""},
		"own, bare":                {"From: lan@health.vn\r\n", ""},
		"own, below":               {"From: <lan@d1.health.vn>\r\n", ""},
		"own, in capitals":         {"FROM: <Lan@HEALTH.vn>\r\n", ""},
		"own, folded":              {"From: Lan\r\n\t<lan@health.vn>\r\n", ""},
		"a comma in the name":      {"From: Lan, Van thu <lan@health.vn>\r\n", ""},
		"a quoted comma":           {"From: \"ceo@bank.vn, Lan\" <lan@health.vn>\r\n", ""}, // the header inspector's
		"Sender of ours":           {"From: <lan@health.vn>\r\nSender: <bot@d1.health.vn>\r\n", ""},
		"another's":                {"From: <lan@tax.vn>\r\n", "From: lan@tax.vn"},
		"a look-alike":             {"From: <lan@health.vn.evil.test>\r\n", "From: lan@health.vn.evil.test"},
		"a longer name":            {"From: <lan@ahealth.vn>\r\n", "From: lan@ahealth.vn"},
		"a dot at the end":         {"From: <lan@health.vn.>\r\n", "From: lan@health.vn."},
		"a literal":                {"From: <lan@[192.0.2.1]>\r\n", "From: lan@[192.0.2.1]"},
		"none":                     {"Subject: x\r\n", "no From field"},
		"empty":                    {"From: \r\n", "no address in From"},
		"without a domain":         {"From: lan\r\n", "no address in From"},
		"two fields":               {"From: <lan@health.vn>\r\nFrom: <x@tax.vn>\r\n", "more than one From field"},
		"two fields, both own":     {"From: <lan@health.vn>\r\nFrom: <x@health.vn>\r\n", "more than one From field"},
		"two addresses":            {"From: <lan@health.vn>, <x@tax.vn>\r\n", "more than one address in From"},
		"two, the other first":     {"From: <x@tax.vn>, <lan@health.vn>\r\n", "more than one address in From"},
		"two without a comma":      {"From: <x@tax.vn> <lan@health.vn>\r\n", "more than one address in From"},
		"address in address":       {"From: x@tax.vn <lan@health.vn>\r\n", ""}, // a name; the header inspector's
		"a group":                  {"From: ceo: <lan@health.vn>;\r\n", "From: ADDRESS_GROUP"},
		"a route":                  {"From: <@tax.vn:lan@health.vn>\r\n", "From: ADDRESS_ROUTE"},
		"Sender of another":        {"From: <lan@health.vn>\r\nSender: <x@tax.vn>\r\n", "Sender: x@tax.vn"},
		"Sender of two":            {"From: <lan@health.vn>\r\nSender: <a@health.vn>, <x@tax.vn>\r\n", "Sender: x@tax.vn"},
		"Sender twice":             {"From: <lan@health.vn>\r\nSender: <a@health.vn>\r\nSender: <x@tax.vn>\r\n", "Sender: x@tax.vn"},
		"space before the colon":   {"From : <x@tax.vn>\r\n", "From: x@tax.vn"},
		"twice, one with a space":  {"From: <lan@health.vn>\r\nFrom : <x@tax.vn>\r\n", "more than one From field"},
		"a comment hides a domain": {"From: lan@health.vn(<x@tax.vn>)\r\n", ""},
	} {
		if got := found(t, health(), c.header); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestInternationalDomain(t *testing.T) {
	who := health()
	who.Senders = []string{"xn--tnhmu-c31boi.vn"}
	for _, from := range []string{"lan@xn--tnhmu-c31boi.vn", "lan@tỉnhmẫu.vn", "lan@TỈNHMẪU.vn", "lan@ti\u0309nhmẫu.vn"} {
		if got := found(t, who, "From: <"+from+">\r\n"); got != "" {
			t.Errorf("%q", got)
		}
	}
	if got := found(t, who, "From: <lan@tinhmau.vn>\r\n"); got == "" {
		t.Error("the domain without its accents is another")
	}
}

// Whoever is not known by name is not measured by it.
func TestOthersAreNotConcerned(t *testing.T) {
	for _, who := range []msg.Identity{{}, {Proof: msg.ByNetwork}} {
		if got := found(t, who, "From: <x@tax.vn>\r\n"); got != "" {
			t.Errorf("%+v: %q", who, got)
		}
	}
	if got := found(t, msg.Identity{Proof: msg.ByPassword, Account: "lan"}, "From: <x@tax.vn>\r\n"); got == "" {
		t.Error("an account whose agency is gone may send as anybody")
	}
}

func TestNotParsedIsNoAnswer(t *testing.T) {
	if _, _, err := sender.New().Inspect(t.Context(), &msg.Message{Session: msg.Session{Identity: msg.Identity{Proof: msg.ByNetwork, Agency: "a"}}}); err == nil {
		t.Error("looked at nothing and said nothing")
	}
}

// FuzzInspect: whatever the header, a message without a finding has the agency's domain
// in its only From.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{"From: <lan@health.vn>\r\n", "From: a: <x@y>, <lan@health.vn>;\r\nSender: x\r\n", "From: \"<x@y>\" <lan@health.vn>\r\n", "From: =?utf-8?q?x=40y?= <lan@health.vn>\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := found(t, health(), header)
		if len([]rune(got)) > 200 || !utf8.ValidString(got) {
			t.Errorf("evidence %q", got)
		}
		if got == "" && !strings.Contains(strings.ToLower(header), "health.vn") {
			for _, r := range header {
				if r >= utf8.RuneSelf { // other letters may be mapped to these (UTS 46)
					return
				}
			}
			t.Errorf("no finding in %q", header)
		}
	})
}

package known

import (
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func letter(from string, auth ...msg.AuthResult) *msg.Message {
	raw := []byte(from + "\r\n\r\nx\r\n")
	return &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits()), Auth: auth}
}

var (
	dmarc = msg.AuthResult{Method: "dmarc", Status: "pass", Property: "header.from", Value: "a.example"}
	dkim  = msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "mail.a.example"}
	spf   = msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "x@bounce.a.example"}
)

func look(t *testing.T, p Past, m *msg.Message) string {
	t.Helper()
	in := New(Memory{Past: func(string, string) Past { return p }, Shared: func(d string) bool { return d == "thu.example" }}, Usual())
	found, _, err := in.Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if !slices.Contains(Symbols(), f.Symbol) || f.Symbol == Correspondent && (f.Percent < 1 || f.Percent > 100) {
			t.Errorf("%+v", f)
		}
		out = append(out, strings.TrimSpace(f.Symbol+" "+f.Evidence))
	}
	return strings.Join(out, "; ")
}

func TestCredit(t *testing.T) {
	const week = 7 * 24 * time.Hour
	m := letter("From: Lan <Lan@A.example>", dmarc)
	for _, c := range []struct {
		past Past
		want string
	}{
		{Past{}, "NEW_SENDER lan@a.example"},
		{Past{Written: true}, "KNOWN_CORRESPONDENT lan@a.example (written to)"},
		{Past{WrittenDomain: true}, "KNOWN_CORRESPONDENT lan@a.example (domain written to)"},
		{Past{WrittenDomain: true, Heard: 3, Since: week}, "KNOWN_CORRESPONDENT lan@a.example (heard from)"},
		{Past{Written: true, Heard: 3, Since: week}, "KNOWN_CORRESPONDENT lan@a.example (written to)"},
		{Past{Heard: 2, Since: week}, "NEW_SENDER lan@a.example"},
		{Past{Heard: 30, Since: week - time.Hour}, "NEW_SENDER lan@a.example"},
	} {
		if got := look(t, c.past, m); got != c.want {
			t.Errorf("%+v: %s", c.past, got)
		}
	}
	free := dmarc
	free.Value = "thu.example"
	if got := look(t, Past{WrittenDomain: true}, letter("From: lan@thu.example", free)); got != "NEW_SENDER lan@thu.example" {
		t.Errorf("a neighbour in a free mail service: %s", got)
	}
}

// Whoever is not proven to have written has no credit, whatever is known of him.
func TestForged(t *testing.T) {
	failed, other, quiet := dmarc, dkim, spf
	failed.Status, other.Value, quiet.Property = "fail", "b.example", "smtp.helo"
	suffix := dkim
	suffix.Value = "example"
	for _, c := range []struct {
		from string
		auth []msg.AuthResult
		want bool
	}{
		{"From: lan@a.example", nil, false},
		{"From: lan@a.example", []msg.AuthResult{failed}, false},
		{"From: lan@a.example", []msg.AuthResult{other}, false},
		{"From: lan@a.example", []msg.AuthResult{suffix}, false},
		{"From: lan@a.example", []msg.AuthResult{quiet}, false},
		{"From: lan@a.example", []msg.AuthResult{dkim}, true},
		{"From: lan@a.example", []msg.AuthResult{spf}, true},
		{"From: lan@sub.a.example", []msg.AuthResult{dmarc}, false},
		{"From: lan@a.example\r\nFrom: an@b.example", []msg.AuthResult{dmarc}, false},
		{"From: lan@a.example, an@a.example", []msg.AuthResult{dmarc}, false},
		{"From: x", []msg.AuthResult{dmarc}, false},
		{"Subject: x", []msg.AuthResult{dmarc}, false},
	} {
		got := look(t, Past{Written: true, WrittenDomain: true, Heard: 100, Since: 1e18}, letter(c.from, c.auth...))
		if strings.HasPrefix(got, Correspondent) != c.want {
			t.Errorf("%q %v: %s", c.from, c.auth, got)
		}
	}
}

func TestOwnAndUnparsed(t *testing.T) {
	m := letter("From: lan@a.example", dmarc)
	m.Session.Outbound = true
	if got := look(t, Past{Written: true}, m); got != "" {
		t.Errorf("our own letter: %s", got)
	}
	if _, _, err := New(Memory{}, Usual()).Inspect(t.Context(), &msg.Message{}); err == nil {
		t.Error("a letter that was not parsed was looked at")
	}
}

func FuzzAuthor(f *testing.F) {
	f.Add("Lan <lan@a.example>", "a.example", "x@a.example")
	f.Add("=?utf-8?q?a?= <a@[1.2.3.4]>", "com", "@")
	f.Fuzz(func(t *testing.T, from, value, mail string) {
		m := &msg.Message{
			Root: &msg.Part{Header: []msg.Field{{Name: "From", Value: from}}},
			Auth: []msg.AuthResult{{Method: "dkim", Status: "pass", Property: "header.d", Value: value}, {Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: mail}},
		}
		if address, domain, ok := Author(m); ok && (domain == "" || !strings.HasSuffix(address, "@"+domain)) {
			t.Errorf("%q %q", address, domain)
		}
	})
}

// A sender is allowed for the address that is proven, with all recipients asked about.
func TestAllowed(t *testing.T) {
	result := func(method, status, property, value string) msg.AuthResult {
		return msg.AuthResult{Method: method, Status: status, Property: property, Value: value}
	}
	none := result("dmarc", "none", "header.from", "a.example")
	strict, open := result("dmarc", "fail", "header.from", "a.example"), result("dmarc", "temperror", "header.from", "a.example")
	for _, c := range []struct {
		name, from string
		auth       []msg.AuthResult
		outbound   bool
		want       string
	}{
		{"DMARC", "Lan <Lan@A.example>", []msg.AuthResult{dmarc}, false, "ALLOWED_SENDER lan@a.example (by mai)"},
		{"DKIM, and no DMARC", "lan@a.example", []msg.AuthResult{none, dkim}, false, "ALLOWED_SENDER lan@a.example (by mai)"},
		{"SPF, and no DMARC", "lan@a.example", []msg.AuthResult{none, spf}, false, "ALLOWED_SENDER lan@a.example (by mai)"},
		{"another address", "an@a.example", []msg.AuthResult{dmarc}, false, ""},
		{"nothing", "lan@a.example", nil, false, ""},
		{"no DMARC, and nothing", "lan@a.example", []msg.AuthResult{none}, false, ""},
		{"strict alignment", "lan@a.example", []msg.AuthResult{strict, dkim, spf}, false, ""},
		{"DMARC could not be looked up", "lan@a.example", []msg.AuthResult{open, dkim}, false, ""},
		{"the display name", `"lan@a.example" <x@b.example>`, []msg.AuthResult{result("dmarc", "pass", "header.from", "b.example")}, false, ""},
		{"two authors", "lan@a.example, an@a.example", []msg.AuthResult{dmarc}, false, ""},
		{"our own letter", "lan@a.example", []msg.AuthResult{dmarc}, true, ""},
	} {
		to := []msg.Path{{Raw: "x@gov.test"}, {Raw: "y@gov.test"}}
		in := New(Memory{
			Past: func(string, string) Past { return Past{} }, Shared: func(string) bool { return false },
			Allowed: func(address string, asked []msg.Path) string {
				if address == "lan@a.example" && slices.Equal(asked, to) {
					return "by mai"
				}
				return ""
			},
		}, Usual())
		m := letter("From: "+c.from, c.auth...)
		m.Session.Outbound, m.Envelope.To = c.outbound, to
		found, _, err := in.Inspect(t.Context(), m)
		got := ""
		for _, f := range found {
			if f.Symbol == Allowed {
				got = f.Symbol + " " + f.Evidence
			}
		}
		if err != nil || got != c.want || !c.outbound && len(found) == 0 {
			t.Errorf("%s: %+v %v, want %q", c.name, found, err, c.want)
		}
	}
}

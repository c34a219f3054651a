package dmarc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/msg"
)

// spf and dkim make the results that the neighbours hand over.
func spf(status, from string) msg.AuthResult {
	return msg.AuthResult{Method: "spf", Status: status, Property: "smtp.mailfrom", Value: from}
}

func helo(status, name string) msg.AuthResult {
	return msg.AuthResult{Method: "spf", Status: status, Property: "smtp.helo", Value: name}
}

func dkim(status, domain string) msg.AuthResult {
	return msg.AuthResult{Method: "dkim", Status: status, Property: "header.d", Value: domain}
}

// policies makes a zone of policy records: "example.test": "p=reject".
func policies(records map[string]string) fake.Zone {
	z := fake.Zone{}
	for domain, tags := range records {
		z["_dmarc."+domain] = []fake.Record{fake.TXT("v=DMARC1; " + tags)}
	}
	return z
}

func TestEvaluate(t *testing.T) {
	gov := map[string]string{
		"example.test":      "p=reject; sp=quarantine; np=reject",
		"strict.test":       "p=reject; adkim=s; aspf=s",
		"watch.test":        "p=none; rua=mailto:d@watch.test",
		"try.test":          "p=reject; t=y",
		"tryq.test":         "p=quarantine; t=y",
		"dept.example.test": "p=quarantine; psd=n",
	}
	for _, c := range []struct {
		name, from string
		auth       []msg.AuthResult
		status     string
		policy     string
		applied    string
	}{
		{"DKIM of the same domain", "example.test", []msg.AuthResult{dkim(Pass, "example.test")}, Pass, "reject", "reject"},
		{"SPF of the same domain", "example.test", []msg.AuthResult{spf(Pass, "a@example.test")}, Pass, "reject", "reject"},
		{"HELO when the sender is null", "example.test", []msg.AuthResult{helo(Pass, "mx.example.test")}, Pass, "reject", "reject"},
		{"subdomain signs (relaxed)", "example.test", []msg.AuthResult{dkim(Pass, "mail.example.test")}, Pass, "reject", "reject"},
		{"parent signs (relaxed)", "mail.example.test", []msg.AuthResult{dkim(Pass, "example.test")}, Pass, "quarantine", "quarantine"},
		{"sibling signs (relaxed)", "a.example.test", []msg.AuthResult{dkim(Pass, "b.example.test")}, Pass, "quarantine", "quarantine"},
		{"upper case", "Example.TEST", []msg.AuthResult{dkim(Pass, "EXAMPLE.test")}, Pass, "reject", "reject"},
		{"second signature is ours", "example.test", []msg.AuthResult{dkim(Fail, "example.test"), dkim(Pass, "list.test"), dkim(Pass, "example.test")}, Pass, "reject", "reject"},
		{"nothing", "example.test", nil, Fail, "reject", "reject"},
		{"foreign pass", "example.test", []msg.AuthResult{spf(Pass, "x@evil.test"), dkim(Pass, "evil.test")}, Fail, "reject", "reject"},
		{"look-alike suffix", "example.test", []msg.AuthResult{dkim(Pass, "notexample.test")}, Fail, "reject", "reject"},
		{"look-alike prefix", "example.test", []msg.AuthResult{dkim(Pass, "example.test.evil.test")}, Fail, "reject", "reject"},
		{"the top level signs", "example.test", []msg.AuthResult{dkim(Pass, "test")}, Fail, "reject", "reject"},
		{"failed checks", "example.test", []msg.AuthResult{spf("softfail", "a@example.test"), dkim(Fail, "example.test"), dkim("permerror", "example.test"), dkim("policy", "example.test")}, Fail, "reject", "reject"},
		{"an @ in the local part", "example.test", []msg.AuthResult{spf(Pass, `"a@example.test"@evil.test`)}, Fail, "reject", "reject"},
		{"other methods do not count", "example.test", []msg.AuthResult{{Method: "iprev", Status: Pass, Property: "header.d", Value: "example.test"}, {Method: "dkim", Status: Pass, Property: "header.i", Value: "@example.test"}}, Fail, "reject", "reject"},
		{"existing subdomain: sp", "www.example.test", nil, Fail, "quarantine", "quarantine"},
		{"missing subdomain: np", "nowhere.example.test", nil, Fail, "reject", "reject"},
		{"strict, same", "strict.test", []msg.AuthResult{dkim(Pass, "strict.test")}, Pass, "reject", "reject"},
		{"strict, subdomain signs", "strict.test", []msg.AuthResult{dkim(Pass, "a.strict.test"), spf(Pass, "x@a.strict.test")}, Fail, "reject", "reject"},
		{"only watching", "watch.test", nil, Fail, "none", "none"},
		{"testing reject", "try.test", nil, Fail, "reject", "quarantine"},
		{"testing quarantine", "tryq.test", nil, Fail, "quarantine", "none"},
		{"testing and passing", "try.test", []msg.AuthResult{dkim(Pass, "try.test")}, Pass, "reject", "quarantine"},
		{"no policy", "other.test", []msg.AuthResult{dkim(Pass, "other.test")}, None, "", ""},
		{"a department of its own", "dept.example.test", []msg.AuthResult{dkim(Pass, "example.test")}, Fail, "quarantine", "quarantine"},
		{"is none of the parent's", "example.test", []msg.AuthResult{dkim(Pass, "dept.example.test")}, Fail, "reject", "reject"},
		{"its subdomain is its own", "a.dept.example.test", []msg.AuthResult{dkim(Pass, "b.dept.example.test")}, Pass, "quarantine", "quarantine"},
		{"no domain", "", nil, PermError, "", ""},
		{"address literal", "[192.0.2.1]", nil, PermError, "", ""},
		{"empty label", "a..test", nil, PermError, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := policies(gov)
			z["www.example.test"] = []fake.Record{fake.A("192.0.2.1")}
			got := Evaluate(t.Context(), z, c.from, c.auth)
			if got.Status != c.status || got.Policy != c.policy || got.Applied() != c.applied {
				t.Errorf("got %+v (applied %q), want %s p=%s applied %s", got, got.Applied(), c.status, c.policy, c.applied)
			}
		})
	}
}

// The tree walk of RFC 9989 section 4.10: which record applies, and whose
// organisation the domain belongs to.
func TestTreeWalk(t *testing.T) {
	for _, c := range []struct {
		name, from string
		records    map[string]string
		policyAt   string
		org        string
		policy     string
	}{
		{"own record", "example.test", map[string]string{"example.test": "p=reject"}, "example.test", "example.test", "reject"},
		{"the parent's", "a.example.test", map[string]string{"example.test": "p=reject"}, "example.test", "example.test", "reject"},
		{"own first, then the fewest labels", "a.mail.example.test", map[string]string{"a.mail.example.test": "p=none", "mail.example.test": "p=quarantine", "example.test": "p=reject"}, "a.mail.example.test", "example.test", "none"},
		{"the fewest labels, not the nearest", "a.mail.example.test", map[string]string{"mail.example.test": "p=quarantine", "example.test": "p=reject"}, "example.test", "example.test", "reject"},
		{"psd=n ends the walk", "a.mail.example.test", map[string]string{"mail.example.test": "p=quarantine; psd=n", "example.test": "p=reject"}, "mail.example.test", "mail.example.test", "quarantine"},
		{"psd=n at the start", "mail.example.test", map[string]string{"mail.example.test": "p=none; psd=n", "example.test": "p=reject"}, "mail.example.test", "mail.example.test", "none"},
		{"psd=y: one label below", "a.mail.example.test", map[string]string{"test": "p=reject; psd=y; sp=quarantine"}, "test", "example.test", "quarantine"},
		{"psd=y: the organisation's own comes first", "a.example.test", map[string]string{"example.test": "p=none", "test": "p=reject; psd=y"}, "example.test", "example.test", "none"},
		{"psd=y: what lies deeper is not the organisation", "a.mail.example.test", map[string]string{"mail.example.test": "p=none", "test": "p=reject; psd=y"}, "test", "example.test", "reject"},
		{"psd=y at two labels", "x.a.gov.test", map[string]string{"gov.test": "p=reject; psd=y", "test": "p=none"}, "gov.test", "a.gov.test", "reject"},
		{"the suffix itself as author", "gov.test", map[string]string{"gov.test": "p=quarantine; psd=y", "test": "p=none"}, "gov.test", "gov.test", "quarantine"},
		{"psd=u is nothing special", "a.example.test", map[string]string{"example.test": "p=reject; psd=u"}, "example.test", "example.test", "reject"},
		{"the top level without psd", "a.example.test", map[string]string{"test": "p=reject"}, "test", "test", "reject"},
		{"eight labels", "a.b.c.d.e.f.example.test", map[string]string{"b.c.d.e.f.example.test": "p=reject"}, "b.c.d.e.f.example.test", "b.c.d.e.f.example.test", "reject"},
		{"nine labels skip the eighth", "z.a.b.c.d.e.f.example.test", map[string]string{"a.b.c.d.e.f.example.test": "p=none", "b.c.d.e.f.example.test": "p=reject"}, "b.c.d.e.f.example.test", "b.c.d.e.f.example.test", "reject"},
		{"fifteen labels", "1.2.3.4.5.6.7.8.9.10.11.12.mail.example.test", map[string]string{"example.test": "p=reject"}, "example.test", "example.test", "reject"},
		{"long name with its own record", "1.2.3.4.5.6.7.8.9.example.test", map[string]string{"1.2.3.4.5.6.7.8.9.example.test": "p=quarantine", "example.test": "p=reject"}, "1.2.3.4.5.6.7.8.9.example.test", "example.test", "quarantine"},
		{"U-labels", "thư.example.test", map[string]string{"xn--th-e0a.example.test": "p=reject"}, "xn--th-e0a.example.test", "xn--th-e0a.example.test", "reject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// an unaligned identifier below the domain makes the organisation matter
			probe := []msg.AuthResult{dkim(Pass, "probe."+c.from), dkim(Pass, "elsewhere.invalid")}
			counting := &counter{next: policies(c.records)}
			got := Evaluate(t.Context(), counting, c.from, probe)
			if got.PolicyAt != c.policyAt || got.OrgDomain != c.org || got.Policy != c.policy {
				t.Errorf("got %+v, want record at %s, organisation %s, p=%s", got, c.policyAt, c.org, c.policy)
			}
		})
	}
}

// counter counts the questions asked.
type counter struct {
	next  fake.Zone
	asked []string
}

func (c *counter) LookupTXT(ctx context.Context, name string) ([]string, error) {
	c.asked = append(c.asked, name)
	return c.next.LookupTXT(ctx, name)
}

func TestEightQueriesAtMost(t *testing.T) {
	c := &counter{next: fake.Zone{}}
	Evaluate(t.Context(), c, "a.b.c.d.e.f.g.h.i.j.mail.example.test", nil)
	want := []string{
		"_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.test", "_dmarc.g.h.i.j.mail.example.test", "_dmarc.h.i.j.mail.example.test",
		"_dmarc.i.j.mail.example.test", "_dmarc.j.mail.example.test", "_dmarc.mail.example.test", "_dmarc.example.test", "_dmarc.test",
	}
	if !slices.Equal(c.asked, want) {
		t.Errorf("asked %q", c.asked)
	}
}

// The common case costs one question; a foreign identifier costs no walk of its own.
func TestQuestionsSaved(t *testing.T) {
	z := policies(map[string]string{"example.test": "p=reject"})
	for _, c := range []struct {
		auth []msg.AuthResult
		want int
	}{
		{[]msg.AuthResult{dkim(Pass, "example.test")}, 1},
		{[]msg.AuthResult{dkim(Fail, "a.b.c.d.example.test")}, 1},
		{[]msg.AuthResult{dkim(Pass, "a.b.c.evil.test")}, 2}, // _dmarc.example.test and _dmarc.test
		{[]msg.AuthResult{dkim(Pass, "mail.example.test"), dkim(Pass, "mail.example.test")}, 3},
	} {
		counting := &counter{next: z}
		if Evaluate(t.Context(), counting, "example.test", c.auth); len(counting.asked) != c.want {
			t.Errorf("%v: asked %q, want %d", c.auth, counting.asked, c.want)
		}
	}
}

func TestRecordsAtOneName(t *testing.T) {
	for _, c := range []struct {
		name   string
		txts   []string
		status string
		policy string
	}{
		{"one among other text", []string{"hello", "v=spf1 -all", "v=DMARC1; p=reject"}, Fail, "reject"},
		{"two are none", []string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}, None, ""},
		{"two of which one is broken", []string{"v=DMARC1; p=reject", "v=DMARC1; p=none; p=none"}, None, ""},
		{"version in another case", []string{"v=dmarc1; p=reject"}, None, ""},
		{"version not first", []string{"p=reject; v=DMARC1"}, None, ""},
		{"another version", []string{"v=DMARC12; p=reject"}, None, ""},
		{"spaces around", []string{"v = DMARC1 ; p = REJECT ;"}, Fail, "reject"},
		{"policy given twice", []string{"v=DMARC1; p=reject; p=none"}, None, ""},
		{"no policy", []string{"v=DMARC1"}, Fail, "none"},
		{"bad policy, nobody to tell", []string{"v=DMARC1; p=rejekt"}, None, ""},
		{"bad policy, somebody to tell", []string{"v=DMARC1; p=rejekt; rua=mailto:d@example.test"}, Fail, "none"},
		{"bad policy, nonsense to tell", []string{"v=DMARC1; p=rejekt; rua=nobody, :"}, None, ""},
		{"bad sp, nobody to tell", []string{"v=DMARC1; p=reject; sp=all"}, None, ""},
		{"bad np, somebody to tell", []string{"v=DMARC1; p=reject; np=; rua=x, https://d.test/r"}, Fail, "none"},
		{"unknown and broken tags", []string{"v=DMARC1; pct=0; ;junk; x-y=z; t=maybe; aspf=q; p=quarantine"}, Fail, "quarantine"},
	} {
		z := fake.Zone{}
		for _, txt := range c.txts {
			z["_dmarc.example.test"] = append(z["_dmarc.example.test"], fake.TXT(txt))
		}
		if got := Evaluate(t.Context(), z, "example.test", nil); got.Status != c.status || got.Policy != c.policy {
			t.Errorf("%s: %+v, want %s p=%q", c.name, got, c.status, c.policy)
		}
	}
}

// Everything that could not be looked up and could have changed the answer makes
// it temperror; what could not have changed it does not.
func TestCouldNotLook(t *testing.T) {
	broken := func(z fake.Zone, names ...string) fake.Zone {
		for i, n := range names {
			z[n] = []fake.Record{[]fake.Record{fake.ServFail(""), fake.Timeout(""), fake.Refused("")}[i%3]}
		}
		return z
	}
	base := func() fake.Zone {
		return policies(map[string]string{"example.test": "p=reject; sp=none; np=reject", "watch.test": "p=none"})
	}
	for _, c := range []struct {
		name, from string
		zone       fake.Zone
		auth       []msg.AuthResult
		status     string
		policy     string
	}{
		{"own record", "a.example.test", broken(base(), "_dmarc.a.example.test"), []msg.AuthResult{dkim(Pass, "a.example.test")}, TempError, ""},
		{"on the way up", "a.b.example.test", broken(base(), "_dmarc.x", "_dmarc.b.example.test"), nil, TempError, ""},
		{"the top", "a.example.test", broken(base(), "_dmarc.x", "_dmarc.y", "_dmarc.test"), nil, TempError, ""},
		{"above, but identical domains", "example.test", broken(base(), "_dmarc.test"), []msg.AuthResult{dkim(Pass, "example.test")}, Pass, "reject"},
		{"above, organisation needed", "example.test", broken(base(), "_dmarc.test"), []msg.AuthResult{dkim(Pass, "mail.example.test")}, TempError, "reject"},
		{"the identifier's walk", "example.test", broken(base(), "_dmarc.mail.example.test"), []msg.AuthResult{dkim(Pass, "mail.example.test")}, TempError, "reject"},
		{"the identifier's walk, but another passes", "example.test", broken(base(), "_dmarc.mail.example.test"), []msg.AuthResult{dkim(Pass, "mail.example.test"), spf(Pass, "a@example.test")}, Pass, "reject"},
		{"our SPF was open", "example.test", base(), []msg.AuthResult{spf(TempError, "a@example.test"), dkim(Fail, "example.test")}, TempError, "reject"},
		{"our key was open", "example.test", base(), []msg.AuthResult{spf(Fail, "a@example.test"), dkim(TempError, "mail.example.test")}, TempError, "reject"},
		{"our key was open, SPF passes", "example.test", base(), []msg.AuthResult{dkim(TempError, "example.test"), spf(Pass, "a@example.test")}, Pass, "reject"},
		{"a stranger's key was open", "example.test", base(), []msg.AuthResult{spf(TempError, "a@evil.test"), dkim(TempError, "evil.test")}, Fail, "reject"},
		{"open, but the owner only watches", "watch.test", base(), []msg.AuthResult{spf(TempError, "a@watch.test")}, TempError, "none"},
		{"whether the domain exists", "gone.example.test", broken(base(), "gone.example.test"), nil, TempError, ""},
		{"whether it exists, but it passes", "gone.example.test", broken(base(), "gone.example.test"), []msg.AuthResult{dkim(Pass, "example.test")}, Pass, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Evaluate(t.Context(), c.zone, c.from, c.auth)
			if got.Status != c.status || got.Policy != c.policy {
				t.Errorf("got %+v, want %s p=%q", got, c.status, c.policy)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) LookupTXT(context.Context, string) ([]string, error) { return nil, f.err }

func TestUnclearErrorIsTemporary(t *testing.T) {
	for _, err := range []error{context.Canceled, errors.New("too many open files")} {
		if got := Evaluate(t.Context(), failing{err}, "example.test", nil); got.Status != TempError {
			t.Errorf("%v: %+v", err, got)
		}
	}
}

func TestAuthResult(t *testing.T) {
	for _, c := range []struct {
		in   Result
		want string
	}{
		{Result{Status: Fail, Policy: "reject", Domain: "example.test", Reason: "no aligned identifier passed"}, "fail header.from=example.test (p=reject; no aligned identifier passed)"},
		{Result{Status: Fail, Policy: "reject", Testing: true, Domain: "example.test"}, "fail header.from=example.test (p=reject t=y)"},
		{Result{Status: None, Domain: "example.test", Reason: "no policy published"}, "none header.from=example.test (no policy published)"},
	} {
		a := c.in.AuthResult()
		if got := fmt.Sprintf("%s %s=%s (%s)", a.Status, a.Property, a.Value, a.Reason); got != c.want || a.Method != "dmarc" {
			t.Errorf("got %s %s, want %s", a.Method, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; aspf=r; psd=y; t=y; rua=mailto:a@b.test,https://x.test",
		"v=DMARC1;p=", "v = DMARC1 ;;;=;p", "v=DMARC1; p=reject; P=none", "v=DMARC1;rua=%zz",
	} {
		f.Add(s)
	}
	known := []string{PolicyNone, PolicyQuarantine, PolicyReject}
	f.Fuzz(func(t *testing.T, txt string) {
		r, err := Parse(txt)
		if err != nil {
			return
		}
		if !strings.Contains(txt, "DMARC1") || !slices.Contains(known, r.Policy) || !slices.Contains([]string{"y", "n", "u"}, r.PSD) {
			t.Fatalf("%q: %+v", txt, r)
		}
		for _, p := range []string{r.Subdomain, r.Missing} {
			if p != "" && !slices.Contains(known, p) {
				t.Fatalf("%q: %+v", txt, r)
			}
		}
		if r.BadPolicy && (r.Policy != PolicyNone || r.Reports) {
			t.Fatalf("%q: %+v", txt, r)
		}
	})
}

// Whatever the domains, no evaluation asks more than eight questions a walk, and
// the organisation is the domain or above it.
func FuzzWalk(f *testing.F) {
	f.Add("a.b.example.test", "example.test", "p=reject; psd=y")
	f.Add("1.2.3.4.5.6.7.8.9.a.test", "5.6.7.8.9.a.test", "psd=n")
	f.Add("thư.test", "test", "")
	f.Fuzz(func(t *testing.T, from, at, tags string) {
		c := &counter{next: policies(map[string]string{strings.ToLower(at): tags})}
		got := Evaluate(t.Context(), c, from, []msg.AuthResult{dkim(Pass, "x."+from)})
		if len(c.asked) > 8+8+1 {
			t.Fatalf("%d questions", len(c.asked))
		}
		if got.OrgDomain != "" && got.OrgDomain != got.Domain && !strings.HasSuffix(got.Domain, "."+got.OrgDomain) {
			t.Fatalf("%+v", got)
		}
	})
}

package auth

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/lang"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/tomlfile"
)

func TestOverride(t *testing.T) {
	forged := letter{ip: "203.0.113.66", mailfrom: "x@attack.test", from: "a@legit.test"}
	watched := letter{ip: "203.0.113.66", mailfrom: "x@attack.test", from: "a@watch.test"}
	listed := letter{ip: "203.0.113.66", mailfrom: "x@plain.test", from: "a@legit.test", sign: []string{"plain.test"}}
	spoiled := listed
	spoiled.change = spoil
	here := []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	there := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		name string
		l    letter
		list []Override
		want string
	}{
		{"none is listed", forged, nil, DMARCReject},
		{"let through", forged, []Override{{Domain: "legit.test", Policy: "none"}}, DMARCOverridden},
		{"milder", forged, []Override{{Domain: "legit.test", Policy: "quarantine"}}, DMARCQuarantine},
		{"harder", watched, []Override{{Domain: "watch.test", Policy: "reject"}}, DMARCReject},
		{"another domain", forged, []Override{{Domain: "plain.test", Policy: "none"}}, DMARCReject},
		{"names below", forged, []Override{{Domain: "*.test", Policy: "none"}}, DMARCOverridden},
		{"names below are not the name", forged, []Override{{Domain: "*.legit.test", Policy: "none"}}, DMARCReject},
		{"from the network", forged, []Override{{Domain: "legit.test", Network: here, Policy: "none"}}, DMARCOverridden},
		{"from elsewhere", forged, []Override{{Domain: "legit.test", Network: there, Policy: "none"}}, DMARCReject},
		{"signed by the list", listed, []Override{{Domain: "legit.test", Signer: "plain.test", Policy: "none"}}, DMARCOverridden},
		{"signed by nobody", forged, []Override{{Domain: "legit.test", Signer: "plain.test", Policy: "none"}}, DMARCReject},
		{"its signature does not hold", spoiled, []Override{{Domain: "legit.test", Signer: "plain.test", Policy: "none"}}, DMARCReject},
		{"signer and network", listed, []Override{{Domain: "legit.test", Signer: "plain.test", Network: there, Policy: "none"}}, DMARCReject},
		{"the first counts", forged, []Override{{Domain: "legit.test", Policy: "quarantine"}, {Domain: "legit.test", Policy: "none"}}, DMARCQuarantine},
		{"two authors, one listed", letter{ip: "203.0.113.66", mailfrom: "x@attack.test", from: "x@legit.test, a@quar.test"}, []Override{{Domain: "legit.test", Policy: "none"}}, DMARCReject},
		{"what passes needs none", letter{ip: "192.0.2.1", mailfrom: "a@legit.test", from: "a@legit.test"}, []Override{{Domain: "legit.test", Policy: "reject"}}, DMARCPass},
		{"open, let through", letter{ip: "192.0.2.1", mailfrom: "a@down.test", from: "a@down.test"}, []Override{{Domain: "down.test", Policy: "none"}}, DMARCUnknown},
		{"open is no failure", letter{ip: "192.0.2.1", mailfrom: "a@down.test", from: "a@down.test"}, []Override{{Domain: "down.test", Policy: "reject"}}, DMARCUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.list {
				c.list[i].Reason = "đã gọi điện"
			}
			fs, as, err := New(Options{Resolver: zone(), Overrides: c.list}).Inspect(t.Context(), c.l.message(t))
			if err != nil {
				t.Fatal(err)
			}
			got := fs[len(fs)-1]
			if got.Symbol != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
			if got.Symbol == DMARCOverridden {
				if last := as[len(as)-1]; last.Status != "fail" || !strings.HasSuffix(last.Reason, "local policy none") || !strings.Contains(got.Evidence, "đã gọi điện") {
					t.Errorf("not said: %+v %+v", last, got)
				}
			}
		})
	}
}

// A domain known to ask for rejection is remembered: when its name server fails the
// sender is asked to come back. Others get a finding.
func TestRememberedPolicy(t *testing.T) {
	z := zone()
	in := New(Options{Resolver: z, Memory: dmarc.NewMemory()})
	look := func(from string) string {
		m := letter{ip: "203.0.113.66", mailfrom: "x@bare.test", from: from}.message(t)
		fs, _, err := in.Inspect(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return fs[len(fs)-1].Symbol
	}
	for from, want := range map[string]string{"a@legit.test": DMARCReject, "a@quar.test": DMARCQuarantine, "a@watch.test": DMARCFailNone} {
		if got := look(from); got != want {
			t.Errorf("%s: %s before the failure", from, got)
		}
	}
	for _, d := range []string{"legit.test", "quar.test", "watch.test", "new.test"} {
		z["_dmarc."+d] = []fake.Record{fake.ServFail("")}
	}
	for from, want := range map[string]string{
		"a@legit.test": DMARCTempError, "a@quar.test": DMARCUnknown, "a@watch.test": DMARCUnknown, "a@new.test": DMARCUnknown,
		"a@new.test, b@bare.test": DMARCTempError, // one author may hide another
	} {
		if got := look(from); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

// A forger's own costly SPF record must not keep us from the policy of the domain that
// he forges.
func TestCostlySenderHidesNoPolicy(t *testing.T) {
	z := zone()
	z["costly.test"] = []fake.Record{fake.TXT("v=spf1 mx mx:m1.test mx:m2.test mx:m3.test mx:m4.test mx:m5.test mx:m6.test -all")}
	c := &counter{Zone: z}
	m := letter{ip: "203.0.113.66", mailfrom: "x@costly.test", from: "a@legit.test"}.message(t)
	fs, _, err := New(Options{Resolver: c, Limits: Limits{Lookups: 3}}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != SPFTempError+" "+DMARCReject {
		t.Errorf("%s, %v", symbols(fs), err)
	}
}

func TestLoadOverrides(t *testing.T) {
	dir := t.TempDir()
	if list, err := LoadOverrides(filepath.Join(dir, "none.toml")); err != nil || list != nil {
		t.Errorf("without a file: %v, %v", list, err)
	}
	name := filepath.Join(dir, "o.toml")
	good := "[[override]]\ndomain = \"A.test\"\nnetwork = [\"192.0.2.0/24\"]\nsigner = \"L.test\"\npolicy = \"none\"\nreason = \"x\"\n"
	for _, c := range []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"domain", `"A.test"`, `"a test"`, "o.toml:2:1: 'a test' is not a domain name"},
		{"no domain", `domain = "A.test"`, ``, "o.toml:1:3: '' is not a domain name"},
		{"network", `192.0.2.0/24`, `192.0.2.0/40`, "o.toml:3:12: "},
		{"signer", `"L.test"`, `"*.test"`, "o.toml:4:1: '*.test' is not a domain name"},
		{"policy", `"none"`, `"nothing"`, "o.toml:5:1: there is no policy 'nothing'"},
		{"reason", `"x"`, `" "`, "o.toml:6:1: this entry has no reason"},
		{"key", "reason", "raeson", "o.toml:6:1: there is no key called 'override.raeson'"},
	} {
		if err := os.WriteFile(name, []byte(strings.Replace(good, c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := LoadOverrides(name)
		var ps tomlfile.Problems
		switch {
		case c.want == "":
			if err != nil || len(list) != 1 || list[0].Domain != "a.test" || list[0].Signer != "l.test" {
				t.Errorf("%s: %+v, %v", c.name, list, err)
			}
		case !errors.As(err, &ps) || !strings.Contains(ps.In(lang.EN), c.want):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case ps[0].Hint.VI == "":
			t.Errorf("%s: no advice", c.name)
		}
	}
}

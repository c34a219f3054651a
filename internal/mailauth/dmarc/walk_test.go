package dmarc

import (
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/msg"
)

// What stands in the way of a walk, and whom the suffixes above keep apart (RFC 9989
// sections 4.10 to 4.10.2).
func TestWalkPastStrangeRecords(t *testing.T) {
	suffix := map[string]string{"gov.test": "p=reject; psd=y; sp=quarantine; np=reject", "a.gov.test": "p=none", "solo.gov.test": "p=reject; psd=n"}
	for _, c := range []struct {
		name, from string
		records    map[string]string
		extra      fake.Zone
		auth       []msg.AuthResult
		status     string
		policyAt   string
		policy     string
	}{
		{
			name: "two records at the name itself", from: "x.a.test", records: map[string]string{"a.test": "p=reject"},
			extra: fake.Zone{"_dmarc.x.a.test": {fake.TXT("v=DMARC1; p=none"), fake.TXT("v=DMARC1; p=none")}}, status: Fail, policyAt: "a.test", policy: "reject",
		},
		{
			name: "two records above, the top below them counts", from: "x.b.a.test", records: map[string]string{"b.a.test": "p=quarantine"},
			extra: fake.Zone{"_dmarc.a.test": {fake.TXT("v=DMARC1; p=none"), fake.TXT("v=DMARC1; p=none")}}, status: Fail, policyAt: "b.a.test", policy: "quarantine",
		},
		{name: "a tag twice is no record", from: "x.a.test", records: map[string]string{"a.test": "p=reject", "x.a.test": "p=none; p=none"}, status: Fail, policyAt: "a.test", policy: "reject"},
		{name: "a policy without sense is a record", from: "x.a.test", records: map[string]string{"a.test": "p=reject", "x.a.test": "p=nothing"}, status: None, policyAt: "x.a.test"},
		{
			name: "another text at the name", from: "x.a.test", records: map[string]string{"a.test": "p=reject"},
			extra: fake.Zone{"_dmarc.x.a.test": {fake.TXT("v=spf1 -all")}}, status: Fail, policyAt: "a.test", policy: "reject",
		},
		{
			name: "an alias for the record", from: "x.a.test", records: map[string]string{"b.test": "p=quarantine"},
			extra: fake.Zone{"_dmarc.x.a.test": {fake.CNAME("_dmarc.b.test")}}, status: Fail, policyAt: "x.a.test", policy: "quarantine",
		},
		{
			name: "an organisation under a suffix, there", from: "c.gov.test", records: suffix,
			extra: fake.Zone{"c.gov.test": {fake.A("192.0.2.1")}}, status: Fail, policyAt: "gov.test", policy: "quarantine",
		},
		{name: "an organisation under a suffix, not there", from: "d.gov.test", records: suffix, status: Fail, policyAt: "gov.test", policy: "reject"},
		{name: "its own record counts before the suffix's", from: "a.gov.test", records: suffix, status: Fail, policyAt: "a.gov.test", policy: "none"},
		{
			name: "neighbours under a suffix are strangers", from: "c.gov.test", records: suffix,
			extra: fake.Zone{"c.gov.test": {fake.A("192.0.2.1")}}, auth: []msg.AuthResult{dkim(Pass, "a.gov.test"), spf(Pass, "x@e.gov.test")}, status: Fail, policyAt: "gov.test", policy: "quarantine",
		},
		{
			name: "the suffix does not speak for those below", from: "c.gov.test", records: suffix,
			extra: fake.Zone{"c.gov.test": {fake.A("192.0.2.1")}}, auth: []msg.AuthResult{dkim(Pass, "gov.test")}, status: Fail, policyAt: "gov.test", policy: "quarantine",
		},
		{name: "nor those below for it", from: "gov.test", records: suffix, auth: []msg.AuthResult{dkim(Pass, "c.gov.test")}, status: Fail, policyAt: "gov.test", policy: "reject"},
		{
			name: "departments of one organisation", from: "x.c.gov.test", records: suffix,
			extra: fake.Zone{"x.c.gov.test": {fake.A("192.0.2.1")}}, auth: []msg.AuthResult{dkim(Pass, "y.c.gov.test")}, status: Pass, policyAt: "gov.test", policy: "quarantine",
		},
		{name: "psd=n under the suffix", from: "x.solo.gov.test", records: suffix, auth: []msg.AuthResult{dkim(Pass, "y.solo.gov.test")}, status: Pass, policyAt: "solo.gov.test", policy: "reject"},
		{
			name: "strict both ways", from: "x.a.test", records: map[string]string{"a.test": "p=reject; adkim=s; aspf=s"},
			auth: []msg.AuthResult{dkim(Pass, "a.test"), spf(Pass, "u@a.test")}, status: Fail, policyAt: "a.test", policy: "reject",
		},
		{
			name: "strict for keys only", from: "x.a.test", records: map[string]string{"a.test": "p=reject; adkim=s"},
			auth: []msg.AuthResult{dkim(Pass, "a.test"), spf(Pass, "u@a.test")}, status: Pass, policyAt: "a.test", policy: "reject",
		},
		{name: "pct is gone", from: "a.test", records: map[string]string{"a.test": "p=reject; pct=0"}, status: Fail, policyAt: "a.test", policy: "reject"},
		{name: "np without sp", from: "gone.a.test", records: map[string]string{"a.test": "p=none; np=reject"}, status: Fail, policyAt: "a.test", policy: "reject"},
		{name: "np does not touch the name of the record", from: "a.test", records: map[string]string{"a.test": "p=none; np=reject"}, status: Fail, policyAt: "a.test", policy: "none"},
		{name: "sp does not touch the name of the record", from: "a.test", records: map[string]string{"a.test": "p=reject; sp=none"}, status: Fail, policyAt: "a.test", policy: "reject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := policies(c.records)
			for name, records := range c.extra {
				z[name] = records
			}
			got := Evaluate(t.Context(), z, c.from, c.auth)
			if got.Status != c.status || got.PolicyAt != c.policyAt || got.Policy != c.policy {
				t.Errorf("got %+v, want %s, record at %s, p=%s", got, c.status, c.policyAt, c.policy)
			}
		})
	}
}

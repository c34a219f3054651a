package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/signing"
)

// What the DNS may say about a key, and the exit status that follows.
func TestPublished(t *testing.T) {
	s := signing.Open(filepath.Join(t.TempDir(), "dkim"))
	k, err := s.New("so.gov.test", "k", signing.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.New("so.gov.test", "other", signing.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	broken := k
	broken.State = signing.Broken
	for name, c := range map[string]struct {
		key     signing.Info
		records []fake.Record
		dns     string
		status  int
	}{
		"published":       {k, []fake.Record{fake.TXT(k.Record)}, recordFound, 0},
		"by way of CNAME": {k, []fake.Record{fake.CNAME("dkim.host.test")}, recordFound, 0},
		"absent":          {k, nil, recordAbsent, exitData},
		"another type":    {k, []fake.Record{fake.A("192.0.2.1")}, recordAbsent, exitData},
		"another key":     {k, []fake.Record{fake.TXT(other.Record)}, recordDiffers, exitData},
		"revoked":         {k, []fake.Record{fake.TXT("v=DKIM1; p=")}, recordDiffers, exitData},
		"cut short":       {k, []fake.Record{fake.TXT(k.Record[:60])}, recordDiffers, exitData},
		"twice":           {k, []fake.Record{fake.TXT(k.Record), fake.TXT("v=spf1 -all")}, recordDiffers, exitData},
		"SERVFAIL":        {k, []fake.Record{fake.ServFail("")}, recordUnknown, exitTempFail},
		"time-out":        {k, []fake.Record{fake.Timeout("")}, recordUnknown, exitTempFail},
		"a broken key":    {broken, []fake.Record{fake.TXT(k.Record)}, recordDiffers, exitData},
	} {
		z := fake.Zone{"dkim.host.test": {fake.TXT(k.Record)}}
		if c.records != nil {
			z[k.Name] = c.records
		}
		got := published(t.Context(), z, c.key)
		status := 0
		if err := worst([]comparison{{DNS: recordFound}, got}); err != nil {
			status = err.(*failure).code
		}
		if got.DNS != c.dns || status != c.status || (got.DNS == recordDiffers || got.DNS == recordUnknown) && got.Why == "" && name != "a broken key" {
			t.Errorf("%s: %+v, status %d, want %s, %d", name, got, status, c.dns, c.status)
		}
	}
}

func TestWantedKeys(t *testing.T) {
	day := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		cmd  dkimNewCmd
		want string
	}{
		{dkimNewCmd{Algorithm: "both"}, "cg20261124-rsa/rsa cg20261124-ed25519/ed25519"},
		{dkimNewCmd{Algorithm: "rsa"}, "cg20261124-rsa/rsa"},
		{dkimNewCmd{Algorithm: "both", Selector: "S"}, "s-rsa/rsa s-ed25519/ed25519"},
		{dkimNewCmd{Algorithm: "ed25519", Selector: "s"}, "s/ed25519"},
	} {
		var got []string
		for _, k := range c.cmd.wanted(day) {
			got = append(got, k.selector+"/"+k.algorithm)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v", c.cmd, got)
		}
	}
}

// check speaks of a key that keeps mail back, and is silent about one that does nothing.
func TestCheckSigning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dkim")
	s := signing.Open(dir)
	if _, err := s.New("so.gov.test", "k", signing.Ed25519); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "so.gov.test", "k.pem")
	for _, c := range []struct {
		do     func() error
		status int
	}{
		{func() error { return nil }, 0},
		{func() error { return os.Chmod(file, 0o644) }, 0},
		{func() error { return os.Chmod(file, 0o600) }, 0},
		{func() error { _, err := s.Activate("so.gov.test", "k"); return err }, 0},
		{func() error { return os.Chmod(file, 0o644) }, exitConfig},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		status := 0
		if err := checkSigning(s); err != nil {
			status = err.(*failure).code
		}
		if status != c.status {
			t.Errorf("status %d, want %d", status, c.status)
		}
	}
}

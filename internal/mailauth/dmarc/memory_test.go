package dmarc

import (
	"fmt"
	"testing"
	"time"

	"congthu/internal/msg"
)

// look evaluates a domain under one record and notes it.
func look(t *testing.T, m *Memory, from, at, tags string) {
	t.Helper()
	m.Note(Evaluate(t.Context(), policies(map[string]string{at: tags}), from, nil))
}

func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name, from, at, tags string
		asked                string
		want                 bool
	}{
		{"its own", "a.test", "a.test", "p=reject", "a.test", true},
		{"a subdomain", "a.test", "a.test", "p=reject", "x.y.a.test", true},
		{"seen through a subdomain", "x.a.test", "a.test", "p=reject", "a.test", true},
		{"subdomains are let be", "a.test", "a.test", "p=reject; sp=none", "x.a.test", false},
		{"only subdomains", "a.test", "a.test", "p=none; sp=reject", "x.a.test", true},
		{"only subdomains, the domain", "a.test", "a.test", "p=none; sp=reject", "a.test", false},
		{"on trial", "a.test", "a.test", "p=reject; t=y", "a.test", false},
		{"quarantine", "a.test", "a.test", "p=quarantine", "a.test", false},
		{"another domain", "a.test", "a.test", "p=reject", "b.test", false},
		{"a name that only looks like it", "a.test", "a.test", "p=reject", "xa.test", false},
	} {
		m := NewMemory()
		look(t, m, c.from, c.at, c.tags)
		if got := m.Rejects(c.asked); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// The memory ends after its life, follows a change of mind at once, and is bounded.
func TestMemoryForgets(t *testing.T) {
	m := NewMemory()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	m.now = func() time.Time { return now }
	look(t, m, "a.test", "a.test", "p=reject")
	now = now.Add(memoryLife - time.Second)
	if !m.Rejects("a.test") {
		t.Error("forgotten too early")
	}
	now = now.Add(2 * time.Second)
	if m.Rejects("a.test") || len(m.seen) != 0 {
		t.Error("remembered too long")
	}
	look(t, m, "b.test", "b.test", "p=reject")
	look(t, m, "b.test", "b.test", "p=none")
	if m.Rejects("b.test") {
		t.Error("a policy taken back is still believed")
	}
	m.max = 3
	for i := range 5 {
		look(t, m, fmt.Sprintf("d%d.test", i), fmt.Sprintf("d%d.test", i), "p=reject")
	}
	if m.recent.Len() != 3 || len(m.seen) != 3 || m.Rejects("d1.test") || !m.Rejects("d4.test") {
		t.Errorf("%d kept", m.recent.Len())
	}
	var none *Memory
	none.Note(Result{})
	if none.Rejects("a.test") {
		t.Error("a nil memory remembers")
	}
}

// For a report every identifier is looked at; for the result alone the first is enough.
func TestBothIdentifiers(t *testing.T) {
	ids := []msg.AuthResult{spf(Pass, "a@mail.example.test"), dkim(Pass, "example.test"), dkim(Pass, "evil.test")}
	for _, c := range []struct {
		name, tags string
		both       bool
		spf, key   bool
	}{
		{"the result alone", "p=reject; rua=mailto:d@example.test", false, true, false},
		{"for a report", "p=reject; rua=mailto:d@example.test", true, true, true},
		{"nobody wants a report", "p=reject", true, true, false},
		{"strict SPF", "p=reject; aspf=s; rua=mailto:d@example.test", true, false, true},
	} {
		z := policies(map[string]string{"example.test": c.tags})
		got := evaluate(t.Context(), z, "example.test", ids, c.both)
		if got.Status != Pass || got.SPFAligned != c.spf || got.KeyAligned != c.key {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	got := EvaluateBoth(t.Context(), policies(map[string]string{"example.test": "p=reject; rua=mailto:d@example.test"}), "example.test", ids[2:])
	if got.Status != Fail || got.SPFAligned || got.KeyAligned {
		t.Errorf("foreign identifiers: %+v", got)
	}
}

package e2e_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"congthu/internal/e2e"
)

// Two gateways that hold whatever the other writes, and whose routes lead to each other: a
// notice is followed by none about itself, whoever holds it.
func TestNoticesDoNotGoInCircles(t *testing.T) {
	programs := build(t)
	one, two := loopback(spare(), 1), loopback(spare(), 1)
	gateways := map[*e2e.Gateway]*e2e.Case{}
	start := func(own, other string) *e2e.Gateway {
		text := "Notices of two gateways.\n-- config --\n[[route]]\ndomains = [\"gov.test\"]\nnext_hop = \"" + other + ":2525\"\n" +
			"[notice]\nheld = true\nsender = true\n[digest]\nat = \"00:00\"\naddress = \"cong-thu@" + strings.ReplaceAll(own, ".", "-") + ".test\"\n" +
			"-- rules/local/content/giu.toml --\n" + holdAll +
			"-- message/a --\nFrom: A <a@gov.test>\nTo: <b@gov.test>\nSubject: x\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@gov.test>\n\ngiulaihet thu\n" +
			"-- dialogue --\nLETTER a from=a@gov.test to=b@gov.test => 250\nSLEEP 3s\n-- want --\nqueue 0\n"
		c, err := e2e.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		g, err := programs.Start(t.Context(), c, t.TempDir(), rules, own)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Stop() })
		gateways[g] = c
		return g
	}
	a, b := start(one, two), start(two, one)
	for _, g := range []*e2e.Gateway{a, b} {
		if err := g.Play(gateways[g]); err != nil {
			t.Fatal(err)
		}
	}
	count := func() string { return held(t, a) + " " + held(t, b) }
	before := count()
	time.Sleep(4 * time.Second)
	if after := count(); after != before {
		t.Errorf("held letters at the two gateways were %s and are %s: they go on writing to each other", before, after)
	}
	// each has its own letter, and of the other's: a notice to the sender and one to the recipient
	if before != "3 3" {
		t.Errorf("held: %s, want 3 3\n%s", before, a.Log())
	}
	for _, g := range []*e2e.Gateway{a, b} {
		if err := g.Check(gateways[g]); err != nil {
			t.Error(err)
		}
	}
}

const holdAll = `
[[rule]]
symbol = "LOCAL_HOLD_ALL"
score = 8.0
vi = "Giữ lại hết."
en = "Everything is held."
words = ["giulaihet", "giữ lại"]
fold = true
`

func held(t *testing.T, g *e2e.Gateway) string {
	t.Helper()
	out, status, err := g.Run("quarantine", "list", "--json")
	if err != nil || status != 0 {
		t.Fatal(out, status, err)
	}
	var items []json.RawMessage
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(len(items))
}

package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/signing"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// What is changed in the settings, and which DKIM keys, is on record by name: not twice,
// not by its value, and not when nothing but the data key is another.
func TestSettingsOnRecord(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "congthu.toml")
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g := &gateway{log: slog.New(slog.DiscardHandler), db: db, file: file, audit: audit.New(audit.Options{Store: db})}
	var many strings.Builder
	for n := range mostNames + 5 {
		fmt.Fprintf(&many, "[[agency]]\nname = \"a%02d\"\ndomains = [\"a%02d.test\"]\nnetworks = [\"192.0.2.%d/32\"]\n", n, n, n+1)
	}
	const base = "hostname = \"gw.test\"\nrules_dir = \"rules\"\n"
	for _, step := range []struct {
		text string
		do   func()
		want string
	}{
		{text: base, want: ""}, // the first look: there is nothing to compare with
		{text: base, want: ""},
		{text: base + "# a remark\n", want: ""},
		{text: base + "[[route]]\ndomains = [\"so.test\"]\nnext_hop = \"bi-mat.test:25\"\n", want: "added route[so.test].domains, route[so.test].next_hop, "},
		{text: base + "[[route]]\ndomains = [\"so.test\"]\nnext_hop = \"khac.test:25\"\n[quarantine]\nundo = \"2h\"\n", want: "changed quarantine.undo, route[so.test].next_hop"},
		{text: base + "[[route]]\ndomains = [\"so.test\"]\nnext_hop = 7\n", want: ""}, // it has a mistake: it is not used either
		{text: base, want: "removed route[so.test].domains"},
		{text: base + many.String(), want: "and "},
		{text: base, want: "more"},
		{do: func() {
			if _, err := signing.Open(g.cfg.DKIM.Keys).New("so.test", "k", signing.Ed25519); err != nil {
				t.Fatal(err)
			}
		}, want: "added dkim key so.test k"},
		{do: func() {
			if _, err := signing.Open(g.cfg.DKIM.Keys).Activate("so.test", "k"); err != nil {
				t.Fatal(err)
			}
		}, want: "changed dkim key so.test k"},
		{do: func() {
			if err := signing.Open(g.cfg.DKIM.Keys).Delete("so.test", "k", true); err != nil {
				t.Fatal(err)
			}
		}, want: "removed dkim key so.test k"},
		{do: func() { _ = os.WriteFile(filepath.Join(dir, settingsSeen), []byte("{"), 0o600) }, want: ""}, // unreadable: as the first look
	} {
		if step.text != "" {
			if err := os.WriteFile(file, []byte(step.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if c, err := config.Load(file); err == nil {
			c.DataDir = dir
			g.cfg = c
		}
		if step.do != nil {
			step.do()
		}
		before := entries(t, g.audit)
		g.recordSettings(t.Context(), "in a test")
		g.recordSettings(t.Context(), "in a test")
		after := entries(t, g.audit)
		switch n := len(after) - len(before); {
		case step.want == "" && n != 0:
			t.Errorf("%.80q: %s", step.text, after[0].Detail)
		case step.want != "" && (n != 1 || !strings.Contains(after[0].Detail, step.want)):
			t.Errorf("%.80q: %d entries, %+v", step.text, n, after[0])
		case n == 1 && (strings.Contains(after[0].Detail, "bi-mat") || len(after[0].Detail) > 40*mostNames):
			t.Errorf("%s", after[0].Detail)
		}
	}
	if r, err := g.audit.Verify(t.Context()); err != nil || r.Broken != nil {
		t.Error(r, err)
	}
	seen, err := os.ReadFile(filepath.Join(dir, settingsSeen))
	if err != nil || strings.Contains(string(seen), "gw.test") {
		t.Errorf("%.200s %v", seen, err)
	}
}

// A data key on top of the old one changes no setting; where the old one is gone that is said,
// once, and what is changed afterwards is seen again.
func TestSettingsUnderAnotherKey(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "congthu.toml")
	write := func(undo string) {
		if err := os.WriteFile(file, []byte("hostname = \"gw.test\"\nrules_dir = \"rules\"\n[quarantine]\nundo = \""+undo+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ key, undo, want string }{
		{"5a", "1h", ""},
		{"5b5a", "1h", ""},
		{"5b5a", "2h", "changed quarantine.undo"},
		{"5c", "2h", "the data key is another"},
		{"5c", "2h", ""},
		{"5c", "3h", "changed quarantine.undo"},
	} {
		write(step.undo)
		db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: keyFile(t, step.key)})
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		c.DataDir = dir
		g := &gateway{cfg: c, log: slog.New(slog.DiscardHandler), db: db, file: file, audit: audit.New(audit.Options{Store: db})}
		g.recordSettings(t.Context(), "in a test")
		list := entries(t, g.audit)
		if step.want == "" && len(list) != 0 || step.want != "" && (len(list) != 1 || !strings.Contains(list[0].Detail, step.want)) {
			t.Errorf("%+v: %+v", step, list)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// keyFile is a file of data keys, each of one octet repeated, the newest first.
func keyFile(t *testing.T, octets string) string {
	t.Helper()
	var text strings.Builder
	for i := 0; i < len(octets); i += 2 {
		text.WriteString(strings.Repeat(octets[i:i+2], 32) + "\n")
	}
	name := filepath.Join(t.TempDir(), "data.key")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func entries(t *testing.T, l *audit.Log) []audit.Entry {
	t.Helper()
	list, err := l.List(t.Context(), audit.Filter{Act: "settings"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Every setting that there is has a name.
func TestSettingsHaveNames(t *testing.T) {
	n := 0
	settingsOf("", reflect.ValueOf(*config.Default()), func(name, value string) {
		n++
		if strings.Contains(name, "..") || strings.HasSuffix(name, ".") || name == "" || strings.Contains(value, "0xc0") {
			t.Errorf("%q is %q", name, value)
		}
	})
	if n < 100 {
		t.Errorf("only %d settings", n)
	}
}

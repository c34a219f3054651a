package main

import (
	"slices"
	"testing"

	"congthu/internal/config"
	"congthu/internal/inspect"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
)

func names(list []inspect.Timed) (out []string) {
	for _, t := range list {
		out = append(out, t.Name())
	}
	return out
}

// The names that inspect.skip may hold are those of the inspectors that run.
func TestEveryInspectorCanBeSkippedByItsName(t *testing.T) {
	c := config.Default()
	p := (&judge{cfg: c}).pipeline()
	if got := append(names(p.Authenticate), names(p.Inspect)...); !slices.Equal(got, config.Inspectors()) {
		t.Errorf("the path has %v, the settings know %v", got, config.Inspectors())
	}
	for _, name := range config.Inspectors() {
		c.Inspect.Skip = []string{name}
		p := (&judge{cfg: c}).pipeline()
		if got := append(names(p.Authenticate), names(p.Inspect)...); slices.Contains(got, name) || len(got) != len(config.Inspectors())-1 {
			t.Errorf("skip %s leaves %v", name, got)
		}
		if p.Parse([]byte("Subject: x\r\n\r\n")) == nil {
			t.Errorf("skip %s: the others need the parsed message", name)
		}
	}
	c.Inspect.Skip = config.Inspectors()
	if p := (&judge{cfg: c}).pipeline(); len(p.Authenticate)+len(p.Inspect) != 0 || p.Parse(nil) != nil {
		t.Error("something still runs")
	}
}

// A signed letter is recognised although nobody has parsed it.
func TestProtectionWithoutInspectors(t *testing.T) {
	raw := []byte("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")
	if got := protection(&msg.Message{Raw: raw}); got != pgp.PGPSigned {
		t.Errorf("not parsed: %q", got)
	}
	if got := protection(&msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}); got != pgp.PGPSigned {
		t.Errorf("parsed: %q", got)
	}
}

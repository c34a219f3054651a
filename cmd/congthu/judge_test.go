package main

import (
	"slices"
	"testing"

	"congthu/internal/config"
	"congthu/internal/inspect"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/pipeline"
)

func names(list []inspect.Timed) (out []string) {
	for _, t := range list {
		out = append(out, t.Name())
	}
	return out
}

// everyName is that of everyone who looks, in the order of the path.
func everyName(p *pipeline.Pipeline) []string {
	out := names(p.Authenticate)
	if p.Open != nil {
		out = append(out, (&opening{}).Name())
	}
	return append(out, names(p.Inspect)...)
}

// The names that inspect.skip may hold are those of the inspectors that run.
func TestEveryInspectorCanBeSkippedByItsName(t *testing.T) {
	c := config.Default()
	p := (&judge{cfg: c}).pipeline()
	if got := everyName(p); !slices.Equal(got, config.Inspectors()) {
		t.Errorf("the path has %v, the settings know %v", got, config.Inspectors())
	}
	for _, name := range config.Inspectors() {
		c.Inspect.Skip = []string{name}
		p := (&judge{cfg: c}).pipeline()
		if got := everyName(p); slices.Contains(got, name) || len(got) != len(config.Inspectors())-1 {
			t.Errorf("skip %s leaves %v", name, got)
		}
		if p.Parse(&msg.Message{Raw: []byte("Subject: x\r\n\r\n")}) == nil {
			t.Errorf("skip %s: the others need the parsed message", name)
		}
	}
	c.Inspect.Skip = config.Inspectors()
	p = (&judge{cfg: c}).pipeline()
	m := &msg.Message{Raw: []byte("Subject: x\r\n\r\n")}
	if len(everyName(p)) != 0 || p.Parse(m) != nil {
		t.Error("something still runs")
	}
	m.Session.Identity = msg.Identity{Proof: msg.ByNetwork, Agency: "so-y-te"}
	if p.Parse(m) == nil {
		t.Error("what an agency sends is looked at by \"sender\"")
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

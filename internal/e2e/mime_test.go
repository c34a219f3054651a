package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"congthu/internal/e2e"
	"congthu/internal/e2e/letters"
)

// inert is as long as the EICAR string, and nothing.
const inert = "Tep nay khong co gi ben trong, chi de so sanh voi tep thu nghiem. =="

// A file that is found as it stands is found however it is hidden: each trick that we
// know goes through the real gateway, once with the EICAR string in it and once with
// an inert text. The first is never delivered; the second may be held for its structure,
// but nobody takes it for malware.
func TestMIMEMatrix(t *testing.T) {
	c := &e2e.Case{Shows: "every trick", Messages: map[string][]byte{}, Config: "[scan]\nworkers = 2\n"}
	list := tricks()
	for i, tr := range list {
		for kind, file := range map[string]string{"eicar": string(letters.Eicar()), "inert": inert} {
			name := fmt.Sprintf("%s-%d", kind, i)
			c.Messages[name] = letter(name, tr.make(file))
			c.Dialogue = append(c.Dialogue, "LETTER "+name+" from=van-thu@a.test to=van-thu@gov.test ip=192.0.2.1 helo=mx.a.test => ~[25]")
		}
	}
	g, err := build(t).Start(t.Context(), c, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Play(c); err != nil {
		t.Error(err)
	}
	held, delivered := heldLetters(t, g), deliveredLetters(g)
	found, missed := 0, 0
	for i, tr := range list {
		eicar, control := fmt.Sprintf("eicar-%d", i), fmt.Sprintf("inert-%d", i)
		if delivered[eicar] {
			missed++
			t.Errorf("%s: the file was delivered:\n%s", tr.name, c.Messages[eicar])
		}
		switch {
		case strings.Contains(held[eicar], "YARA_MALWARE"):
			found++
		case held[eicar] != "":
			t.Errorf("%s: held, but not for its content:%s", tr.name, held[eicar])
		}
		if strings.Contains(held[control], "YARA_") {
			t.Errorf("%s: an inert file is taken for malware:%s", tr.name, held[control])
		}
	}
	fmt.Printf("mime matrix %d/%d (%d held for their content, the others refused)\n", len(list)-missed, len(list), found)
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Log(g.Log())
	}
}

// letter is a message with that subject; the rest is fields and body, lines ended by LF.
func letter(subject, rest string) []byte {
	head := "From: Van thu <van-thu@a.test>\nTo: <van-thu@gov.test>\nSubject: " + subject +
		"\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <" + subject + "@a.test>\nMIME-Version: 1.0\n"
	return []byte(strings.ReplaceAll(head+rest+"\n", "\n", "\r\n"))
}

// heldLetters are the subjects of what is held, and what was found in each.
func heldLetters(t *testing.T, g *e2e.Gateway) map[string]string {
	t.Helper()
	out, status, err := g.Run("quarantine", "list", "--json", "--limit", "5000")
	if err != nil || status != 0 {
		t.Fatalf("quarantine list: %d %v\n%s", status, err, out)
	}
	var items []struct {
		Subject  string
		Findings []struct{ Symbol, Evidence string }
	}
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	held := map[string]string{}
	for _, it := range items {
		held[it.Subject] = " held"
		for _, f := range it.Findings {
			held[it.Subject] += " " + f.Symbol + "(" + f.Evidence + ")"
		}
	}
	return held
}

// deliveredLetters are the subjects of what reached the next hop.
func deliveredLetters(g *e2e.Gateway) map[string]bool {
	out := map[string]bool{}
	for _, d := range g.Sink.Deliveries() {
		_, rest, _ := strings.Cut(string(d.Data), "\r\nSubject: ")
		subject, _, _ := strings.Cut(rest, "\r\n")
		out[subject] = true
	}
	return out
}

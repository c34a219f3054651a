package attach_test

import (
	"testing"
	"time"

	"congthu/internal/inspect/attach"
	"congthu/internal/msg"
)

// poison is a letter at which the fake worker of the mode "poison" crashes each time.
func poison(header string) *msg.Message {
	return &msg.Message{Raw: []byte(header + "Subject: x\r\n\r\nPOISON\r\n"), Root: &msg.Part{Path: "0", MediaType: "text/plain", Decoded: []byte("POISON\r\n")}}
}

func inspect(t *testing.T, p *attach.Pool, m *msg.Message) ([]msg.Finding, error) {
	t.Helper()
	f, _, err := p.Inspector(func(string) bool { return false }).Inspect(t.Context(), m)
	return f, err
}

// A letter that brings down its worker is tried twice, the second time when its sender
// comes back, and is then a finding; letters between and after are looked at.
func TestPoisonIsHeldTheSecondTime(t *testing.T) {
	p, err := fake(t, "poison")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := inspect(t, p, poison("")); err == nil {
		t.Fatalf("the first time: %v", f)
	}
	if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 {
		t.Errorf("another letter: %v %v", f, err)
	}
	for range 2 {
		f, err := inspect(t, p, poison("Received: again\r\n"))
		if err != nil || len(f) != 1 || f[0].Symbol != attach.Crash {
			t.Errorf("when it comes again: %v %v", f, err)
		}
	}
	if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 || f[0].Symbol != "ATTACH_LNK" {
		t.Errorf("the letter after it: %v %v", f, err)
	}
}

// What cannot be looked at twice is held, too, with what was found in it.
func TestErrorTwiceIsAFinding(t *testing.T) {
	p, err := fake(t, "never")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := look(t, p, 20*time.Second); err == nil {
		t.Fatalf("the first time: %v", f)
	}
	f, err := look(t, p, 20*time.Second)
	if err != nil || len(f) != 2 || f[0].Symbol != "ATTACH_LNK" || f[1].Symbol != attach.Error {
		t.Errorf("the second time: %v %v", f, err)
	}
}

// A crash that was not the letter's fault is forgotten once it was looked at.
func TestSuspicionEnds(t *testing.T) {
	p, err := fake(t, "crash") // once in all
	if err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, p, 20*time.Second); err == nil {
		t.Fatal("the first time")
	}
	for range 2 {
		if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 || f[0].Symbol != "ATTACH_LNK" {
			t.Errorf("%v %v", f, err)
		}
	}
}

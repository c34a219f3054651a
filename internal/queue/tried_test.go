package queue

import (
	"testing"
	"time"

	"congthu/internal/msg"
)

// A next hop that has just put a letter off is not asked again at once, what it said is
// shown, and the attempt counts.
func TestTriedWaitsForTheFirstPause(t *testing.T) {
	r := newRig(t)
	r.run() // a start makes everything due
	m := letter("A1", "b@y.test")
	m.Tried = []msg.Reply{try450}
	r.put(m)
	r.wantList("A1 b@y.test waiting 1 450")
	r.put(letter("A2", "b@y.test")) // a fresh one is tried at once
	r.until("delivered A2 b@y.test")
	r.wantList("A1 b@y.test waiting 1 450")
	r.pass(time.Minute)
	r.until("delivered A1 b@y.test")
}

// A next hop that gave no answer is asked again at once: by one letter for all.
func TestTriedInVainIsTriedAtOnce(t *testing.T) {
	r := newRig(t)
	r.run()
	for id, reply := range map[string]msg.Reply{"A1": {}, "A2": {Code: 451, Own: true}} {
		m := letter(id, "b@y.test")
		m.Tried = []msg.Reply{reply}
		r.put(m)
	}
	r.until("delivered A1 b@y.test")
	r.until("delivered A2 b@y.test")
}

// A recipient who was refused for good is settled at once.
func TestTriedRefusalIsSettledAtOnce(t *testing.T) {
	r := newRig(t)
	r.hop.answer = all(no550)
	r.run()
	m := letter("A1", "b@y.test", "c@y.test")
	m.Tried = []msg.Reply{try450, no550}
	r.put(m)
	r.until("failed A1 c@y.test")
}

// Replies go with their recipients when a copy is divided, and must be as many.
func TestTriedIsDividedWithItsRecipients(t *testing.T) {
	r := newRig(t)
	m := letter("A1", "b@y.test", "c@z.test")
	m.NextHop = "mx"
	m.Tried = []msg.Reply{try450, {Code: 451}}
	r.put(m)
	r.wantList("A1 b@y.test waiting 1 450\nA1-2 c@z.test waiting 1 451")
	m.Tried = m.Tried[:1]
	if err := r.Put(t.Context(), m); err == nil {
		t.Error("two recipients and one reply were taken")
	}
}

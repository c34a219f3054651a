package corpus

import (
	"bytes"
	"strings"
	"testing"
)

func TestTextsAreWhole(t *testing.T) {
	lib, err := load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	sets := map[bool]map[Set]int{true: {}, false: {}}
	for _, x := range lib.texts {
		if seen[x.id] {
			t.Errorf("two letters are called %s", x.id)
		}
		seen[x.id] = true
		sets[x.spam][x.set]++
		if len(lib.of(x.From)) == 0 {
			t.Errorf("%s: nobody is of the classes %v", x.id, x.From)
		}
		f := &filler{slots: lib.slots, own: x.slots, r: newRandom(x.id), drawn: map[string]string{}}
		f.fill(x.Subject + x.Text + x.Name)
		if f.bad != "" {
			t.Errorf("%s: there is no slot {%s}", x.id, f.bad)
		}
		for _, m := range x.Mailers {
			if mailers()[m].fields == "" {
				t.Errorf("%s: there is no mailer %q", x.id, m)
			}
		}
	}
	for _, s := range lib.senders {
		for _, m := range s.Mailers {
			if mailers()[m].fields == "" {
				t.Errorf("%s: there is no mailer %q", s.Address, m)
			}
		}
	}
	t.Logf("good %v, bad %v", sets[false], sets[true])
}

func TestSameLettersEveryTime(t *testing.T) {
	for _, set := range []Set{Train, Tune, Held} {
		a, err := Of(set, 2)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := Of(set, 2)
		for i := range a {
			if !bytes.Equal(a[i].Raw, b[i].Raw) {
				t.Fatalf("%s comes out differently", a[i].Name)
			}
		}
	}
}

// A domain has one SPF record, or SPF fails for all its senders.
func TestZoneHasOneSPFRecordADomain(t *testing.T) {
	zone, err := Zone()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(zone, "\n") {
		if name, _, ok := strings.Cut(line, " "); ok && strings.Contains(line, "v=spf1") {
			if seen[name] {
				t.Errorf("%s has two", name)
			}
			seen[name] = true
		}
	}
}

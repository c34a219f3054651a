package corpus

import (
	"strings"
	"testing"
)

func TestIndexIsReadBack(t *testing.T) {
	letters, err := Of(Tune, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseIndex(Index(letters))
	if err != nil || len(got) != len(letters) {
		t.Fatal(len(got), err)
	}
	for i := range got {
		want := letters[i]
		got[i].Raw = want.Raw
		if Index(got[i:i+1]) != Index(letters[i:i+1]) || got[i].Client != want.Client || got[i].Inside != want.Inside {
			t.Errorf("%+v, want %+v", got[i], want)
		}
	}
}

func TestIndexMistakes(t *testing.T) {
	const good = "a.0.eml\tham\tx\tnfc\ttune\tclient=192.0.2.1 helo=a from=b to=c"
	if _, err := ParseIndex(good); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"": "line 2: want path",
		"a.0.eml\tgood\tx\tnfc\ttune\tclient=192.0.2.1": "line 2: want path",
		"a.0.eml\tham\tx\tnfc\ttune\tclient=here":       "line 2: ParseAddr",
		"a.0.eml\tham\tx\tnfc\ttune\tport=25":           `line 2: there is no session fact "port"`,
	} {
		if _, err := ParseIndex(good + "\n" + line + "\n."); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add("a.0.eml\tham\tx\tnfc\ttune\tclient=192.0.2.1 helo=a from=b to=c inside")
	f.Fuzz(func(t *testing.T, s string) {
		letters, err := ParseIndex(s)
		if err != nil {
			return
		}
		again, err := ParseIndex(Index(letters))
		if err == nil && len(again) != len(letters) {
			t.Fatalf("%q: %d letters, then %d", s, len(letters), len(again))
		}
	})
}

func FuzzFill(f *testing.F) {
	lib, err := load()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("{so_cv} {a|b} {10-99} {x")
	f.Add("{9-1}{0-0}}{{")
	f.Fuzz(func(t *testing.T, s string) {
		one := func() string {
			return (&filler{slots: lib.slots, r: newRandom("x"), drawn: map[string]string{}}).fill(s)
		}
		if a, b := one(), one(); a != b {
			t.Fatalf("%q comes out as %q and %q", s, a, b)
		}
	})
}

func TestSlots(t *testing.T) {
	f := &filler{slots: map[string][]string{"ten": {"A", "B", "C", "D", "E", "F", "G"}, "ca": {"{ten} và {ten2}"}}, r: newRandom("seed"), drawn: map[string]string{}}
	if got := f.fill("{ten} {ten}"); got[0] != got[2] {
		t.Errorf("the same slot differs: %q", got)
	}
	if got := f.fill("{7-7}{x|x} {ca}"); !strings.HasPrefix(got, "7x ") || strings.ContainsAny(got, "{}") || f.bad != "" {
		t.Errorf("%q %q", got, f.bad)
	}
	if f.fill("{nobody}"); f.bad != "nobody" {
		t.Error("an unknown slot is not remembered")
	}
}

// Training is reproducible and holds nothing of the other sets.
func TestTraining(t *testing.T) {
	a, err := Training(3)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Training(3)
	forms := map[Form]int{}
	for i := range a {
		if string(a[i].Raw) != string(b[i].Raw) || a[i].Set != Train {
			t.Fatalf("%s: set %s, or made in two ways", a[i].Name, a[i].Set)
		}
		forms[a[i].Form]++
	}
	if forms[NFC] < len(a)/3 || forms[Bare] == 0 || forms[TCVN3] == 0 {
		t.Errorf("forms %v", forms)
	}
	if _, err := As(Letter{Name: "no-such-1.0"}, NFD); err == nil {
		t.Error("a letter that nobody wrote was made")
	}
}

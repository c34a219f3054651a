package token_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/store/storetest"
	"congthu/internal/token"
)

// A name is one token's while that is in use, however it is written; afterwards it is free.
func TestNamesAreUnique(t *testing.T) { storetest.Each(t, testNames) }

func testNames(t *testing.T, url string) {
	r := newRig(t, url)
	first, _ := r.make(t, token.Wanted{Name: "Lan Anh", Role: token.Auditor, Life: 48 * time.Hour})
	if first.Person != "Lan Anh" {
		t.Errorf("%+v", first)
	}
	for name, want := range map[string]bool{"lan  anh": false, "LAN ANH": false, "Lan A\u200cnh": false, "La\uff4e Anh": false, "Lan \u00c2nh": true, "Lan": true} {
		_, _, err := r.Make(t.Context(), token.Wanted{Name: name, Role: token.Auditor, Life: time.Hour})
		var no *token.Refusal
		if (err == nil) != want || !want && (!errors.As(err, &no) || no.What.VI == no.What.EN) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := r.Revoke(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	again, _ := r.make(t, token.Wanted{Name: "lan anh", Person: "Nguyễn Lan Anh", Role: token.Auditor, Life: time.Hour})
	if again.Of() != "lan anh (Nguyễn Lan Anh)" || first.Of() != "Lan Anh" {
		t.Error(again.Of(), first.Of())
	}
	r.now = r.now.Add(2 * time.Hour)
	r.make(t, token.Wanted{Name: "LAN ANH", Role: token.Auditor, Life: time.Hour})
	list, err := r.List(t.Context())
	if err != nil || len(list) != 5 || list[0].Person != "LAN ANH" {
		t.Errorf("%+v %v", list, err)
	}
}

// Of many who ask for one name at one time, one gets it, and the others are told why not.
func TestNamesAtOneTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for n := range errs {
			wg.Go(func() {
				_, _, errs[n] = r.Make(t.Context(), token.Wanted{Name: "lan", Role: token.Auditor, Life: time.Hour})
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			var no *token.Refusal
			if err == nil {
				made++
			} else if !errors.As(err, &no) {
				t.Error(err)
			}
		}
		if made != 1 {
			t.Errorf("%d tokens have one name", made)
		}
	})
}

func TestPersonOfAToken(t *testing.T) {
	r := newRig(t, storetest.SQLite)
	w := reviewer
	w.Person = "  Nguyễn Thị Lan "
	tk, secret := r.make(t, w)
	who, err := r.Check(t.Context(), secret)
	if err != nil || who.Person != "Nguyễn Thị Lan" || who.Token != tk.ID || who.Stated() != who.Person {
		t.Errorf("%+v %v", who, err)
	}
	w.Name, w.Person = "mai", strings.Repeat("x", 201)
	if _, _, err := r.Make(t.Context(), w); err == nil {
		t.Error("a name without end")
	}
	w.Person = "x\x1b[2J"
	if _, _, err := r.Make(t.Context(), w); err == nil {
		t.Error("control characters")
	}
}

func TestSame(t *testing.T) {
	lan := token.Who{Name: "lan-may-ban", Person: "Nguyễn Lan", Token: "11111111"}
	for _, c := range []struct {
		name, person, id string
		want             bool
	}{
		{"mai", "Trần Mai", "22222222", false},
		{"lan-dien-thoai", "Nguyễn Lan", "22222222", true}, // another token of hers
		{"lan-dien-thoai", "nguyễn  LAN", "22222222", true},
		{"lan-dien-thoai", "Nguye\u0302\u0303n Lan", "22222222", true}, // decomposed
		{"mai", "Nguyễn Lân", "22222222", false},
		{"x", "y", "11111111", true},          // the same token, whatever it was called
		{"Nguyễn Lan", "", "", true},          // a user of the machine with her name
		{"lan-may-ban", "Trần Mai", "", true}, // cannot be told apart
		{"root", "", "", false},
		{"", "", "", false},
	} {
		if got := lan.Same(c.name, c.person, c.id); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if (token.Who{}).Same("", "", "") {
		t.Error("nobody is somebody")
	}
}

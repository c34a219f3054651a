package quarantine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/store/storetest"
)

// Page by page every letter of a time comes once, the oldest first, though others are released
// and held meanwhile; what is deleted is for nobody.
func TestBetween(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url)
		for n := range 9 {
			if n%3 == 0 {
				r.now = r.now.Add(time.Minute) // several are held in one moment
			}
			r.hold(message(fmt.Sprint("m", n), "x"), "a@so.test", "b@xa.test")
		}
		first, end := t0, r.now
		r.now = r.now.Add(time.Minute)
		r.hold(message("late", "x"), "a@so.test")
		if _, err := r.For("a@so.test").Delete(t.Context(), "m4", Act{Actor: "a"}); err != nil {
			t.Fatal(err)
		}
		var got []string
		var last *Item
		for {
			page, err := r.Between(t.Context(), first, end, last, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page {
				got = append(got, i.ID+" "+strings.Join(i.To, ","))
			}
			if len(page) < 2 {
				break
			}
			last = &page[1]
			if len(got) == 2 {
				if _, err := r.Release(t.Context(), "m0", nil, "x"); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := "m0 a@so.test,b@xa.test|m1 a@so.test,b@xa.test|m2 a@so.test,b@xa.test|m3 a@so.test,b@xa.test|m4 b@xa.test|m5 a@so.test,b@xa.test|m6 a@so.test,b@xa.test|m7 a@so.test,b@xa.test|m8 a@so.test,b@xa.test"
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%s\nwant %s", all, want)
		}
	})
}

package quarantine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func yte(domain string) bool  { return domain == "yte.test" }
func gtvt(domain string) bool { return domain == "gtvt.test" }

// Two agencies: neither sees nor touches what is the other's, by any id.
func TestWithin(t *testing.T) {
	r := newRig(t)
	hold := func(id, from string, outbound bool, to ...string) {
		m := message(id, "thư "+id)
		m.Envelope.From, m.Session.Outbound = path(from), outbound
		if err := r.Hold(t.Context(), m, decision(to...), content(m)); err != nil {
			t.Fatal(err)
		}
	}
	hold("Y", "x@evil.test", false, "a@yte.test")
	hold("G", "x@yte.test", false, "b@gtvt.test") // forged: the sender is not who it says
	hold("B", "x@evil.test", false, "a@yte.test", "b@gtvt.test", "c@yte.test")
	hold("O", "lan@yte.test", true, "far@away.test")
	w, other := r.Within(yte), r.Within(gtvt)

	ids := func(w *Within, f Filter) (out []string) {
		is, err := w.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range is {
			out = append(out, i.ID+":"+strings.Join(i.To, ","))
		}
		slices.Sort(out)
		return out
	}
	if got := ids(w, Filter{}); !slices.Equal(got, []string{"B:a@yte.test,c@yte.test", "O:far@away.test", "Y:a@yte.test"}) {
		t.Error(got)
	}
	if got := ids(other, Filter{}); !slices.Equal(got, []string{"B:b@gtvt.test", "G:b@gtvt.test"}) {
		t.Error(got)
	}
	if got := ids(other, Filter{Text: "thư y"}); got != nil {
		t.Error("by search:", got)
	}
	for _, id := range []string{"Y", "O", "none"} {
		if _, _, err := other.Show(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("show %s: %v", id, err)
		}
		if _, err := other.Release(t.Context(), id, nil, Act{Actor: "mai"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("release %s: %v", id, err)
		}
		if _, err := other.Delete(t.Context(), id, Act{Actor: "mai"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	if _, err := other.Release(t.Context(), "B", []string{"a@yte.test"}, Act{Actor: "mai"}); !errors.Is(err, ErrRecipient) {
		t.Error("to another's recipient:", err)
	}
	if i, raw, err := w.Show(t.Context(), "B"); err != nil || len(i.To) != 2 || len(raw) == 0 {
		t.Error(i.To, err)
	}
	if _, err := other.Delete(t.Context(), "B", Act{Actor: "mai"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Release(t.Context(), "B", nil, Act{Actor: "lan"}); err != nil || !slices.Equal(got, []string{"a@yte.test", "c@yte.test"}) {
		t.Error(got, err)
	}
	if _, _, err := r.Show(t.Context(), "B"); !errors.Is(err, ErrNotFound) {
		t.Error("it is still there:", err)
	}
	if got, err := w.Release(t.Context(), "O", nil, Act{Actor: "lan"}); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
}

// Who looks at a message while it is released sees all of it, or is told that it is not
// there: never that its octets are lost.
func TestShowWhileReleased(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	const messages = 100
	for i := range messages {
		r.hold(message(fmt.Sprint("m", i), "s"), "a@x.test")
	}
	for i := range messages {
		id := fmt.Sprint("m", i)
		released := make(chan error, 1)
		go func() {
			_, err := r.Release(ctx, id, nil, "lan")
			released <- err
		}()
		for {
			_, raw, err := r.Show(ctx, id)
			if errors.Is(err, ErrNotFound) {
				break
			}
			if err != nil || len(raw) == 0 {
				t.Fatalf("%s: %d octets, %v", id, len(raw), err)
			}
		}
		if err := <-released; err != nil {
			t.Fatal(err)
		}
	}
}

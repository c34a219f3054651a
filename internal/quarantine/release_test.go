package quarantine

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"congthu/internal/store"
)

// Whatever octets a letter has, also those that the edge refuses today: NUL, bare CR and LF,
// an end without CRLF.
func TestReleaseKeepsOctets(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789\r\n"), 50<<10)
	m := message("m", "s")
	m.Raw = append(append(m.Raw, big...), "a\rb\nc\n.\nd\r\r\n\n.\r\n"...)
	for c := range 256 {
		m.Raw = append(m.Raw, byte(c))
	}
	other := bytes.ToUpper(m.Raw)
	for name, c := range map[string][][]byte{
		"block and less":  content(m),
		"the original":    {m.Raw},
		"block and all":   {[]byte("A: b\r\n"), m.Raw},
		"three pieces":    {[]byte("A: b\r\n"), m.Raw[:100], m.Raw[100:]},
		"encrypted":       {[]byte("A: b\r\n"), other},
		"only a tail":     {m.Raw[len(m.Raw)-5:]},
		"longer":          {m.Raw, m.Raw},
		"nothing":         nil,
		"an empty piece":  {m.Raw, nil},
		"repeated pieces": {m.Raw[:10], m.Raw[len(m.Raw)-10:], m.Raw[len(m.Raw)-10:]},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := r.Hold(t.Context(), m, decision("a@x.test", "b@x.test"), c); err != nil {
				t.Fatal(err)
			}
			if _, raw, err := r.Show(t.Context(), "m"); err != nil || !bytes.Equal(raw, m.Raw) {
				t.Errorf("other octets are shown: %v", err)
			}
			to, err := r.Release(t.Context(), "m", nil, "lan")
			if err != nil || fmt.Sprint(to) != "[a@x.test b@x.test]" {
				t.Fatal(to, err)
			}
			got := r.out.got[0]
			if !bytes.Equal(bytes.Join(got.Content, nil), bytes.Join(c, nil)) {
				t.Error("other octets")
			}
			if got.ID != "m" || got.NextHop != "hop:25" || got.From != m.Envelope.From || fmt.Sprint(got.To) != fmt.Sprint(to) || !got.EightBit || got.SMTPUTF8 {
				t.Errorf("%+v", got)
			}
			r.empty()
		})
	}
}

func FuzzHeadOf(f *testing.F) {
	f.Add([]byte("raw message"), []byte("head"), []byte("message"))
	f.Add([]byte(""), []byte(""), []byte(""))
	f.Add([]byte("aaaa"), []byte("aaaaa"), []byte("aa"))
	f.Fuzz(func(t *testing.T, raw, a, b []byte) {
		head, skip := headOf([][]byte{a, b}, raw)
		if skip < 0 || skip > len(raw) {
			t.Fatal(skip)
		}
		if got := append(bytes.Join(head, nil), raw[skip:]...); !bytes.Equal(got, append(append([]byte(nil), a...), b...)) {
			t.Errorf("%q", got)
		}
	})
}

func TestReleaseSome(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.hold(message("m", "s"), "a@x.test", "B@x.test", `"c d"@x.test`)
	if _, err := r.Release(ctx, "m", []string{"a@x.test", "z@x.test"}, "lan"); !errors.Is(err, ErrRecipient) {
		t.Errorf("unknown address: %v", err)
	}
	to, err := r.Release(ctx, "m", []string{"<b@X.test>"}, "lan")
	if err != nil || fmt.Sprint(to) != "[B@x.test]" {
		t.Fatal(to, err)
	}
	if _, err := r.Release(ctx, "m", []string{"b@x.test"}, "lan"); !errors.Is(err, ErrRecipient) {
		t.Errorf("twice: %v", err)
	}
	item, _, err := r.Show(ctx, "m")
	if err != nil || fmt.Sprint(item.To) != `[a@x.test "c d"@x.test]` {
		t.Errorf("%v %v", item.To, err)
	}
	if to, err = r.Release(ctx, "m", nil, "lan"); err != nil || len(to) != 2 {
		t.Errorf("%v %v", to, err)
	}
	if _, err = r.Release(ctx, "m", nil, "lan"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after the last: %v", err)
	}
	r.empty()
	want := `held m  SCORE, released m lan B@x.test, released m lan a@x.test, released m lan "c d"@x.test`
	if got := strings.Join(r.events, ", "); got != want {
		t.Errorf("events %s", got)
	}
}

// TestReleaseTogether: many release at the same time, each recipient goes once.
func TestReleaseTogether(t *testing.T) {
	r := newRig(t)
	var to []string
	for i := range 8 {
		to = append(to, fmt.Sprintf("r%d@x.test", i))
	}
	r.hold(message("m", "s"), to...)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			var names []string
			if i%2 == 0 {
				names = []string{to[i/2%len(to)]}
			}
			if _, err := r.Release(t.Context(), "m", names, "lan"); err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrRecipient) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	times := map[string]int{}
	for _, got := range r.out.got {
		for _, p := range got.To {
			times[p.Raw]++
		}
	}
	for _, p := range to {
		if times[p] != 1 {
			t.Errorf("%s was released %d times", p, times[p])
		}
	}
	r.empty()
}

// TestReleaseFails: what the queue cannot take stays held, whole.
func TestReleaseFails(t *testing.T) {
	r := newRig(t)
	r.hold(message("m", "s"), "a@x.test", "b@x.test")
	r.out.fail = errors.New("queue trouble")
	if _, err := r.Release(t.Context(), "m", nil, "lan"); !errors.Is(err, r.out.fail) || r.out.undo != 1 {
		t.Errorf("%v, undone %d", err, r.out.undo)
	}
	item, _, err := r.Show(t.Context(), "m")
	if err != nil || len(item.To) != 2 || len(r.events) != 1 {
		t.Errorf("%+v %v %v", item, err, r.events)
	}
	r.out.fail = nil
	if to, err := r.Release(t.Context(), "m", nil, "lan"); err != nil || len(to) != 2 {
		t.Errorf("%v %v", to, err)
	}
}

func TestReleaseDamaged(t *testing.T) {
	r := newRig(t)
	r.hold(message("m", "s"), "a@x.test")
	err := r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE quarantine SET skip = -1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Release(t.Context(), "m", nil, "lan"); !errors.Is(err, store.ErrCorrupt) || len(r.out.got) != 0 {
		t.Errorf("%v", err)
	}
}

func TestReleaseRoute(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.NextHop = func(domain string) (string, bool) { return "mx." + domain + ":25", domain != "none.test" }
	})
	for id, to := range map[string][]string{"m": {"a@x.test", "b@y.test", "c@x.test"}, "n": {"a@x.test", "b@none.test"}} {
		d := decision(to...)
		d.NextHop = ""
		if err := r.Hold(t.Context(), message(id, "s"), d, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Release(t.Context(), "m", nil, "lan"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tr := range r.out.got {
		got = append(got, fmt.Sprint(tr.NextHop, tr.To))
	}
	if s := strings.Join(got, " "); s != "mx.x.test:25[a@x.test c@x.test] mx.y.test:25[b@y.test]" {
		t.Error(s)
	}
	if _, err := r.Release(t.Context(), "n", nil, "lan"); !errors.Is(err, ErrNoRoute) {
		t.Errorf("%v", err)
	}
}

package quarantine

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// holdAs holds a message of a class.
func (r *rig) holdAs(id, reason string, size int) {
	r.t.Helper()
	m := message(id, "s")
	m.Raw = append(m.Raw, bytes.Repeat([]byte("x"), size-len(m.Raw))...)
	d := decision("a@x.test")
	d.Reason, d.Why.Counted = reason, []msg.Weighed{{Finding: msg.Finding{Symbol: reason}, Score: 1}}
	if err := r.Hold(r.t.Context(), m, d, [][]byte{m.Raw}); err != nil {
		r.t.Fatal(err)
	}
}

// Each class is held for its own time, to the millisecond, also when nobody removes it.
func TestKeepByClass(t *testing.T) {
	r := newRig(t, func(o *Options) { o.KeepClass = map[Class]time.Duration{Spam: time.Hour, Malware: 90 * 24 * time.Hour} })
	r.holdAs("S", "CONTENT", 200)
	r.holdAs("P", "SCORE", 200)
	r.holdAs("M", "YARA_MALWARE", 200)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{time.Hour - time.Millisecond, "M P S"},
		{time.Hour, "M S"},
		{30*24*time.Hour - time.Millisecond, "M S"},
		{30 * 24 * time.Hour, "M"},
		{90*24*time.Hour - time.Millisecond, "M"},
		{90 * 24 * time.Hour, ""},
	} {
		r.now = t0.Add(c.after)
		if got := r.ids(Filter{}); got != c.want {
			t.Errorf("after %v: %q, want %q", c.after, got, c.want)
		}
	}
	if _, err := r.Release(t.Context(), "M", nil, "lan"); err == nil {
		t.Error("an expired message was released")
	}
}

// Where there is no room the oldest spam goes first and what may be wanted last; what is
// held less than three days stays.
func TestRoom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url, func(o *Options) { o.Room = 4000 })
		for n, reason := range []string{"ENCRYPT_NO_KEY", "YARA_MALWARE", "SCORE", "ATTACH_ENCRYPTED", "SCORE", "DMARC_QUARANTINE"} {
			r.now = t0.Add(time.Duration(n) * time.Minute)
			r.holdAs(fmt.Sprint(n), reason, 1000)
		}
		expire := func(after time.Duration, want int) {
			t.Helper()
			r.now = t0.Add(after)
			if n, err := r.Expire(t.Context()); err != nil || n != want {
				t.Errorf("%d removed, want %d, %v", n, want, err)
			}
		}
		expire(71*time.Hour, 0)
		expire(73*time.Hour, 2)
		if got := r.ids(Filter{}); got != "5 3 1 0" {
			t.Error(got)
		}
		r.o.Room = 2500
		expire(74*time.Hour, 2)
		if got := r.ids(Filter{}); got != "3 0" {
			t.Error(got)
		}
		if got := strings.Join(r.events, "; "); !strings.Contains(got, "expired 2  no room; expired 4  no room; expired 5  no room; expired 1  no room") {
			t.Error(got)
		}
	})
}

// Nothing of a message is in any file once it has expired: not its addresses, not its rows
// as they lay sealed, not its contents, in the database, its log or files.
func TestExpiredIsGone(t *testing.T) {
	for name, size := range map[string]int{"small": 300, "in pages of its own": 60 << 10, "in a file": 600 << 10} {
		t.Run(name, func(t *testing.T) {
			r := rigAt(t, storetest.SQLite, func(o *Options) { o.KeepClass = map[Class]time.Duration{Malware: time.Hour} })
			for n := range 20 { // others stay, and what goes lies among them
				r.holdAs(fmt.Sprint("stays", n), "SCORE", 400)
			}
			m := message("canary", "chim-hoang-yen")
			m.Envelope.From = path("chim-hoang-yen@evil.test")
			m.Raw = append(m.Raw, bytes.Repeat([]byte("x"), size)...)
			d := decision("hoang-yen-nhan@x.test")
			d.Reason = "YARA_MALWARE"
			if err := r.Hold(t.Context(), m, d, content(m)); err != nil {
				t.Fatal(err)
			}
			for n := range 20 {
				r.holdAs(fmt.Sprint("too", n), "SCORE", 400)
			}
			traces := sealedTraces(t, r, "canary")
			traces = append(traces, []byte("chim-hoang-yen@evil.test"), []byte("hoang-yen-nhan"))
			if found := search(t, r.dir, traces); len(found) < len(traces)-1 {
				t.Fatalf("the search finds only %d of %d while it is held", len(found), len(traces))
			}
			r.now = t0.Add(2 * time.Hour)
			if n, err := r.Expire(t.Context()); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			var found []string
			for range 100 { // the log is emptied after the answer
				if found = search(t, r.dir, traces); len(found) == 0 {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Errorf("left: %q", found)
		})
	}
}

// sealedTraces are pieces of what lies on the disk of a message.
func sealedTraces(t *testing.T, r *rig, id string) (out [][]byte) {
	t.Helper()
	err := r.db.View(t.Context(), func(tx store.Tx) error {
		var facts, search, raw string
		if err := tx.QueryRow(t.Context(), `SELECT facts, search, raw FROM quarantine WHERE id = $1`, id).Scan(&facts, &search, &raw); err != nil {
			return err
		}
		var content []byte
		if err := tx.QueryRow(t.Context(), `SELECT content FROM body WHERE id = $1`, raw).Scan(&content); err != nil {
			return err
		}
		if content == nil {
			b, err := os.ReadFile(filepath.Join(r.dir, "bodies", raw))
			if err != nil {
				return err
			}
			content = b
		}
		for _, s := range [][]byte{[]byte(facts), []byte(search), content} {
			for _, at := range []int{40, len(s) / 2, len(s) - 30} {
				out = append(out, bytes.Clone(s[at:at+24]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// search says which traces are in which file.
func search(t *testing.T, dir string, traces [][]byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			return nil
		}
		for n, trace := range traces {
			if bytes.Contains(data, trace) {
				found = append(found, fmt.Sprint(n, " in ", filepath.Base(name)))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

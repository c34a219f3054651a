package rulebook

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"

	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func newBook(t testing.TB, url, dir string) *Book {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n := 0
	return &Book{Store: db, Keep: 3, NewID: func() string { n++; return fmt.Sprintf("E%06d", n) }}
}

// What is written is what is read, and a set is found by the beginning of its hash.
func TestBook(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		b := newBook(t, url, t.TempDir())
		now := time.UnixMilli(1_700_000_000_000)
		files := map[string][]byte{"policy.toml": []byte("a\r\n\x00"), "content/x y.toml": nil, "lists/đ.txt": bytes.Repeat([]byte("z"), 1<<20)}
		state := State{InUse: "abcd01", Trial: &Trial{Hash: "abcd01", Share: 100, Salt: 1 << 63, Since: now.UTC()}}
		kept, err := b.Write(t.Context(), Event{At: now, What: Reload, Hash: "abcd01", Actor: "lan", Before: "ffff", Changes: []string{"policy.toml +1 -1"}}, files, state)
		if err != nil || !kept {
			t.Fatal(kept, err)
		}
		if _, err := b.Write(t.Context(), Event{At: now, What: Reload, Hash: "abce02"}, map[string][]byte{}, state); err != nil {
			t.Fatal(err)
		}
		got, err := b.Files(t.Context(), "abcd01")
		if err != nil || len(got) != 3 || !bytes.Equal(got["policy.toml"], files["policy.toml"]) || len(got["lists/đ.txt"]) != 1<<20 {
			t.Errorf("%d files, %v", len(got), err)
		}
		for begins, want := range map[string]error{"abcd": nil, "abc": ErrAmbiguous, "ab%": ErrUnknown, "": ErrUnknown, "zz": ErrUnknown} {
			if hash, err := b.Find(t.Context(), begins); !errors.Is(err, want) || err == nil && hash != "abcd01" {
				t.Errorf("%q: %s, %v", begins, hash, err)
			}
		}
		if s, err := b.State(t.Context()); err != nil || !reflect.DeepEqual(s, state) {
			t.Errorf("%+v, %v", s, err)
		}
		events, err := b.Events(t.Context(), 10)
		if err != nil || len(events) != 2 || events[1].Actor != "lan" || !events[1].At.Equal(now) || events[1].Changes[0] != "policy.toml +1 -1" || !events[1].Kept {
			t.Errorf("%+v, %v", events, err)
		}
	})
}

// A set that is too large is not kept, and the event says that it was.
func TestTooLarge(t *testing.T) {
	b := newBook(t, storetest.SQLite, t.TempDir())
	noise := make([]byte, maxSet+maxSet/4)
	x := uint32(1)
	for i := range noise {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	kept, err := b.Write(t.Context(), Event{At: time.Now(), What: Reload, Hash: "a"}, map[string][]byte{"yara/x.yar": noise}, State{})
	if err != nil || kept {
		t.Errorf("kept %v, %v", kept, err)
	}
	if events, err := b.Events(t.Context(), 1); err != nil || len(events) != 1 || events[0].Kept {
		t.Errorf("%+v, %v", events, err)
	}
}

// TestKilledWriter is a process of its own that writes until it is killed.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv("RULEBOOK_WRITE")
	if dir == "" {
		t.Skip("only as a process of TestKill")
	}
	b := newBook(t, storetest.SQLite, dir)
	for i := 0; ; i++ {
		hash := fmt.Sprintf("%06d", i)
		b.NewID = func() string { return hash }
		if _, err := b.Write(t.Context(), Event{At: time.UnixMilli(int64(i)), What: Reload, Hash: hash}, map[string][]byte{"n": []byte(hash)}, State{InUse: hash}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(hash) //nolint:forbidigo // the other process counts it
	}
}

// Killed in the middle of a write, the book reads, and state, event and files of the last
// one that was acknowledged are there, all of one write.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "RULEBOOK_WRITE="+dir)
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(400+round*137) * time.Millisecond)
		_ = cmd.Process.Kill() // it writes without end
		_ = cmd.Wait()
		b := newBook(t, storetest.SQLite, dir)
		s, err := b.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Fields(out.Bytes())
		if len(lines) == 0 {
			t.Skip("the machine is too slow: nothing was written in the time")
		}
		if last := string(lines[len(lines)-1]); s.InUse < last && round == 0 {
			t.Errorf("%s was acknowledged, the state is %s", last, s.InUse)
		}
		files, err := b.Files(t.Context(), s.InUse)
		if err != nil || string(files["n"]) != s.InUse {
			t.Errorf("state %s, files %q, %v", s.InUse, files["n"], err)
		}
		if events, err := b.Events(t.Context(), 1000); err != nil || len(events) == 0 {
			t.Errorf("%d events, %v", len(events), err)
		}
		if err := b.Store.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	good, _, err := pack(map[string][]byte{"a": []byte("x"), "b/c": nil})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-9])
	f.Fuzz(func(t *testing.T, packed []byte) {
		files, err := unpack(packed)
		if err != nil {
			return
		}
		n := 0
		for _, data := range files {
			n += len(data)
		}
		if n > maxUnpacked {
			t.Errorf("%d octets", n)
		}
	})
}

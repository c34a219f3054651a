package rules_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/rules"
)

// A letter is judged by the set it was pinned to, whatever is taken into use meanwhile.
func TestALetterKeepsItsSet(t *testing.T) {
	a, b, c := &rules.Set{Hash: "a"}, &rules.Set{Hash: "b"}, &rules.Set{Hash: "c"}
	live := rules.Use(rules.Source{}, a)
	m := &msg.Message{ID: "1"}
	if live.For(m) != a {
		t.Error("a letter that is pinned to nothing is judged by the set in use")
	}
	live.Pin(m)
	live.Take(b)
	live.Try(c, 5000, 1)
	if live.For(m) != a || live.Get() != b {
		t.Errorf("judged by %s, in use %s", live.For(m).Hash, live.Get().Hash)
	}
	for range 20 {
		live.Take(&rules.Set{Hash: "x"})
	}
	if live.For(m) != live.Get() {
		t.Error("a set that nobody can need any more is still there")
	}
}

// The share on trial is the share that was asked for, and the salt decides who is in it.
func TestTheShareOnTrial(t *testing.T) {
	a, b := &rules.Set{Hash: "a"}, &rules.Set{Hash: "b"}
	live := rules.Use(rules.Source{}, a)
	first := map[string]bool{}
	for _, share := range []int{0, 100, 1000, 5000, 10_000} {
		for salt := range uint64(2) {
			live.Try(b, share, salt)
			n, same := 0, 0
			for i := range 10_000 {
				m := &msg.Message{ID: fmt.Sprintf("0QK%013d", i)}
				live.Pin(m)
				if live.For(m) == b {
					n++
					if salt == 0 {
						first[m.ID] = true
					} else if first[m.ID] {
						same++
					}
				}
			}
			if sd := math.Sqrt(float64(share) * (1 - float64(share)/10_000)); math.Abs(float64(n-share)) > 4*sd {
				t.Errorf("share %d, salt %d: %d letters", share, salt, n)
			}
			if salt == 1 && share == 1000 && same > 300 {
				t.Errorf("%d of %d letters are chosen by another salt too", same, n)
			}
		}
		clear(first)
	}
	live.End()
	m := &msg.Message{ID: "1"}
	if live.Pin(m); live.For(m) != a {
		t.Error("the trial has not ended")
	}
}

func TestDiff(t *testing.T) {
	from := rules.Files{"a": []byte("1\n2\n2\n"), "b": []byte("x\n"), "same": []byte("s")}
	to := rules.Files{"a": []byte("2\n1\n3"), "c/d": []byte("y\nz\n"), "same": []byte("s")}
	var got []string
	for _, c := range rules.Diff(from, to) {
		got = append(got, c.String())
	}
	if s := strings.Join(got, ", "); s != "a +1 -1, b gone, c/d new" {
		t.Errorf("got %s", s)
	}
	if from.Hash() == to.Hash() || from.Hash() != (rules.Files{"b": from["b"], "same": from["same"], "a": from["a"]}).Hash() {
		t.Error("the hash is not that of the files")
	}
	if (rules.Files{"ab": nil}).Hash() == (rules.Files{"a": []byte("b")}).Hash() {
		t.Error("a name is taken for octets")
	}
}

// Replace leaves what is no rule file, keeps rights, and takes away what is not of the
// set.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("policy.toml", "old", 0o640)
	put("content/gone.toml", "x", 0o600)
	put("content/.keep.swp", "mine", 0o600)
	want := rules.Files{"policy.toml": []byte("new"), "lists/a.txt": []byte("a")}
	if err := want.Replace(dir); err != nil {
		t.Fatal(err)
	}
	got, err := rules.ReadFiles(dir)
	if err != nil || got.Hash() != want.Hash() {
		t.Errorf("%v, %v", got.Names(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "policy.toml")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("rights %v, %v", info.Mode(), err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "content/.keep.swp")); err != nil || !bytes.Equal(data, []byte("mine")) {
		t.Errorf("%s, %v", data, err)
	}
	for _, name := range []string{"../out", "a/../../out", "/etc/x", "a//b"} {
		if err := (rules.Files{name: nil}).Write(t.TempDir()); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

// A directory without bounds is refused before it is in memory.
func TestReadFilesIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 2001 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rules.ReadFiles(dir); err == nil {
		t.Error("2,001 files were read")
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"congthu/internal/learn"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/text"
)

// A change that is meant to make the inspectors faster must leave every finding and every
// score as it was, over all letters there are. CONGTHU_FINDINGS names a file: the first
// run, on the tree before the change, writes it, and the run on the tree after the change
// is compared with it, line by line.
func TestSameFindings(t *testing.T) {
	name := os.Getenv("CONGTHU_FINDINGS")
	if name == "" {
		t.Skip("set CONGTHU_FINDINGS to a file: run before a change to write it, after the change to compare with it")
	}
	got := findingsOfAll(t)
	want, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.WriteFile(name, []byte(strings.Join(got, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s is written: %d lines", name, len(got))
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	compare(t, strings.Split(string(want), "\n"), got)
}

const shownDifferences = 20

func compare(t *testing.T, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	different := 0
	for i := range min(len(want), len(got)) {
		if want[i] == got[i] {
			continue
		}
		if different++; different <= shownDifferences {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, got[i], want[i])
		}
	}
	t.Logf("%d lines compared, %d are different", min(len(want), len(got)), different)
}

// findingsOfAll is one line for each letter of testdata/vn and, where they are, of the
// public ones, and one for each finding in it.
func findingsOfAll(t *testing.T) []string {
	t.Helper()
	b := newBench(t)
	var out []string
	for _, l := range shelved(t) {
		out = append(out, l.Name+" "+readings(l.Raw)+findingsOf(b.walk(t, l)))
	}
	t.Run("public", func(t *testing.T) {
		public(t, func(name string, _ bool, raw []byte) {
			out = append(out, name+" "+readings(raw)+findingsOf(b.path.Judge(context.Background(), publicMessage(raw))))
		})
	})
	return out
}

// findingsOf is everything that was found and what it came to, in an order that does not
// depend on who was quicker.
func findingsOf(w pipeline.Walk) string {
	var out []string
	for _, o := range w.Outcomes {
		for _, f := range o.Findings {
			out = append(out, fmt.Sprintf("%s: %+v", o.Inspector, f))
		}
		if o.Err != nil {
			out = append(out, fmt.Sprintf("%s: %v", o.Inspector, o.Err))
		}
	}
	slices.Sort(out)
	for _, d := range w.Decisions {
		out = append(out, fmt.Sprintf("%v %.6f", d.Action, d.Why.Score))
	}
	return strings.ReplaceAll(strings.Join(out, " | "), "\n", `\n`)
}

// readings are hashes of the text that is read and of what the classifier sees, to the bit.
func readings(raw []byte) string {
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	m.Text = text.Read(m.Root)
	h, k := fnv.New64a(), fnv.New64a()
	fmt.Fprintf(h, "%+v", *m.Text)
	fmt.Fprint(k, learn.Read(learn.Of(m)))
	return fmt.Sprintf("%x %x | ", h.Sum64(), k.Sum64())
}

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A table is never wider than the terminal; while there is room its first column, numbers
// and times are whole, and what is cut shows that it was.
func TestTablesFit(t *testing.T) {
	words := []string{"", "-", "a", "Nguyễn Thị Lan", "2026-11-28 10:31:14", "7.5", "漢字漢字漢字漢字", "Ho\u0302\u0303 tro\u031b\u0323", strings.Repeat("x", 300), "\x1b[2J\u202e", "a b c d e f g h i j k"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := 1 + r.IntN(9)
		head := make([]string, n)
		for i := range head {
			head[i] = fmt.Sprint("HEAD", i)
		}
		var rows [][]string
		for range r.IntN(4) {
			row := []string{fmt.Sprint("ID", r.IntN(1e9))}
			for len(row) < n {
				row = append(row, words[r.IntN(len(words))])
			}
			rows = append(rows, row)
		}
		room := 20 + r.IntN(120)
		var out bytes.Buffer
		a := &app{stdout: &out, getenv: func(string) string { return "" }}
		if err := a.tableIn(room, layout{spare: r.Perm(n)[:r.IntN(n)], late: r.Perm(n)[:r.IntN(n)]}, head, rows); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			t.Fatalf("%d lines for %d rows", len(lines), len(rows))
		}
		for i, line := range lines {
			if wide(line) > room {
				t.Fatalf("%d columns into %d:\n%s", wide(line), room, out.String())
			}
			if what := tame(line); what != "" {
				t.Fatal(what)
			}
			if i > 0 && n > 1 && !strings.Contains(head[0], "…") && strings.HasPrefix(lines[0], head[0]) && !strings.HasPrefix(line, rows[i-1][0]) {
				t.Fatalf("the id is cut: %s", line)
			}
		}
	}
}

// Rows that nobody asked to be narrow are whole.
func TestTableAsWideAsItIs(t *testing.T) {
	var out bytes.Buffer
	a := &app{stdout: &out, getenv: func(string) string { return "" }}
	if err := a.table([]string{"ID", "LAST"}, [][]string{{"x", strings.Repeat("y", 100)}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "x   "+strings.Repeat("y", 100)) {
		t.Errorf("%q", out.String())
	}
}

package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
	"golang.org/x/text/width"

	"congthu/internal/lang"
)

// room is how many columns a table may take: as many as the terminal has, or as COLUMNS
// says. 0: any, for nobody has said and what is printed goes to no terminal.
func (a *app) room() int {
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := a.stdout.(*os.File); ok {
		if w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && w.Col > 0 {
			return int(w.Col)
		}
	}
	return 0
}

// columns is room, or 80 where there is any.
func (a *app) columns() int {
	if n := a.room(); n > 0 {
		return n
	}
	return 80
}

const (
	leastColumn = 10  // columns of a terminal that are left of what is cut, at least
	mostCell    = 120 // characters of a cell
)

// layout says by their numbers which columns of a table may go where there is no room, the
// first one first, and which are cut only when the others cannot be cut any more.
type layout struct{ spare, late []int }

// table prints rows under a heading, aligned, no wider than the terminal: see tableIn.
func (a *app) table(head []string, rows [][]string, spare ...int) error {
	return a.tableIn(a.room(), layout{spare: spare}, head, rows)
}

// tableIn prints a table into so much room (0: any). Where it does not fit, cells are cut,
// but for those of the first column, which commands ask for, and numbers and times; where
// that is not enough whole columns are left out: first the spare ones, in their order, then
// the last. Cells are made safe for a terminal.
func (a *app) tableIn(room int, l layout, head []string, rows [][]string) error {
	all := [][]string{head}
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = lang.Safe(cell, mostCell)
		}
		all = append(all, safe)
	}
	widths := widthsOf(all)
	if room > 0 {
		var kept []int
		all, kept = without(all, room, l.spare)
		widths = widthsOf(all)
		whole := exact(all)
		late := slices.Clone(whole)
		for i, n := range kept {
			late[i] = late[i] || slices.Contains(l.late, n)
		}
		fit(widths, late, leastColumn, room)
		fit(widths, whole, leastColumn, room)
		fit(widths, make([]bool, len(widths)), 1, room)
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			line.WriteString(padded(cut(cell, widths[i]), widths[i]))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}

func widthsOf(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i := range row {
			widths[i] = max(widths[i], wide(row[i]))
		}
	}
	return widths
}

var figures = regexp.MustCompile(`^[0-9:/ .,+%-]*$`)

// exact tells of which columns a part says nothing or something else: the first, and those
// of numbers and times.
func exact(rows [][]string) []bool {
	out := make([]bool, len(rows[0]))
	for i := range out {
		out[i] = i == 0 || !slices.ContainsFunc(rows[1:], func(row []string) bool { return !figures.MatchString(row[i]) })
	}
	return out
}

// without leaves columns out until the others fit when they are cut. It returns which are left.
func without(rows [][]string, room int, spare []int) ([][]string, []int) {
	keep := make([]int, len(rows[0]))
	for i := range keep {
		keep[i] = i
	}
	widths, whole := widthsOf(rows), exact(rows)
	least := func() int {
		n := 2 * (len(keep) - 1)
		for _, i := range keep {
			if whole[i] {
				n += widths[i]
			} else {
				n += min(widths[i], leastColumn)
			}
		}
		return n
	}
	for ; len(keep) > 1 && least() > room; spare = spare[min(1, len(spare)):] {
		gone := keep[len(keep)-1]
		if len(spare) > 0 {
			gone = spare[0]
		}
		keep = slices.DeleteFunc(keep, func(i int) bool { return i == gone })
	}
	var out [][]string
	for _, row := range rows {
		var short []string
		for _, i := range keep {
			short = append(short, row[i])
		}
		out = append(out, short)
	}
	return out, keep
}

// withoutLast leaves the last column out.
func withoutLast(head []string, rows [][]string) ([]string, [][]string) {
	for i, r := range rows {
		rows[i] = r[:len(r)-1]
	}
	return head[:len(head)-1], rows
}

// fit makes columns narrower, the widest first, but no narrower than least and none of those
// that are to be whole, until the table fits.
func fit(widths []int, whole []bool, least, room int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > room; total-- {
		widest := -1
		for i, w := range widths {
			if !whole[i] && w > least && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// wide is how many columns of a terminal a text takes.
func wide(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth: a mark stands on the letter before it, a letter of East Asia takes two columns.
func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens a text to so many columns; what is left out is shown by "…". A mark is not
// parted from its letter.
func cut(s string, most int) string {
	if wide(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// padded fills a text up to so many columns.
func padded(s string, to int) string { return s + strings.Repeat(" ", max(to-wide(s), 0)) }

package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
	"golang.org/x/text/width"

	"congthu/internal/lang"
)

// columns is how wide the terminal is: COLUMNS, else what the terminal says, else 80.
func (a *app) columns() int {
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := a.stdout.(*os.File); ok {
		if w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && w.Col > 0 {
			return int(w.Col)
		}
	}
	return 80
}

// fitted prints a table that is no wider than the terminal: the columns of each group are
// cut, the widest first, before those of the next. Cells are made safe for a terminal.
func (a *app) fitted(head []string, rows [][]string, flexible ...[]int) error {
	all := append([][]string{head}, rows...)
	widths := make([]int, len(head))
	for _, row := range all {
		for i := range row {
			row[i] = lang.Safe(row[i], 500)
			widths[i] = max(widths[i], wide(row[i]))
		}
	}
	for _, group := range flexible {
		fit(widths, group, a.columns())
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

// leastColumn is what is left of a column at least.
const leastColumn = 9

// fit makes the flexible columns narrower, the widest first, until the table fits.
func fit(widths, flexible []int, room int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > room; total-- {
		widest := slices.MaxFunc(flexible, func(a, b int) int { return widths[a] - widths[b] })
		if widths[widest] <= leastColumn {
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

package corpus

import (
	"fmt"
	"strconv"
	"strings"
)

// filler fills the slots of one letter. What stands in braces is
//
//	{name}   one entry of the list of that name of the topic or in slots.toml; the same one
//	         wherever the letter says {name} again, and another one for {name2}, {name3} …
//	{a|b|c}  one of these; they may have braces themselves
//	{10-99}  a number of that range
//
// Entries may have slots themselves.
type filler struct {
	slots map[string][]string
	own   map[string][]string // of the letter's topic; they go first
	r     *random
	drawn map[string]string
	bad   string // the first slot that nobody knows
}

const slotDepth = 5 // of entries within entries

func (f *filler) fill(s string) string { return f.deep(s, slotDepth) }

func (f *filler) deep(s string, depth int) string {
	var b strings.Builder
	for {
		from := strings.IndexByte(s, '{')
		to := closing(s, from)
		if from < 0 || to < from || depth == 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:from])
		b.WriteString(f.deep(f.slot(s[from+1:to]), depth-1))
		s = s[to+1:]
	}
}

// closing is where the brace that opens at from is closed; -1 where it is not.
func closing(s string, from int) int {
	open := 0
	for i := max(from, 0); i < len(s); i++ {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// choices are what stands between the bars that are in no further braces.
func choices(s string) []string {
	var out []string
	start, open := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			open--
		case '|':
			if open == 0 {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	return append(out, s[start:])
}

func (f *filler) slot(name string) string {
	if strings.Contains(name, "|") {
		return pick(f.r, choices(name))
	}
	if low, high, ok := numbers(name); ok {
		return strconv.Itoa(low + f.r.below(high-low+1))
	}
	if v, ok := f.drawn[name]; ok {
		return v
	}
	key := strings.TrimRight(name, "23456789")
	list := f.own[key]
	if len(list) == 0 {
		list = f.slots[key]
	}
	if len(list) == 0 {
		f.bad = name
		return ""
	}
	f.drawn[name] = f.fill(pick(f.r, list))
	return f.drawn[name]
}

func numbers(s string) (low, high int, ok bool) {
	n, err := fmt.Sscanf(s, "%d-%d", &low, &high)
	return low, high, err == nil && n == 2 && low <= high
}

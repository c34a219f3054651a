package corpus

import (
	"fmt"
	"strconv"
	"strings"
)

// filler fills the slots of one letter. What stands in braces is
//
//	{name}   one entry of the list of that name in slots.toml; the same one wherever the
//	         letter says {name} again, and another one for {name2}, {name3} …
//	{a|b|c}  one of these
//	{10-99}  a number of that range
//
// Entries may have slots themselves.
type filler struct {
	slots map[string][]string
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
		to := strings.IndexByte(s, '}')
		if from < 0 || to < from || depth == 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:from])
		b.WriteString(f.deep(f.slot(s[from+1:to]), depth-1))
		s = s[to+1:]
	}
}

func (f *filler) slot(name string) string {
	if strings.Contains(name, "|") {
		return pick(f.r, strings.Split(name, "|"))
	}
	if low, high, ok := numbers(name); ok {
		return strconv.Itoa(low + f.r.below(high-low+1))
	}
	if v, ok := f.drawn[name]; ok {
		return v
	}
	list := f.slots[strings.TrimRight(name, "23456789")]
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

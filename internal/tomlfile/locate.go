package tomlfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

type place struct{ line, column int }

// locate records where each table and key stands. Paths are joined by NUL, which
// no TOML bare or quoted key of ours contains. The data was decoded before, so
// the parser's own error cannot occur here; what it reached is kept.
func locate(data []byte) map[string]place {
	var p unstable.Parser
	p.Reset(data)
	ix := &indexer{parser: &p, places: map[string]place{}, counts: map[string]int{}, lines: lineStarts(data)}
	for p.NextExpression() {
		ix.expression(p.Expression())
	}
	return ix.places
}

type indexer struct {
	parser *unstable.Parser
	places map[string]place
	counts map[string]int // array tables seen so far
	prefix []string
	lines  []int // where they begin
}

func (ix *indexer) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		keys, at := ix.key(n)
		ix.prefix = ix.resolve(keys)
		ix.put(ix.prefix, at)
	case unstable.ArrayTable:
		keys, at := ix.key(n)
		base := ix.resolve(keys[:len(keys)-1])
		base = append(base, keys[len(keys)-1])
		id := join(base)
		ix.prefix = append(base, fmt.Sprint(ix.counts[id]))
		ix.counts[id]++
		ix.put(ix.prefix, at)
	case unstable.KeyValue:
		ix.keyValue(ix.prefix, n)
	}
}

func (ix *indexer) keyValue(prefix []string, n *unstable.Node) {
	keys, at := ix.key(n)
	path := append(append([]string{}, prefix...), keys...)
	ix.put(path, at)
	ix.value(path, n.Value())
}

func (ix *indexer) value(path []string, v *unstable.Node) {
	if v.Kind != unstable.Array && v.Kind != unstable.InlineTable {
		return
	}
	i := 0
	for it := v.Children(); it.Next(); i++ {
		c := it.Node()
		if c.Kind == unstable.KeyValue {
			ix.keyValue(path, c)
			continue
		}
		sub := append(append([]string{}, path...), fmt.Sprint(i))
		if c.Raw.Length > 0 {
			ix.put(sub, ix.at(c.Raw))
		}
		ix.value(sub, c)
	}
}

// resolve turns the header [a.b] into the element of a that is open, when a is an
// array of tables.
func (ix *indexer) resolve(keys []string) []string {
	var out []string
	for _, k := range keys {
		out = append(out, k)
		if n := ix.counts[join(out)]; n > 0 {
			out = append(out, fmt.Sprint(n-1))
		}
	}
	return out
}

func (ix *indexer) key(n *unstable.Node) ([]string, place) {
	var keys []string
	var at place
	for it := n.Key(); it.Next(); {
		k := it.Node()
		if len(keys) == 0 {
			at = ix.at(k.Raw)
		}
		keys = append(keys, string(k.Data))
	}
	return keys, at
}

// at looks the line up: the parser counts from the top of the file each time, which takes
// seconds for a few thousand rules.
func (ix *indexer) at(r unstable.Range) place {
	n, found := slices.BinarySearch(ix.lines, int(r.Offset))
	if !found {
		n--
	}
	return place{n + 1, int(r.Offset) - ix.lines[n] + 1}
}

// lineStarts are the offsets at which the lines begin.
func lineStarts(data []byte) []int {
	out := []int{0}
	for i, c := range data {
		if c == '\n' {
			out = append(out, i+1)
		}
	}
	return out
}

func (ix *indexer) put(path []string, at place) { ix.places[join(path)] = at }

func join(path []string) string { return strings.Join(path, "\x00") }

func (f *File) find(key []any) place {
	path := make([]string, len(key))
	for i, k := range key {
		path[i] = fmt.Sprint(k)
	}
	for ; len(path) > 0; path = path[:len(path)-1] {
		if p, ok := f.index[join(path)]; ok {
			return p
		}
	}
	return place{1, 1}
}

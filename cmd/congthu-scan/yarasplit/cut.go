package yarasplit

import (
	"maps"
	"slices"
	"strings"
)

// Piece is the part of a file that some objects need.
type Piece struct {
	Text  string
	Rules int      // in it; 0: the file has nothing for such objects
	Words []string // that its conditions use: keywords, externals, modules
}

// Piece returns the file with the rules that can match an object that begins so, with
// the rules that those name, and without the imports that they do not need.
func (f *File) Piece(head string) Piece {
	keep := f.keep(head)
	if len(keep) == 0 {
		return Piece{}
	}
	var body strings.Builder
	used := map[string]bool{}
	for _, r := range keep {
		body.WriteString(f.render(r, head, used) + "\n")
	}
	return Piece{f.imports(used) + body.String(), len(keep), slices.Sorted(maps.Keys(used))}
}

// keep chooses rules, in their order. Global rules decide about all others of their
// file, so they stay in each part of it.
func (f *File) keep(head string) []*Rule {
	var list []*Rule
	kept := map[*Rule]bool{}
	add := func(r *Rule) {
		if r != nil && !kept[r] {
			kept[r] = true
			list = append(list, r)
		}
	}
	for _, r := range f.Rules {
		if r.Heads.Allow(head) {
			add(r)
		}
	}
	if f.joined && len(list) > 0 {
		return f.Rules
	}
	for _, r := range f.Rules {
		if r.Global && len(list) > 0 {
			add(r)
		}
	}
	for i := 0; i < len(list); i++ { // grows: rules name others, which name others
		for _, ref := range list[i].refs {
			add(f.index[ref])
		}
	}
	return slices.DeleteFunc(slices.Clone(f.Rules), func(r *Rule) bool { return !kept[r] })
}

// render is the rule's text, where what is false of such objects is "false". It notes
// the words that are left in the condition.
func (f *File) render(r *Rule, head string, used map[string]bool) string {
	var out strings.Builder
	at := r.from
	words := func(from, to int) {
		for i, t := range r.condition {
			if t.kind == word && t.from >= from && t.from < to && !(i > 0 && r.condition[i-1].is(".")) {
				used[t.text] = true
			}
		}
	}
	for _, c := range r.cuts {
		if c.heads.Allow(head) {
			continue
		}
		out.WriteString(f.src[at:c.from] + "false")
		words(at, c.from)
		at = c.to
	}
	out.WriteString(f.src[at:r.to])
	words(at, r.to)
	return out.String()
}

// imports are those whose module a condition names.
func (f *File) imports(used map[string]bool) string {
	var out strings.Builder
	for _, i := range f.Imports {
		if i.Word == "import" && used[i.Name] {
			out.WriteString("import \"" + i.Name + "\"\n")
		}
	}
	return out.String()
}

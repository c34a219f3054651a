package tomlfile

import (
	"reflect"
	"strings"

	"congthu/internal/lang"
)

// DidYouMean puts the nearest of the known words before an advice, if one is near.
func DidYouMean(word string, known []string, advice lang.Text) lang.Text {
	if near := Nearest(word, known); near != "" {
		return lang.T("có phải '"+near+"'? ", "did you mean '"+near+"'? ").Also(advice)
	}
	return advice
}

// Nearest returns the word that the least changes lead to, "" when all are far off.
func Nearest(word string, words []string) string {
	if len(word) > 64 {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", 1+len(word)/3
	for _, w := range words {
		if n := distance(word, strings.ToLower(w)); n <= least && (best == "" || n < least) {
			best, least = w, n
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace between two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := last
			if a[i] != b[j] {
				changed++
			}
			last = row[j+1]
			row[j+1] = min(changed, last+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// keysOf are the names of all keys that a value of the type may have, at any depth.
func keysOf(t reflect.Type, seen map[reflect.Type]bool) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return keysOf(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if seen[t] {
		return nil
	}
	seen[t] = true
	var out []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ","); name != "" && name != "-" {
			out = append(out, name)
		}
		out = append(out, keysOf(t.Field(i).Type, seen)...)
	}
	return out
}

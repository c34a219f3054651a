// Package labelled reads collections of mail of which it is known what each letter is:
// indexes in the forms in which they are published, directories and mailboxes.
package labelled

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Item is one letter of a collection.
type Item struct {
	Path string // of its file
	Spam bool
	// Group keeps letters together that must not be divided between training and test, and
	// tells the sources of a collection apart; "" where the index does not say.
	Group string
	At    string // the line of the index that names it, "index:7"; "" in a directory
}

// Open reads an index, or a directory with the directories spam and ham in it. A line of
// an index is one of
//
//	path<TAB>ham|spam[<TAB>more…]    paths are relative to the index
//	spam ../data/inmail.1            as the TREC collections have it
//
// A path may have blanks in it, and lines may end as Windows ends them. Paths that are not
// found beside the index are looked for in the directories named.
func Open(name string, roots ...string) ([]Item, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return directory(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	roots = append([]string{filepath.Dir(name)}, roots...)
	var out []Item
	for i, l := range strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		l = strings.TrimRight(l, "\r")
		if strings.TrimSpace(l) == "" || strings.HasPrefix(l, "#") {
			continue
		}
		it, ok := line(l)
		if !ok {
			return nil, fmt.Errorf("%s:%d: a line is `path<TAB>ham|spam` or `ham|spam path`", name, i+1)
		}
		it.Path, it.At = find(it.Path, roots), fmt.Sprintf("%s:%d", name, i+1)
		out = append(out, it)
	}
	return out, nil
}

// line reads one line of an index.
func line(l string) (Item, bool) {
	if cells := strings.Split(l, "\t"); len(cells) > 1 {
		spam, ok := label(cells[1])
		return Item{Path: cells[0], Spam: spam, Group: group(cells[0])}, ok && cells[0] != ""
	}
	kind, path, _ := strings.Cut(strings.TrimSpace(l), " ")
	spam, ok := label(kind)
	path = strings.TrimSpace(path)
	return Item{Path: path, Spam: spam, Group: group(path)}, ok && path != ""
}

func label(s string) (spam, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "spam":
		return true, true
	case "ham":
		return false, true
	}
	return false, false
}

// group is the directory of a letter's file: collections keep their sources apart so.
func group(path string) string {
	if d := filepath.Base(filepath.Dir(path)); d != "." && d != "/" {
		return d
	}
	return ""
}

func find(path string, roots []string) string {
	if filepath.IsAbs(path) {
		return path
	}
	for _, r := range roots {
		if p := filepath.Join(r, path); exists(p) {
			return p
		}
	}
	return filepath.Join(roots[0], path)
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// directory reads dir/spam/** and dir/ham/**.
func directory(dir string) ([]Item, error) {
	var out []Item
	for _, kind := range []string{"ham", "spam"} {
		files, err := Files(filepath.Join(dir, kind))
		if err != nil {
			return nil, fmt.Errorf("%s has no directory %s: %w", dir, kind, err)
		}
		for _, f := range files {
			out = append(out, Item{Path: f, Spam: kind == "spam", Group: group(f)})
		}
	}
	return out, nil
}

// Files are the regular files below a path, or the path itself, in the order of names.
func Files(path string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, p)
		}
		return err
	})
	slices.Sort(out)
	return out, err
}

// Letters divides a file into its letters: a mailbox in mbox form has several, any other
// file is one. The line that mbox puts before a letter is no part of it.
func Letters(b []byte) [][]byte {
	if !bytes.HasPrefix(b, []byte("From ")) {
		return [][]byte{b}
	}
	var out [][]byte
	for len(b) > 0 {
		_, rest, _ := bytes.Cut(b, []byte("\n"))
		end := next(rest)
		out = append(out, rest[:end])
		b = rest[end:]
	}
	return out
}

// next is where the next letter of an mbox begins: a line `From ` after an empty line, with
// a year in it, so that a sentence that begins so is none.
func next(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte("\nFrom "))
		if i < 0 {
			return len(b)
		}
		at := from + i + 1
		l, _, _ := bytes.Cut(b[at:], []byte("\n"))
		if blankBefore(b, at) && dated(string(bytes.TrimSpace(l))) {
			return at
		}
		from = at
	}
}

func blankBefore(b []byte, at int) bool {
	return at == 1 || bytes.HasSuffix(b[:at], []byte("\n\n")) || bytes.HasSuffix(b[:at], []byte("\n\r\n"))
}

// dated tells whether a line has a time and a year, as the mbox line has.
func dated(l string) bool {
	f := strings.Fields(l)
	if len(f) < 6 {
		return false
	}
	for _, w := range f[2:] {
		if strings.Count(w, ":") >= 1 {
			return true
		}
	}
	return false
}

// Wire gives a letter from a file the line ends of the wire (RFC 5321 section 2.3.8), and
// leaves out a mailbox line before it.
func Wire(b []byte) []byte {
	if bytes.HasPrefix(b, []byte("From ")) {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

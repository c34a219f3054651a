package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Files are the octets of a rules directory by name, such as "content/thu-rac.toml":
// what a set is known and kept by.
type Files map[string][]byte

// Bounds of what is read for a hash: rules that are larger belong into scan.yara_extra.
const (
	maxFiles  = 2000
	maxOctets = 32 << 20
)

// ErrTooLarge says that a directory is beyond the bounds of a rule set.
var ErrTooLarge = errors.New("rules: more than 2,000 files or 32 MiB in the rules directory")

// models is the directory of the classifier's starting model: half a program, half a
// megabyte, and no rule that history should keep again with every set.
const models = "model"

// ReadFiles reads every file below the directory, but not what editors leave there,
// names that begin with a dot or end in a tilde, nor the classifier's model.
func ReadFiles(dir string) (Files, error) {
	out, octets := Files{}, int64(0)
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := e.Name(); name != dir && (strings.HasPrefix(base, ".") || strings.HasSuffix(base, "~")) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() && name == filepath.Join(dir, models) {
			return fs.SkipDir
		}
		info, err := os.Stat(name) // follows links: a shared list may be one
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if octets += info.Size(); octets > maxOctets || len(out) >= maxFiles {
			return ErrTooLarge
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = data
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return out, nil
}

// Hash names the set by its octets: 16 hexadecimal digits, for people to compare.
func (f Files) Hash() string {
	h := sha256.New()
	for _, name := range f.Names() {
		fmt.Fprintf(h, "%d %s %d\n", len(name), name, len(f[name]))
		h.Write(f[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Names returns the names in their order.
func (f Files) Names() []string {
	out := make([]string, 0, len(f))
	for name := range f {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Octets is the size of all files.
func (f Files) Octets() int {
	n := 0
	for _, data := range f {
		n += len(data)
	}
	return n
}

// Change is what became of one file between two sets.
type Change struct {
	File    string `json:"file"`
	Added   int    `json:"added"`   // lines
	Removed int    `json:"removed"` // lines
	New     bool   `json:"new,omitempty"`
	Gone    bool   `json:"gone,omitempty"`
}

// String is "policy.toml +1 -1", "content/x.toml new", "lists/y.txt gone".
func (c Change) String() string {
	switch {
	case c.New:
		return c.File + " new"
	case c.Gone:
		return c.File + " gone"
	}
	return fmt.Sprintf("%s +%d -%d", c.File, c.Added, c.Removed)
}

// Diff says by file what is different in to.
func Diff(from, to Files) []Change {
	var out []Change
	both := Files{}
	for _, f := range []Files{from, to} {
		for name, data := range f {
			both[name] = data
		}
	}
	for _, name := range both.Names() {
		a, had := from[name]
		b, has := to[name]
		if had && has && bytes.Equal(a, b) {
			continue
		}
		c := Change{File: name, New: !had, Gone: !has}
		c.Removed, c.Added = lines(a, b), lines(b, a)
		out = append(out, c)
	}
	return out
}

// lines counts the lines of a that b does not have, each as often as it stands there. A
// line that only moved is no change: the sense of these files does not hang on it, and
// where it does the file is named all the same.
func lines(a, b []byte) int {
	have := map[string]int{}
	for line := range bytes.Lines(b) {
		have[string(bytes.TrimRight(line, "\r\n"))]++
	}
	n := 0
	for line := range bytes.Lines(a) {
		text := string(bytes.TrimRight(line, "\r\n"))
		if have[text] > 0 {
			have[text]--
			continue
		}
		n++
	}
	return n
}

// Write lays the files into an empty directory of its own, synced.
func (f Files) Write(dir string) error {
	for _, name := range f.Names() {
		if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name {
			return fmt.Errorf("rules: %q is no name of a rule file", name)
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), f[name]); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// Replace makes the directory hold these files and no other rule file, each replaced
// whole: at any moment a reader finds the old octets of a file or the new ones. What is
// no rule file (ReadFiles) stays.
func (f Files) Replace(dir string) error {
	had, err := ReadFiles(dir)
	if err != nil {
		return err
	}
	for _, c := range Diff(had, f) {
		name := filepath.Join(dir, filepath.FromSlash(c.File))
		switch {
		case !filepath.IsLocal(filepath.FromSlash(c.File)):
			return fmt.Errorf("rules: %q is no name of a rule file", c.File)
		case c.Gone:
			err = os.Remove(name)
		default:
			err = writeFile(name, f[c.File])
		}
		if err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// writeFile replaces a file: written beside it, synced, renamed. The owner's and
// the group's rights of the file before stay as they were.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // what a link points to is replaced, not the link
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".congthu-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // after the rename there is nothing
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package keyring

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"congthu/internal/lang"
	"congthu/internal/pgp"
)

// suffix is that of key files, and moved is what is put behind it once the store has the
// key: a key that was deleted must not come back from its file.
const (
	suffix = ".asc"
	moved  = ".imported"
)

// keyFile is a file of the key directory.
type keyFile struct {
	name   string
	octets []byte
	key    *pgp.Key // nil: not to be read
	err    error
}

// readDir reads the key files; a directory that is not there has none.
func readDir(dir string) (out []keyFile) {
	names, _ := filepath.Glob(filepath.Join(dir, "*"+suffix)) // the pattern is good
	slices.Sort(names)
	for _, name := range names {
		f := keyFile{name: name}
		f.octets, f.err = os.ReadFile(name)
		if f.err == nil {
			var keys []*pgp.Key
			if keys, f.err = pgp.ReadKeys(f.octets); f.err == nil && len(keys) > 0 {
				f.key = keys[0]
			}
		}
		out = append(out, f)
	}
	return out
}

// Migrate takes the files of the key directory into the store, each pinned to its own
// addresses where they have no key yet, and renames them. Files that cannot be read stay,
// and the log says why.
func (r *Ring) Migrate(ctx context.Context) error {
	for _, f := range readDir(r.o.Dir) {
		if f.err != nil {
			r.o.Log.Warn("keyring: a key file cannot be read", "file", filepath.Base(f.name), "error", lang.Safe(f.err.Error(), 300))
			continue
		}
		done, err := r.Import(ctx, Import{Octets: f.octets, Source: "directory", Pin: true, Actor: "migration"})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(done, func(d Imported) bool { return !d.Taken }) {
			r.o.Log.Warn("keyring: a key file holds a key that cannot be used", "file", filepath.Base(f.name), "code", done[0].Code)
			continue
		}
		if err := os.Rename(f.name, f.name+moved); err != nil {
			return problem(err, "không đổi tên được tệp khoá đã nạp", "cannot rename an imported key file")
		}
	}
	return nil
}

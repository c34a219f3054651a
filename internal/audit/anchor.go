package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// anchor writes down where the chain ended, outside of the database. It may lag behind
// after a crash, which is no contradiction; that it is ahead would be one.
func (l *Log) anchor(at link) {
	l.o.Log.Info("audit", "n", at.N, "hash", at.Hash)
	if l.o.Anchor == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := putAnchor(l.o.Anchor, at); err != nil {
		l.o.Log.Error("audit: the anchor cannot be written; verify will not see entries cut off at the end", "file", l.o.Anchor, "error", err)
	}
}

func putAnchor(path string, at link) error {
	if had, err := readAnchor(path); err == nil && had.N >= at.N {
		return nil // another entry was quicker
	}
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".audit-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// readAnchor returns the zero link where there is no anchor yet.
func readAnchor(path string) (at link, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil
	}
	if err != nil {
		return at, fmt.Errorf("audit: anchor: %w", err)
	}
	if err := json.Unmarshal(text, &at); err != nil {
		return at, fmt.Errorf("audit: anchor %s: %w", path, err)
	}
	return at, nil
}

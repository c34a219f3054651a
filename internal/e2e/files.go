package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// noFile tells where a file lies whose name contains the text: anywhere below the folder
// of the gateway, in which it and its workers run, or where a name with .. or a root in it
// would lead. A letter's words must not have made one.
func (g *Gateway) noFile(text string) error {
	if text == "" {
		return errors.New("no-file wants a part of a name")
	}
	var found []error
	see := func(path string) {
		if strings.Contains(filepath.Base(path), text) {
			found = append(found, fmt.Errorf("there is %s", path))
		}
	}
	err := filepath.WalkDir(g.Dir, func(path string, _ fs.DirEntry, err error) error {
		see(path)
		if errors.Is(err, fs.ErrNotExist) { // the gateway is at work
			return nil
		}
		return err
	})
	for _, dir := range append(above(g.Dir), "/", "/tmp", "/var/tmp", "/dev/shm", os.TempDir()) {
		list, _ := os.ReadDir(dir) // what cannot be read was not written to either
		for _, e := range list {
			see(filepath.Join(dir, e.Name()))
		}
	}
	return errors.Join(append(found, err)...)
}

// above returns the folders above one.
func above(dir string) (all []string) {
	for up := filepath.Dir(dir); up != dir; dir, up = up, filepath.Dir(up) {
		all = append(all, up)
	}
	return all
}

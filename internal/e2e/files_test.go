package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNoFileFindsFiles(t *testing.T) {
	dir := t.TempDir()
	g := &Gateway{Dir: filepath.Join(dir, "gateway")}
	if err := os.MkdirAll(filepath.Join(g.Dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := g.noFile("qwertz-9"); err != nil {
		t.Errorf("none there: %v", err)
	}
	for _, path := range []string{filepath.Join(g.Dir, "data", "a qwertz-9.txt"), filepath.Join(dir, "qwertz-9")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if g.noFile("qwertz-9") == nil {
			t.Errorf("%s was not found", path)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

package mimetree

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// Of the honest letters of a public corpus none may be held for its structure.
func TestHonestLettersAreNotAmbiguous(t *testing.T) {
	ham, total := hamOf(t), 0
	held := map[string]string{}
	for name, raw := range ham {
		total++
		Parse(raw, DefaultLimits()).Walk(func(p *msg.Part) {
			for _, a := range p.Ambiguities {
				if Conflict(a.Code) || Limit(a.Code) {
					held[name] += " " + a.Code + "(" + a.Detail + ")"
				}
			}
		})
	}
	for name, why := range held {
		t.Errorf("%s would be held:%.200s", name, why)
	}
	t.Logf("%d of %d honest letters would be held", len(held), total)
	if total < 2000 {
		t.Errorf("only %d letters in the corpus", total)
	}
}

// hamOf reads the letters that are labelled ham, as they come out of DATA.
func hamOf(t *testing.T) map[string][]byte {
	t.Helper()
	dir := filepath.Join(suitesDir(t), "spam")
	table, err := os.Open(filepath.Join(dir, "sa_open.tsv"))
	if err != nil {
		t.Skipf("the corpus is missing, set CONGTHU_SUITES to the folder of the suites: %v", err)
	}
	defer table.Close()
	isHam := map[string]bool{}
	for s := bufio.NewScanner(table); s.Scan(); {
		if f := strings.Split(s.Text(), "\t"); len(f) > 1 {
			isHam[f[0]] = f[1] == "ham"
		}
	}
	file, err := os.Open(filepath.Join(dir, "sa_open.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if !isHam[h.Name] && !isHam[strings.TrimPrefix(h.Name, "./")] {
			continue
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = asAccepted(raw)
	}
}

// suitesDir is the folder of published suites and corpora; the test skips without it.
func suitesDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CONGTHU_SUITES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "suites")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the suites are missing, set CONGTHU_SUITES to their folder: %v", err)
	}
	return dir
}

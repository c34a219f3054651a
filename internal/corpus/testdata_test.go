package corpus

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vn anew")

const shelf = "../../testdata/vn"

// perText is how many letters of each text stand in testdata/vn. What trains the
// classifier does not stand there.
const perText = 2

// testdata/vn is what the generator makes, and nothing else.
func TestShelfIsUpToDate(t *testing.T) {
	tune, err := Of(Tune, perText)
	if err != nil {
		t.Fatal(err)
	}
	held, _ := Of(Held, perText)
	zone, _ := Zone()
	want := map[string][]byte{"index.tsv": []byte(Index(slices.Concat(tune, held))), "zone": []byte(zone)}
	for _, l := range slices.Concat(tune, held) {
		want[l.Name+".eml"] = l.Raw
	}
	if *update {
		write(t, want)
	}
	entries, err := os.ReadDir(shelf)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(shelf, e.Name()))
		if err != nil || !bytes.Equal(data, want[e.Name()]) {
			t.Errorf("%s is not what is made now (go test ./internal/corpus -update)", e.Name())
		}
		delete(want, e.Name())
	}
	for name := range want {
		t.Errorf("%s is missing (go test ./internal/corpus -update)", name)
	}
}

func write(t *testing.T, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(shelf); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(shelf, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(shelf, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package scan_test

import (
	"context"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/scan"
	"congthu/internal/conformance"
	"congthu/internal/scanproto"
)

// TestConformanceDocuments: documents made to show a thing each are seen to have it,
// and harmless ones to have nothing. testdata/documents.txt says what by their names.
func TestConformanceDocuments(t *testing.T) {
	s := conformance.Open(t, "documents", "docs/oletools/tests/test-data")
	for _, want := range wanted(t) {
		for _, file := range s.Glob(want.pattern) {
			symbols, detail := facts(t, path.Base(file), s.File(file))
			got := strings.Join(symbols, " ")
			if slices.Contains(symbols, want.symbol) {
				got = want.symbol
			}
			s.Case(file, got, []string{want.symbol}, detail)
		}
	}
	s.Done(100)
}

type expectation struct{ pattern, symbol string }

func wanted(t *testing.T) []expectation {
	t.Helper()
	text, err := os.ReadFile("testdata/documents.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []expectation
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case words[1] == "nothing":
			all = append(all, expectation{words[0], ""})
		default:
			all = append(all, expectation{words[0], words[1]})
		}
	}
	return all
}

// facts are the symbols of a file, sorted, and all that was said.
func facts(t *testing.T, name string, data []byte) (symbols []string, detail string) {
	t.Helper()
	letter := scanproto.Object{Part: "1", MediaType: "text/plain", Data: []byte("password: infected-test")} // that of the suite
	fs, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), onTray(t, request(letter, object(name, data))))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var said []string
	for _, f := range fs {
		symbol := strings.TrimPrefix(f.Symbol, "ATTACH_")
		symbols = append(symbols, symbol)
		said = append(said, symbol+" "+f.Evidence)
	}
	slices.Sort(symbols)
	return slices.Compact(symbols), strings.Join(said, "; ")
}

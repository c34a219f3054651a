package scan_test

import (
	"context"
	"os"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/scan"
)

// BenchmarkLetter is what a text letter costs besides YARA.
func BenchmarkLetter(b *testing.B) {
	raw, err := os.ReadFile("../../../testdata/messages/letter.eml")
	if err != nil {
		b.Fatal(err)
	}
	r := ask(raw)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), r); err != nil {
			b.Fatal(err)
		}
	}
}

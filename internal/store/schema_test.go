package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// The number in a file's name is the version that it makes, without gaps: a step
// that was left out or came twice would be skipped or run in the wrong place.
func TestSchemaFilesAreNumbered(t *testing.T) {
	names, err := filepath.Glob("schema/*")
	if err != nil || len(names) != len(migrations()) {
		t.Fatal(len(names), "files,", len(migrations()), "steps", err)
	}
	for i, name := range names {
		if !strings.HasPrefix(filepath.Base(name), fmt.Sprintf("%04d-", i+1)) || !strings.HasSuffix(name, ".sql") {
			t.Errorf("%s is step %d", name, i+1)
		}
	}
}

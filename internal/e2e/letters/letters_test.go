package letters_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"congthu/internal/e2e/letters"
	"congthu/internal/mimetree"
	"congthu/internal/pgp"
)

const dir = "../../../testdata/messages"

// -update writes the letters to testdata/messages again.
func update(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var write = flag.Bool("update", false, "write testdata/messages again")

func TestLettersAreAsStored(t *testing.T) {
	files, err := letters.Letters()
	if err != nil {
		t.Fatal(err)
	}
	if *write {
		update(t, files)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "letter-dkim.eml" { // its signature says when it was made: the body must be the same
			_, got, _ = bytes.Cut(got, []byte("\r\n\r\n"))
			_, want, _ = bytes.Cut(want, []byte("\r\n\r\n"))
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what this package makes: run go test ./internal/e2e/letters -update, or restore it", name)
		}
	}
}

// A signature differs each time it is made, so the stored letter is only looked at.
func TestSignedLetterIsStored(t *testing.T) {
	name := filepath.Join(dir, "pgp-signed.eml")
	if *write {
		raw, _, err := letters.PGPSigned()
		if err != nil {
			t.Fatal(err)
		}
		update(t, map[string][]byte{"pgp-signed.eml": raw})
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := pgp.Protection(mimetree.Parse(raw, mimetree.DefaultLimits())); got == "" {
		t.Error("the stored letter is not seen as signed")
	}
}

// Every letter is clean on the wire: CRLF, no NUL, lines within RFC 5322 section 2.1.1.
func TestLettersAreWellFormed(t *testing.T) {
	files, err := letters.Letters()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		for line := range bytes.Lines(data) {
			if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 998 || bytes.IndexByte(line, 0) >= 0 {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

package archive_test

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
)

type opens func(*archive.Budget, []byte, archive.Visit) []archive.Remark

// named gives the readers of streams a file name.
func named(f func(*archive.Budget, string, []byte, archive.Visit) []archive.Remark) opens {
	return func(b *archive.Budget, data []byte, v archive.Visit) []archive.Remark { return f(b, "a", data, v) }
}

// Small files that claim to be large: each is stopped by the limit that it hits, in
// little time and memory.
func TestBombs(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		open opens
		says string
	}{
		"zip of one stream a thousand times": {archivetest.ZipOverlapping(1000, 10<<20), (*archive.Budget).Zip, "ratio"},
		"bzip2":                              {zeros(t, "bzip2", 100<<20), named((*archive.Budget).Bzip2), "ratio"},
		"gzip":                               {zeros(t, "gzip", 100<<20), named((*archive.Budget).Gzip), "ratio"},
		"xz":                                 {zeros(t, "xz", 100<<20), named((*archive.Budget).XZ), "ratio"},
		"zstd":                               {zeros(t, "zstd", 100<<20), named((*archive.Budget).Zstd), "ratio"},
		"RAR 5 dictionary":                   {archivetest.Rar5Bomb(15), (*archive.Budget).Rar, "dictionary"},
		"7z LZMA dictionary":                 {archivetest.Seven("\x03\x01\x01", "\x5d\xff\xff\xff\xff", make([]byte, 64), 8<<30), (*archive.Budget).SevenZip, "dictionary"},
		"7z LZMA2 dictionary":                {archivetest.Seven("\x21", "\x28", []byte{1, 0, 0, 'x', 0}, 8<<30), (*archive.Budget).SevenZip, "dictionary"},
		"7z PPMd memory":                     {archivetest.Seven("\x03\x04\x01", "\x06\x00\x00\x00\xff", make([]byte, 64), 100), (*archive.Budget).SevenZip, "dictionary"},
		"7z Zstandard window":                {archivetest.Seven("\x04\xf7\x11\x01", "\x01\x05\x01\x00\x00", archivetest.ZstdBomb(), 1<<40), (*archive.Budget).SevenZip, "dictionary"},
		"xz dictionary":                      {archivetest.XZBomb(), named((*archive.Budget).XZ), "dictionary"},
		"LZMA dictionary":                    {archivetest.LZMABomb(), named((*archive.Budget).LZMA), "dictionary"},
		"Zstandard window":                   {archivetest.ZstdBomb(), named((*archive.Budget).Zstd), "dictionary"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			m := open(c.data, c.open)
			if !slices.Contains(m.troubles, archive.Limit) || !slices.ContainsFunc(m.evidence, func(e string) bool { return strings.HasPrefix(e, c.says) }) {
				t.Errorf("troubles %v: %q", m.troubles, m.evidence)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			var mem runtime.MemStats
			if runtime.ReadMemStats(&mem); mem.HeapSys > 1<<30 {
				t.Errorf("%d MiB of heap", mem.HeapSys>>20)
			}
		})
	}
}

// zeros packs that many zero octets with a program.
func zeros(t *testing.T, program string, size int) []byte {
	t.Helper()
	cmd := exec.Command(archivetest.Need(t, program), "-c")
	cmd.Stdin = bytes.NewReader(make([]byte, size))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What is in a member of 56 KB that gives 10 GB is looked at up to the limit, and the
// directory's lie is told as well when the limit is not reached.
func TestOverlapIsAConflict(t *testing.T) {
	m := open(archivetest.ZipOverlapping(3, 1000), (*archive.Budget).Zip)
	if !slices.Contains(m.troubles, archive.Conflict) || len(m.seen) != 3 {
		t.Errorf("%d members, troubles %v", len(m.seen), m.troubles)
	}
}

// A key may take as long to derive as whoever locked the archive wanted: the time for
// tries is bounded in all.
func TestPasswordsHaveTheirTime(t *testing.T) {
	locked := locked7z(t)
	l := archive.DefaultLimits()
	l.Trying = 0
	b := archive.NewBudget(context.Background(), l)
	tries := 0
	b.Passwords = func() []string {
		tries++
		return slices.Repeat([]string{"wrong"}, 10)
	}
	m := &members{}
	m.done(b.SevenZip(locked, m.visit))
	if !slices.Contains(m.troubles, archive.Encrypted) || tries != 1 {
		t.Errorf("troubles %v", m.troubles)
	}
	m = &members{}
	m.done(b.SevenZip(locked, m.visit)) // another archive of the same letter: no time is left
	if !slices.Contains(m.troubles, archive.Encrypted) {
		t.Errorf("troubles %v", m.troubles)
	}
}

func locked7z(t *testing.T) []byte {
	t.Helper()
	for _, c := range archivetest.All() {
		if c.Name == "7z with a locked list" {
			return c.Write(t, "a.txt", []byte("x"))
		}
	}
	t.Fatal("no such container")
	return nil
}

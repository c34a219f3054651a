package e2e_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/e2e"
	"congthu/internal/sink"
)

// TestLettersLieSealed: words of the subject, of the text and of a file's name stand in
// no file of the data directory and in no line of the log, when a letter waits in the queue
// and when one is held; released, it comes out as it was.
func TestLettersLieSealed(t *testing.T) {
	t.Parallel()
	script, err := sink.ParseScript("mail 451 4.3.2 busy x1000")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	g, err := build(t).Start(t.Context(), &e2e.Case{Script: script, Config: "[inspect]\nskip = [\"auth\", \"attach\"]\n[log]\nlevel = \"debug\"\n"}, dir, rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	waits := canaryLetter("chim-hoang-yen-cho", "")
	held := canaryLetter("chim-hoang-yen-giu", "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
	large := canaryLetter("chim-hoang-yen-lon", strings.Repeat("chim-hoang-yen-lon mot dong nua\r\n", 20000))
	for _, l := range []string{waits, held, large} {
		if err := submitPlain(g.Addr, l); err != nil {
			t.Fatal(err)
		}
	}
	if out, status, err := g.Run("quarantine", "list", "yen-giu", "--json"); err != nil || status != 0 || strings.Count(out, `"subject"`) != 1 || !strings.Contains(out, "chim-hoang-yen-giu") {
		t.Fatalf("one letter is held and found by its subject: %d %v %s", status, err, out)
	}
	if out, status, err := g.Run("queue", "list", "--json"); err != nil || status != 0 || strings.Count(out, `"next_hop"`) != 2 {
		t.Fatalf("two letters wait: %d %v %s", status, err, out)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	seen := 0
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		seen++
		text, err := os.ReadFile(path)
		if i := bytes.Index(text, []byte("chim-hoang-yen")); i >= 0 {
			t.Errorf("%s: …%q…", path, text[max(0, i-80):min(len(text), i+40)])
		}
		return err
	})
	if err != nil || seen < 3 {
		t.Errorf("%d files were read: %v", seen, err)
	}
	if i := strings.Index(g.Log(), "chim-hoang-yen"); i >= 0 {
		t.Errorf("the log: …%s…", g.Log()[max(0, i-200):min(len(g.Log()), i+60)])
	}
}

func canaryLetter(canary, more string) string {
	return fmt.Sprintf("From: a@so.test\r\nTo: b@so.gov.test\r\nSubject: %[1]s\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@so.test>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nVan ban %[1]s\r\n%[2]s\r\n--b\r\nContent-Type: text/plain; name=%[1]s.txt\r\n\r\n%[1]s\r\n--b--\r\n", canary, more)
}

func submitPlain(addr, letter string) error { return submitTo(addr, letter, "b@so.gov.test") }

// submitTo sends a letter in the clear.
func submitTo(addr, letter string, to ...string) error {
	return trySend(addr, "a@so.test", to, []byte(letter))
}

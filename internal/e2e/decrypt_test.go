package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"congthu/internal/e2e"
	"congthu/internal/sink"
)

const openerPass = "mat-khau-cua-cong-thu"

// opening starts a gateway that has a key for gov.test and delivers decrypted.
func opening(t *testing.T, c *e2e.Case, dir, ip string) *e2e.Gateway {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte(openerPass), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Config = "[pgp]\npassphrase_file = \"${DIR}/pass\"\n" + c.Config
	g, err := build(t).Start(t.Context(), c, dir, rules, ip)
	if err != nil {
		t.Fatal(err)
	}
	if out, status, err := g.Run("keys", "generate", "gov.test"); err != nil || status != 0 {
		t.Fatalf("%d %v\n%s", status, err, out)
	}
	return g
}

// TestOpenedLettersLieSealed: what was encrypted in a letter lies in clear in no file of the
// data directory, in no shared memory and in no line of the log, when the letter is held for
// what is inside, and when the decrypted copy waits in the queue; nor does the passphrase.
func TestOpenedLettersLieSealed(t *testing.T) {
	t.Parallel()
	script, err := sink.ParseScript("mail 451 4.3.2 busy x1000")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	entity := func(canary, more string) []byte {
		return []byte("From: a@so.test\r\nTo: b@gov.test\r\nSubject: " + canary + "\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@so.test>\r\n" +
			"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; hp=\"cipher\"; boundary=b\r\n\r\n--b\r\n\r\nVan ban " + canary + "\r\n" + more + "\r\n--b\r\nContent-Type: text/plain; name=" + canary + ".txt\r\n\r\n" + canary + "\r\n--b--\r\n")
	}
	c := &e2e.Case{Script: script, Config: "[inspect]\nskip = [\"auth\"]\n[log]\nlevel = \"debug\"\n", Messages: map[string][]byte{
		"cho": entity("chim-hoang-yen-cho", ""),
		"giu": entity("chim-hoang-yen-giu", "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"),
		"lon": entity("chim-hoang-yen-lon", strings.Repeat("chim-hoang-yen-lon mot dong nua\r\n", 20000)),
	}}
	g := opening(t, c, dir, loopback(spare(), 1))
	c.Dialogue = []string{
		"EDIT rules/policy.toml deliver = \"as-received\" => deliver = \"decrypted\"",
		"RUN rules reload => 0",
		"SEAL plain cho => s1", "SEAL plain giu => s2", "SEAL compressed lon => s3",
		"LETTER s1 from=a@so.test to=b@gov.test ip=192.0.2.1 helo=x.test => 250",
		"LETTER s2 from=a@so.test to=b@gov.test ip=192.0.2.1 helo=x.test => 250",
		"LETTER s3 from=a@so.test to=b@gov.test ip=192.0.2.1 helo=x.test => 250",
	}
	if err := g.Play(c); err != nil {
		t.Fatal(err, g.Log())
	}
	if out, status, err := g.Run("quarantine", "list", "--json"); err != nil || status != 0 || strings.Count(out, `"subject"`) != 1 || !strings.Contains(out, "2/openpgp/") {
		t.Fatalf("one letter is held for what is inside: %d %v %s", status, err, out)
	}
	if out, status, err := g.Run("queue", "list", "--json"); err != nil || status != 0 || strings.Count(out, `"next_hop"`) != 2 {
		t.Fatalf("two letters wait: %d %v %s", status, err, out)
	}
	for _, pid := range g.Processes()[:1] { // no core file could hold them either
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err != nil || !strings.Contains(string(limits), "Max core file size        0                    0") {
			t.Errorf("core files: %v\n%s", err, limits)
		}
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"cho", "giu", "lon"} { // the case's own copies
		if err := os.Remove(filepath.Join(dir, name+".eml")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "pass")); err != nil {
		t.Fatal(err)
	}
	words := [][]byte{[]byte("chim-hoang-yen"), []byte(openerPass)}
	seen := 0
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		seen++
		text, err := os.ReadFile(path)
		for _, w := range words {
			if i := bytes.Index(text, w); i >= 0 {
				t.Errorf("%s: …%q…", path, text[max(0, i-80):min(len(text), i+40)])
			}
		}
		return err
	})
	if err != nil || seen < 3 {
		t.Errorf("%d files were read: %v", seen, err)
	}
	for _, w := range words {
		if i := strings.Index(g.Log(), string(w)); i >= 0 {
			t.Errorf("the log: …%s…", g.Log()[max(0, i-200):min(len(g.Log()), i+60)])
		}
	}
}

// A letter of 25 MB is opened, scanned and delivered decrypted within bounded memory.
func TestLargeLetterIsOpened(t *testing.T) {
	const most = 400 << 20 // over what the gateway has before: 16 times the letter
	file := make([]byte, 13<<20)
	_, _ = rand.Read(file) // does not compress: the letter is as large as it looks
	var body strings.Builder
	for c := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(file)), 76) {
		body.Write(c)
		body.WriteString("\r\n")
	}
	entity := "From: a@so.test\r\nTo: b@gov.test\r\nSubject: lon\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@so.test>\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nXem tep\r\n--b\r\nContent-Type: application/octet-stream; name=tep.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body.String() + "--b--\r\n"
	c := &e2e.Case{Config: "[inspect]\nskip = [\"auth\"]\n", Messages: map[string][]byte{"lon": []byte(entity)}}
	g := opening(t, c, t.TempDir(), loopback(spare(), 1))
	c.Dialogue = []string{"EDIT rules/policy.toml deliver = \"as-received\" => deliver = \"decrypted\"", "RUN rules reload => 0", "SEAL plain lon => kin"}
	if err := g.Play(c); err != nil {
		t.Fatal(err)
	}
	before := memory(t, g.Processes()[0], "VmRSS:")
	c.Dialogue = []string{"LETTER kin from=a@so.test to=b@gov.test ip=192.0.2.1 helo=x.test => 250"}
	spentBefore := spent(t, g)
	if err := g.Play(c); err != nil {
		t.Fatal(err, g.Log())
	}
	took := spent(t, g) - spentBefore
	grown := memory(t, g.Processes()[0], "VmHWM:") - before
	t.Logf("%d octets encrypted, %d inside: the daemon grew by %d MB, %v of processor", len(c.Messages["kin"]), len(entity), grown>>20, took)
	if grown > most {
		t.Errorf("the daemon grew by %d MB, at most %d", grown>>20, most>>20)
	}
	got := g.Sink.Deliveries()
	if len(got) != 1 || !bytes.HasSuffix(got[0].Data, []byte(body.String()+"--b--\r\n")) {
		t.Errorf("%d delivered, or it is not what was inside", len(got))
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
}

// memory reads a line of /proc/PID/status, in octets.
func memory(t *testing.T, pid int, line string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), line)
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

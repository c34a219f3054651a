package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"congthu/internal/testca"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"congthu": main})
}

// TestScripts runs testdata/script/*.txtar: the commands as an operator types them.
// `exits N congthu …` asserts the exit status; what it printed is then in stdout and
// stderr. $ROOT is the source tree.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("LANG", "en_US.UTF-8")
			return os.CopyFS(filepath.Join(e.WorkDir, "rules"), os.DirFS(filepath.Join(root, "rules")))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "edit": edit, "append": appendTo, "keypair": keypair, "golden": golden, "tidy": tidy, "worker": buildWorker, "tlspair": tlspair,
			"pgpkey": pgpkey, "printed": printed, "directory": directory, "nameserver": nameServer, "report": reportLetter, "fits": fits,
			"lines": lines, "hold": holdLetter(false), "holdproven": holdLetter(true), "masked": masked, "unnamed": unnamed, "private": private,
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "", // writes what `cmp` has found other into the script
	})
}

// exits runs a program and asserts its status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS program args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		got = ee.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// edit replaces a text in a file once: edit FILE OLD NEW.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	out := strings.Replace(string(data), args[1], args[2], 1)
	if out == string(data) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(name, []byte(out), 0o600))
}

// appendTo puts one file at the end of another: append FILE MORE.
func appendTo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append FILE MORE")
	}
	out := ts.ReadFile(args[0]) + ts.ReadFile(args[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out), 0o600))
}

// golden compares what the last command has printed with a file: golden stdout FILE. What
// is another each time is written as a word: times, hashes, ids, tokens, the user's name;
// with a third argument, sorted, the rows under the first come in the order of their text.
func golden(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) == 3 && args[2] != "sorted" {
		ts.Fatalf("usage: golden stdout|stderr FILE [sorted]")
	}
	got := scrub(ts.ReadFile(args[0]))
	if len(args) == 3 {
		got = rowsSorted(got)
	}
	if want := ts.ReadFile(args[1]); got != want {
		ts.Fatalf("%s is\n%s\nwant\n%s", args[0], got, want)
	}
}

// fits asserts that no line of what the last command has printed is wider than so many
// columns of a terminal: fits COLUMNS.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fits COLUMNS")
	}
	room, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if line = strings.TrimSuffix(line, "\n"); wide(line) > room {
			ts.Fatalf("%d columns: %s", wide(line), line)
		}
	}
}

// rowsSorted sorts the lines under a heading.
func rowsSorted(text string) string {
	head, rows, _ := strings.Cut(text, "\n")
	lines := strings.SplitAfter(rows, "\n")
	slices.Sort(lines)
	return head + "\n" + strings.Join(lines, "")
}

// lines writes the first lines of a file to another: lines FILE N OTHER.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: lines FILE N OTHER")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	all := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(all[:min(n, len(all))], "")), 0o600))
}

func scrub(s string) string {
	for _, r := range [][2]string{
		{`\bct_[0-9a-f]{8}_[A-Za-z0-9_-]{43}`, "TOKEN"},
		{`\b[0-9a-f]{64}\b`, "HASH"},
		{`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?`, "TIME"},
		{`\b\d{4}-\d\d-\d\d\b`, "DATE"},
		{`\b[0-9a-f]{8}\b`, "ID"},
		{`\b` + regexp.QuoteMeta(actor()) + `\b`, "USER"},
		{` +`, " "},
		{`(?m) $`, ""},
	} {
		s = regexp.MustCompile(r[0]).ReplaceAllString(s, r[1])
	}
	return s
}

// tlspair makes a certificate for 127.0.0.1 and the authority that has signed it:
// tlspair CERT KEY CA.
func tlspair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: tlspair CERT KEY CA")
	}
	t := scriptTB{ts: ts}
	ca := testca.New(t)
	pair := ca.IssueIP(t, net.IPv4(127, 0, 0, 1))
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	ts.Check(err)
	for i, block := range []pem.Block{{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, {Type: "PRIVATE KEY", Bytes: key}, {Type: "CERTIFICATE", Bytes: ca.Cert.Raw}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(&block), 0o600))
	}
}

// scriptTB lets what is made for tests be made in a script.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

// Helper implements testing.TB.
func (scriptTB) Helper() {}

// Fatal implements testing.TB.
func (s scriptTB) Fatal(args ...any) { s.ts.Fatalf("%v", args) }

// keypair makes the demo recipient's keys: keypair PUBLIC SECRET.
func keypair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keypair PUBLIC SECRET")
	}
	public, secret, err := newKeyPair(demoRecipient)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), public, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), secret, 0o600))
}

// unnamed compares what was printed with a file, but for fingerprints and times: unnamed FILE.
func unnamed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unnamed FILE")
	}
	out := ts.ReadFile("stdout")
	for _, m := range [][2]string{{`\b([0-9A-F]{64}|[0-9A-F]{40})\b`, "<FPR>"}, {`\d{4}-\d\d-\d\dT[0-9:.+Z-]+`, "<TIME>"}, {`\b\d{4}-\d\d-\d\d\b`, "<DATE>"}} {
		out = regexp.MustCompile(m[0]).ReplaceAllString(out, m[1])
	}
	out = regexp.MustCompile(` {2,}`).ReplaceAllString(out, "  ") // columns are as wide as what was masked
	if want := regexp.MustCompile(` {2,}`).ReplaceAllString(ts.ReadFile(args[0]), "  "); out != want {
		ts.Fatalf("printed:\n%s\nwant:\n%s", out, want)
	}
}

// private lays the file pass.txt down under its name without the suffix, as a file of a
// passphrase.
func private(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: private FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0]+".txt")), 0o600))
}

package mimetree

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// The other readers, and how many mutants of the suites they are asked about. The
// mutants are the same in each run, so that exceptions can be named.
const mutants = 3000

func oracles() map[string][]string {
	return map[string][]string{
		"python": {"/usr/bin/python3", "testdata/oracle/pyemail.py"},
		"perl":   {"perl", "testdata/oracle/tools.pl"},
	}
}

// What Python's email and Perl's MIME::Tools see of a message, the scanners get: each of
// their leaves is an object of ours, by its octets. Exceptions are listed with reasons.
func TestOtherReadersSeeNothingMore(t *testing.T) {
	names, messages := oracleMessages(t)
	for oracle, command := range oracles() {
		t.Run(oracle, func(t *testing.T) {
			needs(t, command[0])
			listed := exceptions(t, oracle)
			leaves, held := 0, 0
			for i, theirs := range askOracle(t, messages, command...) {
				u := unionOf(messages[i])
				leaves += len(theirs)
				if u.limited() {
					held++
					continue
				}
				for _, leaf := range theirs {
					if u.has(leaf) {
						continue
					}
					if listed[names[i]] == "" {
						t.Errorf("%s: not among our readings (%s, codes %q): %q %.100q", names[i], shape(u.root), codes(u.root), leaf.name, leaf.data)
					}
					listed[names[i]] = seenException
				}
			}
			for name, reason := range listed {
				if reason != seenException {
					t.Errorf("%s is listed as an exception and is none", name)
				}
			}
			t.Logf("%s: %d leaves in %d messages, %d exceptions, %d messages over a limit", oracle, leaves, len(messages), len(listed), held)
			if leaves < len(messages) {
				t.Error("the other reader saw next to nothing")
			}
		})
	}
}

const seenException = "seen"

// needs skips the test where the other reader is not at hand.
func needs(t *testing.T, command string) {
	t.Helper()
	args := []string{"-c", "import email"}
	if command == "perl" {
		args = []string{"-MMIME::Parser", "-e", "1"}
	}
	if out, err := exec.CommandContext(t.Context(), command, args...).CombinedOutput(); err != nil {
		t.Skipf("%s %q: %v %s", command, args, err, out)
	}
}

// exceptions reads "oracle name: reason" lines.
func exceptions(t *testing.T, oracle string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/oracle/exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, oracle+" "); ok {
			name, reason, _ := strings.Cut(strings.TrimSpace(rest), ": ")
			if reason == "" || out[name] != "" {
				t.Fatalf("%s: an exception has a name of its own and a reason", line)
			}
			out[name] = reason
		}
	}
	return out
}

// oracleMessages are the published suites, our own letters, and mutants of both.
func oracleMessages(t *testing.T) (names []string, messages [][]byte) {
	t.Helper()
	suites := suitesDir(t)
	for _, dir := range []string{filepath.Join(suites, "mime"), filepath.Join("..", "..", "testdata", "messages")} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || ext != ".eml" && ext != ".raw" && ext != ".msg" {
				return err
			}
			raw, err := os.ReadFile(path)
			rel, _ := filepath.Rel(dir, path) // both are of one root
			names, messages = append(names, filepath.ToSlash(rel)), append(messages, raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(5, 322)) //nolint:gosec // the RFC; the same in each run
	for i, whole := 0, len(messages); i < mutants; i++ {
		if raw := messages[i%whole]; len(raw) <= 32<<10 {
			names, messages = append(names, names[i%whole]+"#"+strconv.Itoa(i)), append(messages, asAccepted(mutant(rng, raw)))
		}
	}
	return names, messages
}

// asAccepted is a message as it comes out of DATA: lines end in CRLF, and there is
// neither a bare CR nor a NUL, which the SMTP server refuses.
func asAccepted(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r"), nil), []byte{0}, nil)
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

// sighted is a leaf as another reader sees it.
type sighted struct {
	name string
	text bool // shown, not offered as a file
	data []byte
}

// askOracle hands messages to another reader and returns what it sees in each.
func askOracle(t *testing.T, messages [][]byte, command ...string) [][]sighted {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	var in bytes.Buffer
	for _, m := range messages {
		in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m))))
		in.Write(m)
	}
	var failed bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", command, err, failed.String())
	}
	r := bufio.NewReader(bytes.NewReader(out))
	number := func() int {
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			t.Fatalf("%q: its answer ends: %v", command, err)
		}
		return int(binary.BigEndian.Uint32(b[:]))
	}
	text := func() []byte {
		b := make([]byte, number())
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatalf("%q: its answer ends: %v", command, err)
		}
		return b
	}
	all := make([][]sighted, len(messages))
	for i := range all {
		for range number() {
			kind := string(text())
			all[i] = append(all[i], sighted{name: string(text()), text: kind == "text", data: text()})
		}
	}
	return all
}

// even is content without what readers disagree about harmlessly: line ends, the space
// before them (RFC 2045 section 6.7 rule 3), what fills the last octets. A "=" goes as
// well: of broken quoted-printable one reading keeps all of them and one drops all, and
// nobody can read all mixtures.
func even(b []byte) string {
	out := make([]byte, 0, len(b))
	for line := range bytes.Lines(bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))) {
		out = append(out, bytes.TrimRight(line, " \t\n")...)
	}
	return strings.TrimRight(strings.ReplaceAll(string(out), "=", ""), "\x00 \t")
}

// union is what the scanners get of a message: each object whole, and all that they read
// as text, for pieces of it.
type union struct {
	root  *msg.Part
	whole map[string]bool
	text  string
}

func unionOf(raw []byte) union {
	u := union{root: Parse(raw, DefaultLimits()), whole: map[string]bool{}}
	var text strings.Builder
	text.WriteString(even(raw) + "\x00")
	look := func(p *msg.Part) {
		key := even(p.Decoded)
		u.whole[key] = true
		text.WriteString(key + "\x00")
	}
	u.root.Walk(look)
	for _, p := range u.root.Others {
		look(p)
	}
	u.text = text.String()
	return u
}

// limited tells whether the gateway says that it has not seen everything: then the letter
// is held, whatever is in it.
func (u union) limited() (yes bool) {
	u.root.Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			yes = yes || Limit(a.Code)
		}
	})
	return yes
}

// has tells whether the scanners get what another reader sees. What it shows as text may
// be a piece of a text of ours, or stand in the message as it is: rules for texts read
// these whole. A file must be an object of its own.
func (u union) has(leaf sighted) bool {
	key := even(leaf.data)
	if key == "" || u.whole[key] {
		return true
	}
	return leaf.text && strings.Contains(u.text, key)
}

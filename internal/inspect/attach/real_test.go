package attach_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive/archivetest"
	"congthu/internal/inspect/attach"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/tomlfile"
)

// real builds congthu-scan from this source.
func real(t *testing.T) string { return build(t) }

func build(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "congthu-scan")
	cmd := exec.Command("go", "build", "-o", bin, "congthu/cmd/congthu-scan")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

func write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "a.yar"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, name string) *msg.Message {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../../testdata/messages", name))
	if err != nil {
		t.Fatal(err)
	}
	return &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
}

func symbols(t *testing.T, p *attach.Pool, m *msg.Message) []string {
	t.Helper()
	fs, _, err := p.Inspector(func(string) bool { return false }).Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range fs {
		out = append(out, f.Symbol)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestRealWorker(t *testing.T) {
	bin := real(t)
	p, err := attach.Start(t.Context(), attach.Options{Worker: bin, Rules: "../../../rules/yara", Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for name, want := range map[string]string{
		"letter.eml":   "",
		"eicar.eml":    "YARA_MALWARE",
		"shortcut.eml": "ATTACH_DOUBLE_EXTENSION ATTACH_LNK",
	} {
		if got := strings.Join(symbols(t, p, stored(t, name)), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Poison: files made to cost the worker its memory or its time. Each is held with the
// limit by its name, and the next letter is looked at by the same worker.
func TestRealWorkerAndBombs(t *testing.T) {
	p, err := attach.Start(t.Context(), attach.Options{Worker: real(t), Rules: "../../../rules/yara", Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"a.rar":  {archivetest.Rar5Bomb(15), "unscannable:dictionary"},
		"b.rar":  {archivetest.Rar5Bomb(19), "unscannable:dictionary"},
		"a.7z":   {archivetest.Seven("\x21", "\x28", []byte{1, 0, 0, 'x', 0}, 8<<30), "unscannable:dictionary"},
		"a.xz":   {archivetest.XZBomb(), "unscannable:dictionary"},
		"a.zst":  {archivetest.ZstdBomb(), "unscannable:dictionary"},
		"a.zip":  {archivetest.ZipOverlapping(1000, 10<<20), "unscannable:ratio"},
		"a.lzma": {archivetest.LZMABomb(), "unscannable:dictionary"},
	} {
		m := letter()
		m.Root = &msg.Part{Path: "1", MediaType: "application/octet-stream", Filename: name, Decoded: c.data}
		began := time.Now()
		fs, _, err := p.Inspector(func(string) bool { return false }).Inspect(t.Context(), m)
		said := slices.ContainsFunc(fs, func(f msg.Finding) bool {
			return f.Symbol == "ATTACH_UNSCANNABLE" && strings.Contains(f.Evidence, c.says)
		})
		if err != nil || !said || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %v %v after %v", name, fs, err, time.Since(began))
		}
		if got := symbols(t, p, letter()); len(got) != 0 {
			t.Errorf("after %s: %v", name, got)
		}
	}
}

func TestReloadTakesNewRulesAndKeepsTheLastGood(t *testing.T) {
	bin, dir := real(t), t.TempDir()
	write(t, dir, `rule a : suspicious { strings: $a = "no such words" condition: $a }`)
	p, err := attach.Start(t.Context(), attach.Options{Worker: bin, Rules: dir, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	m := letter()
	if got := symbols(t, p, m); len(got) != 0 {
		t.Errorf("before: %v", got)
	}
	write(t, dir, `rule a : suspicious { strings: $a = "Subject" condition: $a }`)
	if err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := symbols(t, p, m); !slices.Equal(got, []string{"YARA_SUSPICIOUS"}) {
		t.Errorf("after a reload: %v", got)
	}
	write(t, dir, "rule a : suspicious {\n  condition: nonsense\n}")
	var ps tomlfile.Problems
	if err := p.Reload(t.Context()); !errors.As(err, &ps) || ps[0].Line != 2 || ps[0].File != filepath.Join(dir, "a.yar") {
		t.Errorf("a mistake: %v", err)
	}
	if _, err := attach.CheckRules(t.Context(), attach.Options{Worker: bin, Rules: dir}); !errors.As(err, &ps) || ps[0].Line != 2 {
		t.Errorf("check: %v", err)
	}
	if got := symbols(t, p, m); !slices.Equal(got, []string{"YARA_SUSPICIOUS"}) {
		t.Errorf("after a mistake: %v", got)
	}
}

// A worker that comes after a crash has the rules in use, not those being edited.
func TestFaultWhileRulesAreEdited(t *testing.T) {
	bin, dir := real(t), t.TempDir()
	write(t, dir, `rule a : suspicious { strings: $a = "Subject" condition: $a }`)
	p, err := attach.Start(t.Context(), attach.Options{Worker: bin, Rules: dir, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	write(t, dir, "rule half-written")
	crash(t, bin)
	deadline := time.Now().Add(20 * time.Second)
	for {
		fs, _, err := p.Inspector(func(string) bool { return false }).Inspect(t.Context(), letter())
		if err == nil {
			if len(fs) != 1 || fs[0].Symbol != "YARA_SUSPICIOUS" {
				t.Errorf("found %v", fs)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// crash sends SIGSEGV to every process of that program.
func crash(t *testing.T, bin string) {
	t.Helper()
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is good
	hit := 0
	for _, link := range links {
		if exe, err := os.Readlink(link); err != nil || exe != bin {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err == nil && syscall.Kill(pid, syscall.SIGSEGV) == nil {
			hit++
		}
	}
	if hit == 0 {
		t.Fatal("no worker was found")
	}
}

func TestCheckShippedRules(t *testing.T) {
	if n, err := attach.CheckRules(t.Context(), attach.Options{Worker: real(t), Rules: "../../../rules/yara"}); err != nil || n < 20 {
		t.Error(err)
	}
}

func BenchmarkLetter(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "congthu-scan")
	if out, err := exec.Command("go", "build", "-o", bin, "congthu/cmd/congthu-scan").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	p, err := attach.Start(b.Context(), attach.Options{Worker: bin, Rules: "../../../rules/yara", Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close() })
	raw, err := os.ReadFile("../../../testdata/messages/letter.eml")
	if err != nil {
		b.Fatal(err)
	}
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, _, err := p.Inspector(func(string) bool { return false }).Inspect(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}

package e2e_test

import (
	"bufio"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demo is the command as `make demo` runs it, at the root of the source.
func demo(t *testing.T, bin string, args ...string) *exec.Cmd {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{"demo", "--messages", filepath.Join(root, "testdata/messages"), "--rules", filepath.Join(root, "rules")}, args...)...)
	cmd.Dir = t.TempDir()
	return cmd
}

func TestDemo(t *testing.T) {
	p := build(t)
	for lang, last := range map[string]string{"vi": "Cả 9 lá thư đều đúng như mong đợi.", "en": "All 9 letters met the expected fate."} {
		out, err := demo(t, p.Congthu, "--lang", lang).CombinedOutput()
		if err != nil || strings.Count(string(out), "✓") != 9 || !strings.Contains(string(out), last) {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// `make run` keeps its state: it must start a second time, too.
func TestStayTwice(t *testing.T) {
	p := build(t)
	dir := t.TempDir()
	for range 2 {
		at := loopback(spare(), 1) + ":2525"
		cmd := demo(t, p.Congthu, "--stay", "--listen", at, "--lang", "en")
		cmd.Dir = dir
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if got := greeting(at, 30*time.Second); !strings.HasPrefix(got, "220 ") {
			t.Errorf("greeted with %q", got)
		}
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
	}
}

// greeting waits until somebody greets there.
func greeting(addr string, patience time.Duration) string {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			continue
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // a closed connection fails at the read
		line, _ := bufio.NewReader(conn).ReadString('\n')
		_ = conn.Close()
		return line
	}
	return ""
}

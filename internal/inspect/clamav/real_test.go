package clamav_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/internal/inspect/clamav"
)

// TestRealClamd: Debian's clamd, with one signature of our own and small limits.
func TestRealClamd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a daemon")
	}
	bin := "/usr/sbin/clamd"
	if _, err := os.Stat(bin); err != nil {
		t.Skip("clamd is not installed: make test installs clamav-daemon")
	}
	socket, stop := startClamd(t, bin)
	o := clamav.Options{Address: socket, Timeout: 20 * time.Second}
	long := strings.Repeat("so lieu ", 400<<10/8)
	for name, c := range map[string]struct {
		content, want string
		fails         bool
	}{
		"clean":                {"so lieu", "", false},
		"malware":              {"xx CONGTHU-MAU-THU xx", "MALWARE Vn.Congthu.Mau.UNOFFICIAL 2", false},
		"over StreamMaxLength": {strings.Repeat(long, 4), "", true},
	} {
		got, err := inspect(t, o, letter(c.content))
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %q %v, want %q", name, got, err, c.want)
		}
	}
	version, _, err := clamav.Version(context.Background(), socket)
	if err != nil || !strings.HasPrefix(version, "ClamAV ") {
		t.Errorf("version %q %v", version, err)
	}
	stop()
	if _, err := inspect(t, o, letter("so lieu")); err == nil {
		t.Error("clamd has ended, and a letter is clean")
	}
	if _, _, err := clamav.Version(context.Background(), socket); err == nil {
		t.Error("clamd has ended, and tells its version")
	}
}

// startClamd starts clamd on a socket and waits until it answers.
func startClamd(t *testing.T, bin string) (socket string, stop func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "clamd") // sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "clamd.ctl")
	signature := fmt.Sprintf("Vn.Congthu.Mau:0:*:%x\n", "CONGTHU-MAU-THU")
	config := fmt.Sprintf("Foreground yes\nDatabaseDirectory %s\nTemporaryDirectory %s\nLocalSocket %s\nStreamMaxLength 1M\nMaxThreads 4\nAlertExceedsMax yes\n", dir, dir, socket)
	for name, text := range map[string]string{"mau.ndb": signature, "clamd.conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	cmd := exec.Command(bin, "--config-file="+filepath.Join(dir, "clamd.conf"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	t.Cleanup(stop)
	for range 300 {
		if _, _, err := clamav.Version(t.Context(), socket); err == nil {
			return socket, stop
		}
		select {
		case <-ended:
			t.Fatalf("clamd ended: %s", log.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("clamd does not answer within 30 s")
	return "", nil
}

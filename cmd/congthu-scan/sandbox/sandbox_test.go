package sandbox_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"congthu/cmd/congthu-scan/sandbox"
)

// The test program starts itself again and closes that copy in.
const marker = "CONGTHU_SANDBOX_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(marker) == "" {
		os.Exit(m.Run())
	}
	inside()
}

// inside tries everything that a worker must not be able to do, on many threads, and
// prints what came of it.
func inside() {
	fences, err := sandbox.Enter(sandbox.Limits{Memory: 8 << 30})
	if err != nil {
		panic(err)
	}
	got := map[string]string{"fences": strings.Join(fences, " ")}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 { // goroutines that block in the kernel spread over threads
		all.Go(func() {
			for name, try := range attempts() {
				said := "allowed"
				if err := try(); err != nil {
					said = err.Error()
				}
				mu.Lock()
				if got[name] != "allowed" {
					got[name] = said
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(got) // its reader checks
}

func attempts() map[string]func() error {
	return map[string]func() error{
		"read a file":  func() error { _, err := os.ReadFile("/etc/passwd"); return err },
		"write a file": func() error { return os.WriteFile("/tmp/congthu-sandbox-test", nil, 0o600) },
		"remove":       func() error { return os.Remove("/tmp/congthu-sandbox-none") },
		"network":      func() error { c, err := net.Dial("udp", "127.0.0.1:9"); closeIf(c); return err },
		"run":          func() error { return exec.Command("/bin/true").Run() },
		"exec":         func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"parent":       func() error { _, _, e := unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0); return errno(e) },
		"trace":        func() error { return unix.PtraceAttach(1) },
		"kill":         func() error { return unix.Kill(os.Getpid(), 0) },
		"change user":  func() error { return unix.Setgroups(nil) },
		"limits":       func() error { return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 0, Max: 0}) },
	}
}

func errno(e syscall.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

func closeIf(c net.Conn) {
	if c != nil {
		_ = c.Close() // only opened to see whether it can be
	}
}

func TestTheSandboxHolds(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), marker+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got["fences"] != "rlimit no_new_privs seccomp" {
		t.Errorf("fences: %s", got["fences"])
	}
	for name := range attempts() {
		if said := got[name]; !strings.Contains(said, "operation not permitted") {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// What the attempts try is possible without the sandbox, or the test proves nothing.
func TestTheAttemptsAreReal(t *testing.T) {
	for _, name := range []string{"read a file", "write a file", "network", "run", "parent", "kill"} {
		if err := attempts()[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_ = os.Remove("/tmp/congthu-sandbox-test") // made above
}

package sandbox_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"congthu/cmd/congthu-scan/sandbox"
)

// The test program starts itself again and closes that copy in; the marker says what it
// does then.
const marker = "CONGTHU_SANDBOX_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(marker) {
	case "":
		os.Exit(m.Run())
	case "spin":
		spin()
	case "fill":
		fill()
	case "landlock":
		inside(sandbox.EnterWithoutSeccomp)
	default:
		inside(sandbox.Enter)
	}
}

// spin uses up its CPU time on two threads.
func spin() {
	if _, err := sandbox.Enter(sandbox.Limits{Memory: 1 << 30}); err != nil {
		panic(err)
	}
	purse := &sandbox.Purse{}
	for range 1000 { // many small letters come first
		if err := purse.Fill(0); err != nil {
			panic(err)
		}
	}
	go turn()
	turn()
}

// turns is written so that nobody can tell that turn does nothing.
var turns atomic.Uint64

func turn() {
	for turns.Add(1) != 0 {
	}
}

// fill takes more memory than it may.
func fill() {
	if _, err := sandbox.Enter(sandbox.Limits{Memory: 256 << 20}); err != nil {
		panic(err)
	}
	b := make([]byte, 400<<20)
	for i := range b {
		b[i] = 1
	}
	_, _ = os.Stdout.Write(b[len(b)-1:]) // so that it is not left out
}

// inside tries everything that a worker must not be able to do, on many threads, and
// prints what came of it.
func inside(enter func(sandbox.Limits) ([]string, error)) {
	fences, err := enter(sandbox.Limits{Memory: 1 << 30})
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
		"read a folder": func() error { _, err := os.ReadDir("/etc"); return err },
		"connect":       func() error { c, err := net.Dial("tcp", "127.0.0.1:9"); closeIf(c); return err },
		"listen": func() error {
			var plain net.ListenConfig
			plain.SetMultipathTCP(false) // Landlock knows TCP alone
			l, err := plain.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err == nil {
				_ = l.Close() // only opened to see whether it can be
			}
			return err
		},
		"program of its own": func() error { return exec.Command("/proc/self/exe").Run() },
		"cpu of another": func() error {
			return unix.Prlimit(os.Getppid(), unix.RLIMIT_CPU, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}, nil)
		},
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
	got := closedIn(t, "all")
	if !regexp.MustCompile(`^rlimits no_new_privs landlock abi [1-9][0-9]* seccomp$`).MatchString(got["fences"]) {
		t.Errorf("fences: %s", got["fences"])
	}
	for name := range attempts() {
		if said := got[name]; !strings.Contains(said, "operation not permitted") {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// Landlock holds by itself, on every thread, and so does the limit of file sizes.
func TestLandlockHoldsWithoutSeccomp(t *testing.T) {
	got := closedIn(t, "landlock")
	if strings.Contains(got["fences"], "seccomp") || !strings.Contains(got["fences"], "landlock abi ") {
		t.Errorf("fences: %s", got["fences"])
	}
	for _, name := range []string{"read a file", "read a folder", "write a file", "connect", "listen", "exec", "program of its own"} {
		if said := got[name]; !strings.Contains(said, "permission denied") {
			t.Errorf("%s: %q", name, said)
		}
	}
}

func closedIn(t *testing.T, mode string) map[string]string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), marker+"="+mode)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

// What uses more than its share is ended by the kernel, not by its own good will.
func TestLimitsEndTheProcess(t *testing.T) {
	for _, mode := range []string{"spin", "fill"} {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), marker+"="+mode)
		err := cmd.Run()
		if ctx.Err() != nil || err == nil {
			t.Errorf("%s: %v", mode, err)
		}
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); mode == "spin" && (!ok || ws.Signal() != syscall.SIGXCPU) {
			t.Errorf("%s ended by %v", mode, err)
		}
		cancel()
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

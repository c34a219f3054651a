package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Gateway is one congthu process after the other on one configuration.
type Gateway struct {
	Bin    string
	Config string
	Addr   string   // of its SMTP listener
	Env    []string // added to ours, such as GOMAXPROCS=1
	Wrap   []string // a program that runs it, such as strace with its arguments

	cmd    *exec.Cmd
	exited chan struct{}
	log    log
}

// log collects what the processes print.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to the log, and forgets its beginning when it is long.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > 8<<20 {
		l.b.Next(4 << 20)
	}
	return l.b.Write(p)
}

// Log returns what has been printed so far.
func (g *Gateway) Log() string {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	return g.log.b.String()
}

// ErrEnded says that the process ended before it was ready.
var ErrEnded = errors.New("the gateway ended at its start")

// Start starts the gateway and waits until it greets.
func (g *Gateway) Start() error {
	args := append(append([]string{}, g.Wrap...), g.Bin, "serve", "--config", g.Config)
	g.cmd = exec.Command(args[0], args[1:]...)
	g.cmd.Stdout, g.cmd.Stderr = &g.log, &g.log
	g.cmd.Env = append(append(os.Environ(), "LANG=en_US.UTF-8"), g.Env...)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it does not outlive a test that is killed
	g.cmd.WaitDelay = 5 * time.Second                                    // a scan worker may hold the pipe of a killed gateway for a moment
	if err := g.cmd.Start(); err != nil {
		return err
	}
	g.exited = make(chan struct{})
	go func(c *exec.Cmd, done chan struct{}) {
		_ = c.Wait() // killed, mostly
		close(done)
	}(g.cmd, g.exited)
	return g.ready(60 * time.Second)
}

// ready waits for the greeting.
func (g *Gateway) ready(limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		select {
		case <-g.exited:
			return fmt.Errorf("%w:\n%s", ErrEnded, tail(g.Log(), 2000))
		case <-time.After(10 * time.Millisecond):
		}
		if conn, err := net.DialTimeout("tcp", g.Addr, time.Second); err == nil {
			return conn.Close()
		}
	}
	return errors.New("the gateway does not answer")
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// Alive tells whether the process runs.
func (g *Gateway) Alive() bool {
	select {
	case <-g.exited:
		return false
	default:
		return true
	}
}

// Pid is the gateway's own process id, also when another program runs it.
func (g *Gateway) Pid() int {
	if len(g.Wrap) == 0 {
		return g.cmd.Process.Pid
	}
	text, err := os.ReadFile(filepath.Join(g.dataDir(), "congthu.lock"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0: not known
	return pid
}

var dataDirForm = regexp.MustCompile(`(?m)^data_dir *= *"(.*)"$`)

// dataDir reads where the state lies.
func (g *Gateway) dataDir() string {
	text, err := os.ReadFile(g.Config)
	if err != nil {
		return ""
	}
	if m := dataDirForm.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// Signal sends a signal to the gateway itself.
func (g *Gateway) Signal(s syscall.Signal) {
	if pid := g.Pid(); pid > 1 && g.Alive() {
		_ = syscall.Kill(pid, s) // it may have ended by itself
	}
}

// Kill ends the process at once, without a chance to do anything.
func (g *Gateway) Kill() {
	if g.cmd == nil {
		return
	}
	g.Signal(syscall.SIGKILL)
	select {
	case <-g.exited:
		return
	case <-time.After(2 * time.Second):
	}
	_ = g.cmd.Process.Kill() // what runs it
	<-g.exited
}

// Stop ends the process in good order and returns how long that took.
func (g *Gateway) Stop() (time.Duration, error) {
	began := time.Now()
	g.Signal(syscall.SIGTERM)
	select {
	case <-g.exited:
		return time.Since(began), nil
	case <-time.After(40 * time.Second):
		g.Kill()
		return time.Since(began), errors.New("the gateway did not end within 40 s of SIGTERM")
	}
}

// Command runs an operator's command.
func (g *Gateway) Command(args ...string) (string, error) {
	out, err := exec.Command(g.Bin, append([]string{"--config", g.Config, "--lang", "en"}, args...)...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("congthu %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Kept is one recipient of a letter that the gateway still has.
type Kept struct {
	ID    string `json:"id"`
	To    string `json:"to"`
	State string `json:"state"`
	Reply struct {
		Code int
		Text string
	} `json:"last_reply"`
}

// Queued lists what is in the queue, in whatever state.
func (g *Gateway) Queued() ([]Kept, error) {
	var out []Kept
	return out, g.list(&out, "queue", "list", "--limit", "1000000", "--json")
}

// Held lists the recipients of what is in quarantine.
func (g *Gateway) Held() ([]string, error) {
	var items []struct {
		To []string `json:"to"`
	}
	if err := g.list(&items, "quarantine", "list", "--limit", "1000000", "--json"); err != nil {
		return nil, err
	}
	var out []string
	for _, it := range items {
		out = append(out, it.To...)
	}
	return out, nil
}

func (g *Gateway) list(into any, args ...string) error {
	out, err := g.Command(args...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

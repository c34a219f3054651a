package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/pelletier/go-toml/v2"

	"congthu/internal/dns/fake"
	"congthu/internal/sink"
)

// Programs are the binaries under test, congthu-scan beside congthu.
type Programs struct{ Congthu string }

// Gateway is a running gateway with what stands around it.
type Gateway struct {
	Addr string // of its SMTP listener
	Dir  string
	Sink *sink.Sink

	bin     string
	config  string
	process *exec.Cmd
	exited  chan struct{}
	log     logBuffer
	client  tls.Certificate    // what STARTTLS mine shows
	ring    openpgp.EntityList // secret keys of the case
	heard   *heard
}

// logBuffer collects what the gateway prints.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to the log.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start starts everything and waits until the gateway greets. ip is a loopback address
// that no other gateway has. ctx ends the DNS server and the next hop.
func (p Programs) Start(ctx context.Context, c *Case, dir, rules, ip string) (*Gateway, error) {
	g := &Gateway{Addr: ip + ":2525", Dir: dir, bin: p.Congthu, config: filepath.Join(dir, "congthu.toml"), exited: make(chan struct{})}
	dns, err := serveZone(ctx, ip+":5353", c.Zone)
	if err != nil {
		return nil, err
	}
	hop, err := g.serveSink(ctx, ip+":2600", c.Script, c.listens())
	if err != nil {
		return nil, err
	}
	if err := layRules(filepath.Join(dir, "rules"), rules, c.Rules); err != nil {
		return nil, err
	}
	if err := errors.Join(g.writeCertificates(), writeMessages(dir, c.Messages), writeFiles(dir, c.Files)); err != nil {
		return nil, err
	}
	if err := g.writeConfig(c.Config, dns, hop); err != nil {
		return nil, err
	}
	return g, g.start()
}

// tlsPort is where a case may have a listener that begins with TLS.
func (g *Gateway) tlsPort() string { return strings.TrimSuffix(g.Addr, ":2525") + ":4650" }

func serveZone(ctx context.Context, addr string, zone fake.Zone) (string, error) {
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return "", err
	}
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	go func() { _ = fake.Serve(ctx, udp, tcp, zone) }() // ends with ctx
	return addr, nil
}

func (g *Gateway) serveSink(ctx context.Context, addr string, script *sink.Script, listens bool) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	g.Sink = sink.New(sink.Options{Script: script})
	if listens {
		g.heard = &heard{Listener: l}
		l = g.heard
	}
	go func() { _ = g.Sink.Serve(ctx, l) }() // ends with ctx
	return addr, nil
}

// layRules copies the shipped rules and lays the case's files over them.
func layRules(dir, shipped string, over map[string]string) error {
	if err := os.CopyFS(dir, os.DirFS(shipped)); err != nil {
		return err
	}
	for name, text := range over {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil { // rules/local
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeMessages puts the case's messages where commands can read them.
func writeMessages(dir string, messages map[string][]byte) error {
	for name, raw := range messages {
		if err := os.WriteFile(filepath.Join(dir, name+".eml"), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles puts the case's files where commands can read them.
func writeFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

const baseConfig = `
hostname = "gw.congthu.test"
data_dir = "${DIR}/data"
rules_dir = "${DIR}/rules"
[[listen]]
address = "${SMTP}"
xclient = ["127.0.0.0/8"]
[relay]
networks = ["127.0.0.0/8"]
[[route]]
domains = ["gov.test", "*.gov.test"]
next_hop = "${SINK}"
[dns]
servers = ["${DNS}"]
timeout = "2s"
[scan]
workers = 1
[metrics]
address = ""
[notice]
sender = false
`

func (g *Gateway) writeConfig(over, dns, hop string) error {
	settings := map[string]any{}
	for _, text := range []string{baseConfig, over} {
		text = strings.NewReplacer("${DIR}", g.Dir, "${SMTP}", g.Addr, "${SINK}", hop, "${DNS}", dns, "${CLIENT}", g.fingerprint(), "${TLSPORT}", g.tlsPort(), "${CLAMD}", g.clamdAddr()).Replace(text)
		layer := map[string]any{}
		if err := toml.Unmarshal([]byte(text), &layer); err != nil {
			return fmt.Errorf("config: %w", err)
		}
		lay(settings, layer)
	}
	out, err := toml.Marshal(settings)
	if err != nil {
		return err
	}
	return os.WriteFile(g.config, out, 0o600)
}

// lay puts one table over another; lists are replaced whole.
func lay(under, over map[string]any) {
	for k, v := range over {
		inner, isTable := v.(map[string]any)
		if had, ok := under[k].(map[string]any); ok && isTable {
			lay(had, inner)
			continue
		}
		under[k] = v
	}
}

// start runs `congthu serve`.
func (g *Gateway) start() error {
	g.process = exec.Command(g.bin, "serve", "--config", g.config)
	g.process.Stdout, g.process.Stderr = &g.log, &g.log
	g.process.Env = append(os.Environ(), "LANG=en_US.UTF-8")
	if err := g.process.Start(); err != nil {
		return err
	}
	g.exited = make(chan struct{})
	go func(p *exec.Cmd, done chan struct{}) { _ = p.Wait(); close(done) }(g.process, g.exited)
	for range 600 {
		if conn, err := net.DialTimeout("tcp", g.Addr, time.Second); err == nil {
			return conn.Close()
		}
		select {
		case <-g.exited:
			return fmt.Errorf("the gateway ended at its start:\n%s", g.log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the gateway does not answer within 30 s")
}

// Kill ends the gateway as a power cut would.
func (g *Gateway) Kill() {
	_ = g.process.Process.Kill() // it may have ended
	<-g.exited
}

// Restart kills the gateway and starts it again.
func (g *Gateway) Restart() error {
	g.Kill()
	return g.start()
}

// Stop ends the gateway in good order; one that does not end is killed and reported.
func (g *Gateway) Stop() error {
	_ = g.process.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-g.exited:
		return nil
	case <-time.After(30 * time.Second):
		g.Kill()
		return errors.New("the gateway did not end within 30 s of SIGTERM")
	}
}

// Run runs an operator command against the gateway.
func (g *Gateway) Run(args ...string) (out string, status int, err error) {
	cmd := exec.Command(g.bin, append([]string{"--config", g.config, "--lang", "en"}, args...)...)
	cmd.Dir = g.Dir
	text, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return string(text), ended.ExitCode(), nil
	}
	return string(text), 0, err
}

// workers returns the process ids of the scan workers.
func (g *Gateway) workers() []int {
	var pids []int
	entries, _ := fs.ReadDir(os.DirFS("/proc"), ".") // no /proc: no workers found, and the case fails
	for _, e := range entries {
		var pid, parent int
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if _, err := fmt.Sscanf(e.Name(), "%d", &pid); err != nil {
			continue
		}
		var state string
		if _, err := fmt.Sscan(string(rest), &state, &parent); err == nil && parent == g.process.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Processes returns the process ids of the gateway and of its scan workers.
func (g *Gateway) Processes() []int { return append([]int{g.process.Process.Pid}, g.workers()...) }

// Log returns what the gateway has printed.
func (g *Gateway) Log() string { return g.log.String() }

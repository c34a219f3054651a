package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"congthu/internal/admin"
	"congthu/internal/dns/fake"
	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/rules"
	"congthu/internal/sink"
)

// demoStage is the gateway with what stands around it.
type demoStage struct {
	dir, config, logName string
	messages             string
	smtp                 string // the gateway's address
	sink                 *sink.Sink
	client               *admin.Client
	secretKey            string // file with the key that opens the encrypted letter
	weights              map[string]policy.Weight
	process              *exec.Cmd
	ended                chan error
	cancel               context.CancelFunc
	temporary            bool
	lang                 lang.Lang
}

// raise starts the stand-in, the zone and the gateway, and waits until it answers.
func (c *demoCmd) raise(a *app) (*demoStage, error) {
	ctx, cancel := context.WithCancel(context.Background())
	st := &demoStage{messages: c.Messages, lang: a.lang, ended: make(chan error, 1), cancel: cancel}
	if err := st.prepare(ctx, a, c); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (st *demoStage) prepare(ctx context.Context, a *app, c *demoCmd) error {
	if err := st.makeDir(c.Stay); err != nil {
		return err
	}
	zone, err := st.serveZone(ctx)
	if err != nil {
		return err
	}
	hop, err := st.serveSink(ctx, c.Stay)
	if err != nil {
		return err
	}
	if err := st.writeConfig(c, zone, hop); err != nil {
		return err
	}
	if err := st.readRules(a); err != nil {
		return err
	}
	if err := st.importKey(a); err != nil {
		return err
	}
	return st.start(ctx, a)
}

// makeDir makes the state directory: kept for `make run`, temporary otherwise.
func (st *demoStage) makeDir(stay bool) error {
	var err error
	if stay {
		st.dir, err = filepath.Abs(filepath.Join(".cache", "run"))
		if err == nil {
			err = os.MkdirAll(filepath.Join(st.dir, "delivered"), 0o700)
		}
		return err
	}
	st.temporary = true
	st.dir, err = os.MkdirTemp("", "congthu-demo-")
	return err
}

func (st *demoStage) serveZone(ctx context.Context) (string, error) {
	name := filepath.Join(st.messages, "demo.zone")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fail(exitNoInput, "không đọc được %s; chạy trong thư mục mã nguồn", "cannot read %s; run this in the source directory", name)
	}
	zone, err := fake.ParseZone(string(text))
	if err != nil {
		return "", fail(exitConfig, "%s: %v", "%s: %v", name, err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		return "", err
	}
	go func() { _ = fake.Serve(ctx, udp, tcp, zone) }()
	return tcp.Addr().String(), nil
}

func (st *demoStage) serveSink(ctx context.Context, stay bool) (string, error) {
	o := sink.Options{}
	if stay {
		o.OnDelivery = st.save
	}
	st.sink = sink.New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = st.sink.Serve(ctx, l) }()
	return l.Addr().String(), nil
}

const demoConfig = `# made by congthu demo
hostname = "gw.congthu.test"
data_dir = %q
rules_dir = %q
[[listen]]
address = %q
xclient = ["127.0.0.0/8"]
[relay]
networks = ["127.0.0.0/8"]
[[route]]
domains = ["gov.test", "*.gov.test"]
next_hop = %q
[[route]]
domains = ["*"]
next_hop = %q
[dns]
servers = [%q]
[metrics]
address = ""
`

func (st *demoStage) writeConfig(c *demoCmd, zone, hop string) error {
	st.smtp = c.Listen
	if !c.Stay {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		st.smtp = l.Addr().String()
		_ = l.Close()
	}
	rulesDir, err := filepath.Abs(c.Rules)
	if err != nil {
		return err
	}
	st.config = filepath.Join(st.dir, "congthu.toml")
	data := filepath.Join(st.dir, "data")
	st.client = admin.Dial(filepath.Join(data, "admin.sock"))
	return os.WriteFile(st.config, fmt.Appendf(nil, demoConfig, data, rulesDir, st.smtp, hop, hop, zone), 0o600)
}

func (st *demoStage) readRules(a *app) error {
	a.config = st.config
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	live, err := rules.Open(source(cfg))
	if err != nil {
		return err
	}
	st.weights = live.Get().Policy.Weights.Symbols
	return nil
}

// start runs this same program as `serve` and waits until it greets.
func (st *demoStage) start(ctx context.Context, a *app) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	st.logName = filepath.Join(st.dir, "congthu.log")
	log, err := os.OpenFile(st.logName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self, "serve", "--config", st.config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	st.process = cmd
	go func() { st.ended <- cmd.Wait() }()
	return st.await(ctx, a)
}

func (st *demoStage) await(ctx context.Context, a *app) error {
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case err := <-st.ended:
			st.process = nil
			text, _ := os.ReadFile(st.logName)
			fmt.Fprint(a.stderr, string(text))
			return fail(exitUnavailable, "cổng thư không khởi động được: %v", "the gateway did not start: %v", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		if conn, err := net.DialTimeout("tcp", st.smtp, time.Second); err == nil {
			_ = conn.Close()
			return nil
		}
	}
	return fail(exitUnavailable, "cổng thư không trả lời ở %s", "the gateway does not answer on %s", st.smtp)
}

// close ends the gateway in good order and removes what was temporary.
func (st *demoStage) close() {
	if st.process != nil {
		_ = st.process.Process.Signal(syscall.SIGTERM)
		select {
		case <-st.ended:
		case <-time.After(40 * time.Second):
			_ = st.process.Process.Kill()
		}
	}
	st.cancel()
	if st.temporary && st.dir != "" {
		if err := os.RemoveAll(st.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			fmt.Fprintln(os.Stderr, "congthu demo:", err)
		}
	}
}

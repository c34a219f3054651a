package attach_test

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/internal/inspect/attach"
	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// The test program is also a worker that misbehaves: mode says how. The state file is
// how workers that follow each other know what has been.
const (
	modeVar  = "CONGTHU_TEST_WORKER"
	stateVar = "CONGTHU_TEST_STATE"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVar); mode != "" {
		if len(os.Args) > 1 { // it is asked to compile
			_, _ = os.Stdout.WriteString(`{"rules":1,"digest":"none"}`)
			return
		}
		fakeWorker(mode)
		return
	}
	os.Exit(m.Run())
}

func fakeWorker(mode string) {
	conn, err := net.FileConn(os.NewFile(3, "daemon"))
	if err != nil {
		os.Exit(64)
	}
	switch mode {
	case "no-start":
		os.Exit(70)
	case "silent-start":
		time.Sleep(time.Minute)
	case "answers-first":
		_ = scanproto.WriteAnswer(conn, &scanproto.Answer{ID: 1})
	default:
		_ = scanproto.WriteAnswer(conn, &scanproto.Answer{Ready: &scanproto.Ready{Rules: 1}})
	}
	view, err := scanproto.MapTray(os.NewFile(5, "objects"))
	if err != nil {
		os.Exit(64)
	}
	if mode == "all-deaf" || mode == "deaf" && first() {
		peek()
		os.Exit(70)
	}
	for {
		r, err := scanproto.ReadRequest(conn, view)
		if err != nil {
			return
		}
		misbehave(mode, conn, r)
		if mode == "leaves" {
			os.Exit(70)
		}
	}
}

// first tells the first of the workers that follow each other.
func first() bool {
	_, err := os.Stat(os.Getenv(stateVar))
	_ = os.WriteFile(os.Getenv(stateVar), nil, 0o600)
	return err != nil
}

// peek waits until a request has come, and does not read it.
func peek() {
	for {
		if n, _, err := syscall.Recvfrom(3, make([]byte, 1), syscall.MSG_PEEK); err == nil && n > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// misbehave once in all: the worker that follows is good.
func misbehave(mode string, conn net.Conn, r *scanproto.Request) {
	for _, o := range r.Objects {
		if mode == "poison" && strings.Contains(string(o.Data), "POISON") {
			panic("poison")
		}
	}
	good := &scanproto.Answer{ID: r.ID, Findings: []scanproto.Finding{{Symbol: "ATTACH_LNK", Evidence: "a.lnk", Part: "1"}}}
	if mode == "never" {
		good.Error = "yara: error 46"
		_ = scanproto.WriteAnswer(conn, good)
		return
	}
	state := os.Getenv(stateVar)
	if _, err := os.Stat(state); err == nil {
		_ = scanproto.WriteAnswer(conn, good)
		return
	}
	_ = os.WriteFile(state, nil, 0o600)
	switch mode {
	case "crash":
		panic("crash: " + strings.Repeat("x", 100))
	case "exit":
		os.Exit(0)
	case "hang":
		select {}
	case "garbage":
		_, _ = conn.Write([]byte(strings.Repeat("garbage ", 100)))
	case "half":
		_, _ = conn.Write([]byte("CTS2\x00\x00"))
		os.Exit(0)
	case "huge":
		_, _ = conn.Write([]byte("CTS2\xff\xff\xff\xff"))
	case "wrong-id":
		good.ID += 7
		_ = scanproto.WriteAnswer(conn, good)
	case "unknown-symbol":
		good.Findings[0].Symbol = "SPF_PASS"
		_ = scanproto.WriteAnswer(conn, good)
	case "retire":
		good.Retire = true
		_ = scanproto.WriteAnswer(conn, good)
		select {}
	case "could-not":
		good.Error = "yara: timeout"
		_ = scanproto.WriteAnswer(conn, good)
	default:
		_ = scanproto.WriteAnswer(conn, good)
	}
}

// fake starts a pool of one misbehaving worker.
func fake(t *testing.T, mode string) (*attach.Pool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := attach.Start(ctx, attach.Options{
		Worker: os.Args[0], Rules: t.TempDir(), Workers: 1, Timeout: 300 * time.Millisecond,
		Env: []string{modeVar + "=" + mode, stateVar + "=" + t.TempDir() + "/state"},
	})
	if err == nil {
		t.Cleanup(func() { _ = p.Close() })
	}
	return p, err
}

func letter() *msg.Message {
	raw := []byte("Subject: x\r\n\r\ntext\r\n")
	return &msg.Message{Raw: raw, Root: &msg.Part{Path: "0", MediaType: "text/plain", Decoded: raw[14:]}}
}

func look(t *testing.T, p *attach.Pool, wait time.Duration) ([]msg.Finding, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	f, _, err := p.Inspector(func(t string) bool { return t == "rar" }).Inspect(ctx, letter())
	return f, err
}

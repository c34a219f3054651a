package attach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"congthu/internal/scanproto"
)

const (
	compileTime = 2 * time.Minute  // for the rules, which may be thousands
	startTime   = 30 * time.Second // to read the compiled rules and to close itself in
	endTime     = 2 * time.Second  // from the end of the socket to the end of the process
	grace       = 3 * time.Second  // beyond the time that the worker was given itself
)

// worker is one congthu-scan process.
type worker struct {
	cmd    *exec.Cmd
	conn   net.Conn
	tray   *scanproto.Tray
	exited chan struct{}
	fences []string // that stand around it
	lastID uint64
}

// startWorker returns when the worker has the rules and has closed itself in.
func startWorker(ctx context.Context, o Options, rules *compiled) (*worker, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() //nolint:errcheck // the worker has its own copy
	tray, reader, err := scanproto.NewTray()
	if err != nil {
		_ = ours.Close() // nothing was sent
		return nil, fmt.Errorf("attach: start scan worker: %w", err)
	}
	defer reader.Close() //nolint:errcheck // the worker has its own copy
	cmd, fences, err := spawn(o, theirs, rules.file, reader)
	if err != nil {
		_, _ = ours.Close(), tray.Close() // nothing was sent
		return nil, fmt.Errorf("attach: start scan worker: %w", err)
	}
	w := &worker{cmd: cmd, conn: ours, tray: tray, fences: fences, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // a bad end shows on the socket
		close(w.exited)
	}()
	if err := w.ready(ctx, o); err != nil {
		w.kill()
		return nil, err
	}
	return w, nil
}

func socketPair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("attach: socket: %w", err)
	}
	f := os.NewFile(uintptr(fds[0]), "worker")
	defer f.Close() //nolint:errcheck // net.FileConn has its own copy
	theirs = os.NewFile(uintptr(fds[1]), "daemon")
	if ours, err = net.FileConn(f); err != nil {
		_ = theirs.Close() // unused
		return nil, nil, fmt.Errorf("attach: socket: %w", err)
	}
	return ours, theirs, nil
}

func (w *worker) ready(ctx context.Context, o Options) error {
	stop := w.limit(ctx, startTime)
	defer stop()
	a, err := scanproto.ReadAnswer(w.conn)
	if err != nil {
		return fmt.Errorf("attach: the scan worker does not get ready: %w", err)
	}
	if a.Ready == nil {
		return fmt.Errorf("attach: the scan worker answers before it is asked")
	}
	w.fences = append(a.Ready.Sandbox, w.fences...)
	if missing := scanproto.Missing(w.fences); len(missing) > 0 {
		if o.Strict {
			return weak(missing)
		}
		o.Log.Warn("scan worker lacks fences that this kernel or container does not give", "pid", w.pid(), "missing", strings.Join(missing, ", "))
	}
	o.Log.Info("scan worker is ready", "pid", w.pid(), "rules", a.Ready.Rules, "sandbox", strings.Join(w.fences, ", "))
	return nil
}

// errDead says that the worker was gone before it had taken the request: nothing of the
// message was looked at, and its end is not the message's fault.
var errDead = errors.New("the scan worker was gone before it was asked")

// untaken tells whether the worker ended without having read the request to its end. The
// kernel knows: writing to a socket whose other end is closed is EPIPE, and reading from
// one that was closed over octets that nobody had read is ECONNRESET (unix(7)); after an
// end at work there is just nothing more to read.
func untaken(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// ask sends the request and waits for its answer.
func (w *worker) ask(ctx context.Context, r *scanproto.Request, timeout time.Duration) (*scanproto.Answer, error) {
	w.lastID++
	r.ID, r.TimeoutMS = w.lastID, timeout.Milliseconds()
	stop := w.limit(ctx, timeout+grace)
	defer stop()
	if err := scanproto.WriteRequest(w.conn, w.tray, r); untaken(err) {
		return nil, errDead
	} else if err != nil {
		return nil, fmt.Errorf("attach: ask scan worker: %w", err)
	}
	a, err := scanproto.ReadAnswer(w.conn)
	if untaken(err) {
		return nil, errDead
	}
	if err != nil {
		return nil, fmt.Errorf("attach: scan worker: %w", err)
	}
	if a.ID != r.ID {
		return nil, fmt.Errorf("attach: scan worker answers request %d instead of %d", a.ID, r.ID)
	}
	return a, w.tray.Clear()
}

// limit bounds the next words on the socket by time and context. A worker for which
// the limit was reached is out of step and is not used again.
func (w *worker) limit(ctx context.Context, d time.Duration) (stop func()) {
	_ = w.conn.SetDeadline(time.Now().Add(d)) // a closed socket fails at the next word
	unhook := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { unhook() }
}

func (w *worker) pid() int { return w.cmd.Process.Pid }

func (w *worker) kill() {
	_ = w.cmd.Process.Kill() // it may be gone
	_, _ = w.conn.Close(), w.tray.Close()
	<-w.exited
}

// end closes the socket, at which an idle worker ends by itself.
func (w *worker) end() {
	_, _ = w.conn.Close(), w.tray.Close() // nothing is under way
	select {
	case <-w.exited:
	case <-time.After(endTime):
		w.kill()
	}
}

// logWriter logs what a worker prints, which nobody trusts: a bounded number of
// bounded lines.
type logWriter struct {
	log   *slog.Logger
	lines int
}

// Write logs each line. It never fails.
func (l *logWriter) Write(p []byte) (int, error) {
	const mostLines, longest = 200, 300
	for line := range bytes.Lines(p) {
		if l.lines++; l.lines > mostLines {
			break
		}
		l.log.Warn("scan worker says", "text", string(line[:min(len(line), longest)]))
	}
	return len(p), nil
}

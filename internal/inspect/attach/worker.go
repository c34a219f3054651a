package attach

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// firstWords is what is read of an answer with one call, in octets: most have fewer.
const firstWords = 4 << 10

// worker is one congthu-scan process.
type worker struct {
	cmd    *exec.Cmd
	conn   *line
	words  *bufio.Reader // what comes over it
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
	w := &worker{cmd: cmd, conn: ours, words: bufio.NewReaderSize(ours, firstWords), tray: tray, fences: fences, exited: make(chan struct{})}
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

func (w *worker) ready(ctx context.Context, o Options) error {
	inTime := w.limit(ctx, startTime)
	a, err := scanproto.ReadAnswer(w.words)
	if !inTime() {
		err = context.Cause(ctx)
	}
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
	inTime := w.limit(ctx, timeout+grace)
	a, err := w.talk(r)
	if !inTime() {
		return nil, fmt.Errorf("attach: scan worker: %w", context.Cause(ctx))
	}
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

func (w *worker) talk(r *scanproto.Request) (*scanproto.Answer, error) {
	if err := scanproto.WriteRequest(w.conn, w.tray, r); err != nil {
		return nil, err
	}
	return scanproto.ReadAnswer(w.words)
}

// limit bounds the next words on the line by time and context; inTime ends that, and tells
// whether the context did not end before. If it did, the line is cut: the worker is out of
// step and is not used again.
func (w *worker) limit(ctx context.Context, d time.Duration) (inTime func() bool) {
	w.conn.until = time.Now().Add(d)
	return context.AfterFunc(ctx, w.conn.cut)
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

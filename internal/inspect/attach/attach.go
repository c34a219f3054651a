// Package attach is the daemon's side of the scan: it hands each message to a
// congthu-scan process and takes its facts back. It opens nothing itself.
//
// Nothing that a worker does can cost a message: a crash, a hang, an end, an answer
// to another question, or no answer at all is an error ("could not look"), and the
// worker is replaced by a fresh one. The rules are compiled once, when they are taken into
// use; every worker starts from that, whatever somebody is editing meanwhile. A message
// that brings down its worker twice is held (see suspects), not deferred for ever.
package attach

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// Options say which workers to run.
type Options struct {
	Worker  string        // path of congthu-scan
	Rules   string        // directory of *.yar files
	Extra   string        // directory of rules of others; "": none
	Workers int           // 0: one for each core
	Timeout time.Duration // for one message; 0: 30 s
	Log     *slog.Logger  // nil: nowhere
	Strict  bool          // do not start where a fence around the workers is missing
	Env     []string      // added to the workers' empty environment
	// Links judges where attachments and codes in pictures lead to; nil: nobody does.
	Links func(ctx context.Context, m *msg.Message, found []Link) []msg.Finding
}

// Link is where something inside an attachment leads its reader to. All of it but How
// and Part is the sender's text.
type Link struct {
	URL  string
	Text string // what the reader sees in its place; "" where that is not known
	How  string // in what it stood: "pdf", "office", "html" …, "qr" for a code in a picture
	Path string // the file and the containers around it, outermost first
	Part string // path of the part in the message
}

// What this package itself finds out about a message: that workers failed at it.
const (
	Crash = "SCAN_CRASH" // the worker crashed, hung or talked nonsense
	Error = "SCAN_ERROR" // the worker said that it could not look
)

// Symbols are all that this inspector reports.
func Symbols() []string { return append(reported(), Crash, Error, FileType) }

// reported are all that a worker may report; anything else is a bad answer.
func reported() []string {
	return []string{
		"YARA_MALWARE", "YARA_SUSPICIOUS", "YARA_HOLD", "YARA_REJECT", "YARA_EXTRA_MALWARE", "YARA_EXTRA_SUSPICIOUS",
		"ATTACH_EXECUTABLE", "ATTACH_SCRIPT", "ATTACH_LNK", "ATTACH_MACRO",
		"ATTACH_DOUBLE_EXTENSION", "ATTACH_TYPE_MISMATCH", "ATTACH_ENCRYPTED", "ATTACH_UNSCANNABLE",
		"ATTACH_NAME_TRICK", "ATTACH_HTML", "ATTACH_ISO", "ATTACH_ARCHIVE_CONFLICT", "ATTACH_ARCHIVE_SPECIAL",
		"ATTACH_PASSWORD_GIVEN",
		"ATTACH_MACRO_AUTORUN", "ATTACH_MACRO_CALLS", "ATTACH_DDE", "ATTACH_EXTERNAL", "ATTACH_ACTIVEX", "ATTACH_EXPLOIT",
		"ATTACH_EMBEDDED", "ATTACH_PDF_SCRIPT", "ATTACH_PDF_LAUNCH", "ATTACH_PDF_RICH", "ATTACH_PDF_XFA", "ATTACH_SCRIPT_ENCODED", "ATTACH_HTML_SMUGGLING",
		"ATTACH_SVG_ACTIVE", "ATTACH_XML_ENTITIES", "ATTACH_LINKS_MANY", "ATTACH_PICTURE_UNREAD",
	}
}

// ErrClosed says that the pool was closed.
var ErrClosed = errors.New("attach: closed")

// Pool is a set of workers.
type Pool struct {
	opt       Options
	reloading sync.Mutex
	mu        sync.Mutex
	gen       *generation // nil once closed
	suspects  suspects
}

// Start compiles the rules, starts the workers and waits until each is ready. The error is
// tomlfile.Problems when the rules have mistakes.
func Start(ctx context.Context, o Options) (*Pool, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	gen, err := newGeneration(ctx, o, nil)
	if err != nil {
		return nil, err
	}
	return &Pool{opt: o, gen: gen}, nil
}

// Reload compiles the rules as they are now, starts workers with them and lets them take
// over. When it fails, the workers with the last good rules go on. Reloads wait for each
// other.
func (p *Pool) Reload(ctx context.Context) error { return p.ReloadFrom(ctx, p.opt.Rules) }

// ReloadFrom is Reload with the rules of another directory, which must stay there as long
// as they are in use.
func (p *Pool) ReloadFrom(ctx context.Context, dir string) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	before, err := p.current()
	if err != nil {
		return err
	}
	o := p.opt
	o.Rules = dir
	fresh, err := newGeneration(ctx, o, before)
	if err != nil {
		return err
	}
	p.mu.Lock()
	old := p.gen
	if old != nil {
		p.gen = fresh
	}
	p.mu.Unlock()
	if old == nil {
		fresh.close()
		return ErrClosed
	}
	old.close()
	return nil
}

// Close ends the workers and waits for those that are at work.
func (p *Pool) Close() error {
	p.mu.Lock()
	old := p.gen
	p.gen = nil
	p.mu.Unlock()
	if old == nil {
		return nil
	}
	old.close()
	select {
	case <-old.gone:
		return nil
	case <-time.After(p.opt.Timeout + grace):
		return errors.New("attach: scan workers are still at work")
	}
}

func (p *Pool) current() (*generation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gen == nil {
		return nil, ErrClosed
	}
	return p.gen, nil
}

// errNotAsked says that no worker has seen the request.
var errNotAsked = errors.New("attach: no worker was asked")

// ask lets a worker look. One that turns out to be gone before it had the request has cost
// nothing: the next one is waited for.
func (p *Pool) ask(ctx context.Context, r *scanproto.Request) (*scanproto.Answer, error) {
	const most = 5 // workers that end as fast as they come are a trouble of their own
	for range most {
		gen, w, err := p.borrow(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNotAsked, err)
		}
		a, err := gen.ask(ctx, w, r)
		if !errors.Is(err, errDead) {
			return a, err
		}
	}
	return nil, fmt.Errorf("%w: %w, %d times", errNotAsked, errDead, most)
}

// borrow waits for a free worker. A generation that a reload has just closed is left
// for the one that follows it.
func (p *Pool) borrow(ctx context.Context) (*generation, *worker, error) {
	for {
		gen, err := p.current()
		if err != nil {
			return nil, nil, err
		}
		select {
		case w := <-gen.idle:
			return gen, w, nil
		case <-gen.closed:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("attach: no worker was free: %w", ctx.Err())
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
}

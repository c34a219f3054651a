// Package archive opens archives within limits and hands out every member that any
// reader could find in them: a zip's directory and its local headers may tell two
// stories, and both are told. Members stay in memory: no name of theirs is ever a
// name of ours.
//
// What cannot be opened is said, never passed over: a password, an unknown method, a
// limit, a damaged stream, a volume of several.
package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits bound what the archives of one message may cost.
type Limits struct {
	Depth      int           // archives inside each other
	Entries    int           // members in all
	Bytes      int64         // octets out in all
	Member     int64         // octets of one member, which is held in memory
	Ratio      int64         // octets out for each octet in, of one archive,
	RatioFrom  int64         // judged only beyond so many octets out
	Dictionary int64         // octets of memory that a decompressor may ask for
	Trying     time.Duration // with passwords, in all; one try ends when it ends
}

// DefaultLimits are those of the documentation.
func DefaultLimits() Limits {
	return Limits{
		Depth: 5, Entries: 10000, Bytes: 500 << 20, Member: 128 << 20, Ratio: 200, RatioFrom: 10 << 20,
		Dictionary: 256 << 20, Trying: 5 * time.Second,
	}
}

// Trouble is why a member, or the archive, was not wholly read, or is not to be
// believed.
type Trouble byte

// The troubles.
const (
	Limit     Trouble = iota + 1 // a limit was reached; the evidence begins with its name
	Damaged                      // the stream is cut or broken
	Method                       // compressed in a way that is not opened here
	Encrypted                    // needs a password that is not known
	Conflict                     // two readers see two archives
	Volumes                      // one of several files that are an archive only together
	Unlocked                     // a password was needed, and one of those at hand was right
)

// Remark is a trouble with what was seen.
type Remark struct {
	Trouble  Trouble
	Evidence string // untrusted
}

// Member is one file of an archive. Data is nil when it could not be read; the name
// is worth a look even then.
type Member struct {
	Name    string // as in the archive; untrusted
	Data    []byte
	Special string // what it is instead of a file: a link with its target, a device
}

// Budget is what is left of the limits for one message.
type Budget struct {
	Limits
	// Passwords are those to try, the likeliest first; asked for only when an archive
	// needs one. nil: none.
	Passwords func() []string

	ctx     context.Context //nolint:containedctx // a budget lives as long as one request
	entries int
	bytes   int64
	tried   time.Duration
	right   []string // passwords that opened something
}

// NewBudget starts a message's budget. Reading stops when ctx ends.
func NewBudget(ctx context.Context, l Limits) *Budget { return &Budget{Limits: l, ctx: ctx} }

// Visit takes a member. It may open it in turn.
type Visit func(Member)

// opening is one archive being read.
type opening struct {
	*Budget
	in      int64 // its size
	out     int64 // what came out of it
	visit   Visit
	remarks []Remark
	doubts  int // remarks of damage and conflict, those not kept included
}

// within reads an archive. A reader that panics has met what its author did not think
// of: the archive is damaged, the worker goes on.
func (b *Budget) within(data []byte, visit Visit, read func(*opening)) []Remark {
	o := &opening{Budget: b, in: int64(len(data)), visit: visit}
	func() {
		defer func() {
			if p := recover(); p != nil {
				o.remark(Damaged, "the reader failed: %v", p)
			}
		}()
		read(o)
	}()
	return o.remarks
}

func (o *opening) remark(t Trouble, format string, args ...any) {
	const most = 50 // of one archive: more say nothing new
	if t == Damaged || t == Conflict {
		o.doubts++
	}
	if len(o.remarks) < most || !o.said(t) {
		o.remarks = append(o.remarks, Remark{t, fmt.Sprintf(format, args...)})
	}
}

func (o *opening) said(t Trouble) bool {
	for _, r := range o.remarks {
		if r.Trouble == t {
			return true
		}
	}
	return false
}

// errLimit ends the reading of an archive; the remark is made by then.
var errLimit = errors.New("archive: limit")

// enter counts a member.
func (o *opening) enter() error {
	if err := o.ctx.Err(); err != nil {
		o.remark(Limit, "time")
		return err
	}
	if o.entries++; o.entries > o.Entries {
		o.remark(Limit, "entries: over %d", o.Entries)
		return errLimit
	}
	return nil
}

// read reads a member within every limit. What was read before an error is returned
// with it: half a program is worth a look, too.
func (o *opening) read(name string, r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	r = &moving{r: r}
	for {
		n, err := io.CopyN(&b, r, 1<<20)
		o.bytes += n
		o.out += n
		switch {
		case err == io.EOF: //nolint:errorlint // bare: a wrapped one is an end where none should be
			return b.Bytes(), nil
		case err != nil:
			o.trouble(name, err)
			return b.Bytes(), nil
		case o.over(name, int64(b.Len())):
			return b.Bytes(), errLimit
		}
	}
}

// moving ends a reader that gives neither octets nor an error: who copies from it would ask
// for ever.
type moving struct {
	r    io.Reader
	idle int // such answers in a row
}

const mostIdle = 100 // as bufio has it

// Read implements io.Reader.
func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 || err != nil || len(p) == 0 {
		m.idle = 0
		return n, err
	}
	if m.idle++; m.idle > mostIdle {
		return 0, io.ErrNoProgress
	}
	return 0, nil
}

func (o *opening) over(name string, size int64) bool {
	switch {
	case o.ctx.Err() != nil:
		o.remark(Limit, "time")
	case o.bytes > o.Bytes:
		o.remark(Limit, "bytes: over %d MiB in all", o.Bytes>>20)
	case size > o.Member:
		o.remark(Limit, "bytes: %s is over %d MiB", name, o.Member>>20)
	case o.out > o.RatioFrom && o.out > o.Ratio*o.in:
		o.remark(Limit, "ratio: %s is over %d times its size", name, o.Ratio)
	default:
		return false
	}
	return true
}

// trouble remarks an error of a reader.
func (o *opening) trouble(name string, err error) {
	if errors.Is(err, errDictionary) {
		o.remark(Limit, "dictionary: %s asks for over %d MiB", name, o.Dictionary>>20)
		return
	}
	if errors.Is(err, errSevenCount) {
		o.remark(Limit, "entries: %v", err)
		return
	}
	o.remark(Damaged, "%s: %v", name, err)
}

// errDictionary says that a decompressor would need more memory than it may have.
var errDictionary = errors.New("archive: dictionary over the limit")

// take reads a member and hands it out. The error says that the archive must not be
// read any further.
func (o *opening) take(m Member, r io.Reader) (err error) {
	if err := o.enter(); err != nil {
		return err
	}
	m.Data, err = o.read(m.Name, r)
	o.visit(m)
	return err
}

// give hands out a member that is already in memory, and counts it.
func (o *opening) give(m Member) error {
	if err := o.enter(); err != nil {
		return err
	}
	o.bytes += int64(len(m.Data))
	o.out += int64(len(m.Data))
	o.visit(m)
	if o.over(m.Name, int64(len(m.Data))) {
		return errLimit
	}
	return nil
}

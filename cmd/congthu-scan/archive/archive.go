// Package archive opens zip, gzip, bzip2 and tar files within limits and hands out
// every member that any reader could find in them: a zip's directory and its local
// headers may tell two stories, and both are told.
//
// What cannot be opened is said, never passed over: a password, an unknown method, a
// limit, a damaged stream.
package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Limits bound what the archives of one message may cost.
type Limits struct {
	Depth     int   // archives inside each other
	Entries   int   // members in all
	Bytes     int64 // octets out in all
	Member    int64 // octets of one member, which is held in memory
	Ratio     int64 // octets out for each octet in, of one archive,
	RatioFrom int64 // judged only beyond so many octets out
}

// DefaultLimits are those of the documentation.
func DefaultLimits() Limits {
	return Limits{Depth: 5, Entries: 10000, Bytes: 500 << 20, Member: 128 << 20, Ratio: 200, RatioFrom: 10 << 20}
}

// Trouble is why a member, or the archive, was not wholly read, or is not to be
// believed.
type Trouble byte

// The troubles.
const (
	Limit     Trouble = iota + 1 // a limit was reached
	Damaged                      // the stream is cut or broken
	Method                       // compressed in a way that is not opened here
	Encrypted                    // needs a password
	Conflict                     // two readers see two archives
)

// Remark is a trouble with what was seen.
type Remark struct {
	Trouble  Trouble
	Evidence string // untrusted
}

// Member is one file of an archive. Data is nil when it could not be read; the name
// is worth a look even then.
type Member struct {
	Name string // as in the archive; untrusted
	Data []byte
}

// Budget is what is left of the limits for one message.
type Budget struct {
	Limits
	ctx     context.Context //nolint:containedctx // a budget lives as long as one request
	entries int
	bytes   int64
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
}

func (b *Budget) open(data []byte, visit Visit) *opening {
	return &opening{Budget: b, in: int64(len(data)), visit: visit}
}

func (o *opening) remark(t Trouble, format string, args ...any) {
	const most = 50 // of one archive: more say nothing new
	if len(o.remarks) < most {
		o.remarks = append(o.remarks, Remark{t, fmt.Sprintf(format, args...)})
	}
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
		o.remark(Limit, "%d entries", o.Entries)
		return errLimit
	}
	return nil
}

// read reads a member within every limit. What was read before an error is returned
// with it: half a program is worth a look, too.
func (o *opening) read(name string, r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	for {
		n, err := io.CopyN(&b, r, 1<<20)
		o.bytes += n
		o.out += n
		switch {
		case errors.Is(err, io.EOF):
			return b.Bytes(), nil
		case err != nil:
			o.remark(Damaged, "%s: %v", name, err)
			return b.Bytes(), nil
		case o.over(name, int64(b.Len())):
			return b.Bytes(), errLimit
		}
	}
}

func (o *opening) over(name string, size int64) bool {
	switch {
	case o.ctx.Err() != nil:
		o.remark(Limit, "time")
	case o.bytes > o.Bytes:
		o.remark(Limit, "%d MiB in all", o.Bytes>>20)
	case size > o.Member:
		o.remark(Limit, "%s: over %d MiB", name, o.Member>>20)
	case o.out > o.RatioFrom && o.out > o.Ratio*o.in:
		o.remark(Limit, "%s: over %d times its size", name, o.Ratio)
	default:
		return false
	}
	return true
}

// take reads a member and hands it out. The error says that the archive must not be
// read any further.
func (o *opening) take(name string, r io.Reader) error {
	if err := o.enter(); err != nil {
		return err
	}
	data, err := o.read(name, r)
	o.visit(Member{name, data})
	return err
}

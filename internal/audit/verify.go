package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"congthu/internal/lang"
	"congthu/internal/store"
)

// Report is what Verify has seen.
type Report struct {
	Entries int64  `json:"entries"`
	First   int64  `json:"first"` // number of the first entry that is kept
	Last    int64  `json:"last"`
	Hash    string `json:"hash"`             // of the last
	Marks   bool   `json:"marks"`            // the marks of the data key were looked at
	Broken  *Fault `json:"broken,omitempty"` // where it is broken first; nil: it is whole
}

// Fault is where a chain is broken, and how.
type Fault struct {
	N    int64     `json:"n"`
	What lang.Text `json:"what"`
}

func fault(n int64, vi, en string) *Fault { return &Fault{n, lang.T(vi, en)} }

// Verify goes through the whole chain. An error means that it could not; what is wrong
// with the chain itself is in the report.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	c := checker{marked: func(at link, mark string) error { return l.o.Store.Marked(use, at.octets(), mark) }}
	var head link
	anchor, err := l.readAnchor()
	if err != nil {
		return Report{}, err
	}
	c.anchor = anchor
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT n, hash FROM audit_head WHERE one = 1`).Scan(&head.N, &head.Hash)
	})
	if err == nil {
		err = l.each(ctx, c.next)
	}
	if err != nil {
		return c.r, fmt.Errorf("audit: verify: %w", err)
	}
	if c.r.Last < head.N || c.r.Last == head.N && c.r.Hash != head.Hash {
		c.note(fault(c.r.Last+1, "các mục cuối đã bị xoá", "the last entries were taken away"))
	}
	c.end()
	return c.r, nil
}

func (l *Log) readAnchor() (link, error) {
	if l.o.Anchor == "" {
		return link{}, nil
	}
	return readAnchor(l.o.Anchor)
}

// VerifyExport goes through what Export wrote, without the database and its key: the
// hashes are looked at, the marks are not. wantN and wantHash, if given, are an entry
// that must be in it, such as the last one of an earlier look.
func VerifyExport(r io.Reader, wantN int64, wantHash string) (Report, error) {
	c := checker{anchor: link{wantN, wantHash}}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), 4<<20)
	line := 0
	for in.Scan() {
		line++
		var one row
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			return c.r, fmt.Errorf("audit: line %d is no entry of an export: %w", line, err)
		}
		if err := c.next(one); err != nil {
			return c.r, err
		}
	}
	if err := in.Err(); err != nil {
		return c.r, fmt.Errorf("audit: read: %w", err)
	}
	if !c.began {
		return c.r, errors.New("audit: this is no export: it does not say where the chain begins")
	}
	c.end()
	return c.r, nil
}

// checker follows the chain and notes the first fault.
type checker struct {
	r      Report
	began  bool
	marked func(link, string) error // nil: the key is not at hand
	anchor link                     // that must be on the way
	met    bool
}

func (c *checker) note(f *Fault) {
	if c.r.Broken == nil {
		c.r.Broken = f
	}
}

func (c *checker) next(r row) error {
	if !c.began {
		return c.begin(r)
	}
	c.r.Entries++
	var e Entry
	switch {
	case r.N != c.r.Last+1:
		c.note(fault(c.r.Last+1, "thiếu một mục, hoặc các mục bị đổi chỗ", "an entry is missing, or entries change places"))
	case r.Hash != hash(c.r.Hash, []byte(r.Entry)):
		c.note(fault(r.N, "mục này, hoặc mục trước nó, đã bị sửa", "this entry, or the one before it, was altered"))
	case json.Unmarshal([]byte(r.Entry), &e) != nil || e.N != r.N:
		c.note(fault(r.N, "mục này mang số khác", "this entry bears another number"))
	}
	c.r.Last, c.r.Hash = r.N, r.Hash
	c.pass(link{r.N, r.Hash})
	return c.mark(r)
}

// begin takes the place where the chain begins; 0 is the beginning of all.
func (c *checker) begin(r row) error {
	c.began = true
	c.r.First, c.r.Last, c.r.Hash, c.r.Marks = r.N+1, r.N, r.Hash, c.marked != nil
	c.met = c.anchor.N <= r.N
	if r.N == 0 {
		if r.Hash != "" {
			c.note(fault(0, "chuỗi không bắt đầu từ đầu", "the chain does not begin at its beginning"))
		}
		return nil
	}
	c.pass(link{r.N, r.Hash})
	return c.mark(r)
}

func (c *checker) pass(at link) {
	if at.N != c.anchor.N {
		return
	}
	c.met = true
	if at.Hash != c.anchor.Hash {
		c.note(fault(at.N, "mục này khác với mục đã ghi nhận trước đây", "this entry is not the one that was noted before"))
	}
}

// mark looks at the mark of a place. Trouble with the key is an error and no fault.
func (c *checker) mark(r row) error {
	if c.marked == nil {
		return nil
	}
	err := c.marked(link{r.N, r.Hash}, r.Seal)
	if errors.Is(err, store.ErrCorrupt) {
		c.note(fault(r.N, "mục này không do cổng thư ghi", "this entry was not written by the gateway"))
		return nil
	}
	return err
}

func (c *checker) end() {
	if !c.met {
		c.note(fault(c.r.Last+1, "các mục cuối đã bị xoá, hoặc cơ sở dữ liệu là bản cũ", "the last entries were taken away, or the database is an older one"))
	}
}

package quarantine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"congthu/internal/store"
)

// cursor is a place in a list that is ordered by the time of holding, the newest first,
// and then by id.
type cursor struct {
	held int64
	id   string
}

func (c cursor) String() string { return strconv.FormatInt(c.held, 10) + "." + c.id }

// after tells whether c stands behind d.
func (c cursor) after(d cursor) bool { return c.held < d.held || c.held == d.held && c.id > d.id }

// readCursor reads what String has written; ok is false when it has not.
func readCursor(s string) (c cursor, ok bool) {
	at, id, found := strings.Cut(s, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	return cursor{n, id}, found && err == nil
}

// chosen gathers the ids of one page while all messages pass by.
type chosen struct {
	s     *sought
	from  cursor
	paged bool // from is set
	skip  int
	ids   []string
	last  cursor
	total int
	more  bool
}

func (c *chosen) visit(e *entry) bool {
	if !c.s.fits(e) {
		return true
	}
	c.total++
	switch {
	case c.paged && !e.place().after(c.from):
	case c.skip > 0:
		c.skip--
	case len(c.ids) == c.s.Limit:
		c.more = true
	default:
		c.ids, c.last = append(c.ids, e.id), e.place()
	}
	return true
}

// Page returns one page of what is held within the scope, newest first.
func (w *Within) Page(ctx context.Context, f Filter) (Page, error) {
	c := &chosen{s: w.seek(f), skip: max(f.Offset, 0)}
	if f.After != "" {
		if c.from, c.paged = readCursor(f.After); !c.paged {
			return Page{}, fmt.Errorf("%w: %q", ErrCursor, f.After)
		}
	}
	p := Page{Items: []Item{}}
	done, err := w.q.indexed(ctx, c.s.since, c.visit)
	if err != nil {
		return Page{}, fmt.Errorf("quarantine: list: %w", err)
	}
	err = w.q.o.Store.View(ctx, func(tx store.Tx) error {
		if !done {
			if err := w.q.each(ctx, tx, c.s.since, c.visit); err != nil {
				return err
			}
		}
		for _, id := range c.ids {
			is, err := w.q.items(ctx, tx, columns+`WHERE id = $1`, id)
			if err != nil {
				return err
			}
			for _, i := range is {
				if i.only(w, f.Deleted) {
					p.Items = append(p.Items, i)
				}
			}
		}
		return nil
	})
	if err != nil {
		return Page{}, fmt.Errorf("quarantine: list: %w", err)
	}
	if p.Total = c.total; c.more {
		p.Next = c.last.String()
	}
	return p, nil
}

// each gives every message that was held at or after a time to visit, the newest first.
func (q *Quarantine) each(ctx context.Context, tx store.Tx, since int64, visit func(*entry) bool) error {
	return q.entries(ctx, tx, visit, entryRows+`WHERE q.held >= $1 ORDER BY q.held DESC, q.id, r.n`, since)
}

// IDs returns the ids of all messages of a list, the newest first, and how many of each
// class there are; Limit, Offset and After do not count.
func (w *Within) IDs(ctx context.Context, f Filter) (ids []string, classes map[Class]int, err error) {
	s := w.seek(f)
	classes = map[Class]int{}
	visit := func(e *entry) bool {
		if s.fits(e) {
			ids = append(ids, e.id)
			classes[e.class]++
		}
		return true
	}
	done, err := w.q.indexed(ctx, s.since, visit)
	if err == nil && !done {
		err = w.q.o.Store.View(ctx, func(tx store.Tx) error { return w.q.each(ctx, tx, s.since, visit) })
	}
	if err != nil {
		return nil, nil, fmt.Errorf("quarantine: list: %w", err)
	}
	return ids, classes, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/store"
)

// keeper puts queue entries and held messages of one DATA into one transaction, so
// that a 250 stands for all recipients or there is none.
type keeper struct {
	db    *store.DB
	queue *queue.Queue
	held  *quarantine.Quarantine
	post  *post // tells people of what is held
}

// Keep implements pipeline.Keeper.
func (k keeper) Keep(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []pipeline.Hold) error {
	changes, err := k.prepare(ctx, m, transfers, holds)
	if err != nil {
		for _, c := range changes {
			if c.Undo != nil {
				c.Undo()
			}
		}
		return noSpace(err)
	}
	return noSpace(k.db.Commit(ctx, changes...))
}

// large is the size in octets from which the room of a sealed copy is asked back before the
// next is made: the collector alone would let the heap grow to twice its size.
const large = 4 << 20

// noSpace says a full store in the words of the pipeline.
func noSpace(err error) error {
	if errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", pipeline.ErrNoSpace, err)
	}
	return err
}

func (k keeper) prepare(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []pipeline.Hold) ([]*store.Change, error) {
	var changes []*store.Change
	prepare := k.queue.Prepare
	if !answerable(m) {
		prepare = k.queue.PrepareQuiet
	}
	var ready []*msg.Transfer // share their octets
	for _, t := range transfers {
		if t.Fill == nil {
			ready = append(ready, t)
			continue
		}
		if err := t.Ready(); err != nil {
			return changes, err
		}
		c, err := prepare(ctx, t)
		if err != nil {
			return changes, err
		}
		made := t.Size()
		t.Content = nil // staged; the next copy needs the room
		if made > large {
			runtime.GC()
		}
		changes = append(changes, c)
	}
	if len(ready) > 0 {
		c, err := prepare(ctx, ready...)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
	}
	notices, err := k.post.notices(ctx, m, holds)
	changes = append(changes, notices...)
	if err != nil {
		return changes, err
	}
	for _, h := range holds {
		c, err := k.held.Prepare(ctx, m, h.Decision, h.Content)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

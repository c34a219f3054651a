package quarantine

import (
	"context"
	"fmt"
	"time"

	"congthu/internal/store"
)

// Between returns messages held after one moment and not after another, the oldest first.
// It goes on behind last, the item that ended the page before; nil begins. None is missed
// because others are released or deleted meanwhile. One that is deleted, and could be had
// back, is for nobody.
func (q *Quarantine) Between(ctx context.Context, after, until time.Time, last *Item, limit int) ([]Item, error) {
	from, id := after.UnixMilli()+1, ""
	if last != nil {
		from, id = last.Held.UnixMilli(), last.ID
	}
	var out []Item
	err := q.o.Store.View(ctx, func(tx store.Tx) (err error) {
		out, err = q.items(ctx, tx, columns+`WHERE held <= $1 AND expires > $2 AND (held > $3 OR held = $3 AND id > $4) ORDER BY held, id LIMIT $5`,
			until.UnixMilli(), q.surely().UnixMilli(), from, id, limit)
		return err
	})
	for n := range out {
		out[n].only(q.All(), false)
	}
	if err != nil {
		return nil, fmt.Errorf("quarantine: between: %w", err)
	}
	return out, nil
}

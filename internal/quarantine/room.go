package quarantine

import (
	"context"
	"fmt"
	"time"

	"congthu/internal/store"
)

// byWorth lists the classes by how little is lost with them. Spam goes first: it is the
// most, and nobody waits for it. Malware goes late, although nobody waits for it either: it
// is evidence of an attack, and there is little of it. Last go letters that are likely to be
// wanted: of a type that an agency may need after all, locked with a password that the
// recipient has, or waiting for a key.
func byWorth() []Class {
	return []Class{Spam, Phishing, Other, Authentication, Malware, FileType, Unscannable, Encryption}
}

// atLeast is how long everything is held, room or not: a flood of spam must not push out
// what was held today. When that is too much, mail is refused before the disk is full.
const atLeast = 72 * time.Hour

// makeRoom removes the oldest of the classes that are missed least until the rest is
// within Room.
func (q *Quarantine) makeRoom(ctx context.Context) (int, error) {
	if q.o.Room <= 0 {
		return 0, nil
	}
	total, err := q.octets(ctx)
	if err != nil {
		return 0, err
	}
	over, n := total-q.o.Room, 0
	for _, c := range byWorth() {
		for over > 0 {
			gone, freed, err := q.giveUp(ctx, c, over)
			if err != nil {
				return n, fmt.Errorf("quarantine: make room: %w", err)
			}
			if len(gone) == 0 {
				break
			}
			for _, id := range gone {
				q.o.Event("expired", id, "", "no room")
			}
			q.o.Log.Warn("held messages removed before their time: [quarantine] room is used up", "class", c, "messages", len(gone), "octets", freed)
			over, n = over-freed, n+len(gone)
		}
	}
	if over > 0 {
		q.o.Log.Warn("more is held than [quarantine] room, and nothing of it is old enough to go", "octets", over)
	}
	return n, nil
}

func (q *Quarantine) octets(ctx context.Context) (n int64, err error) {
	err = q.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM quarantine`).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	return n, nil
}

// giveUp removes some of a class, the oldest first, until so many octets are free.
func (q *Quarantine) giveUp(ctx context.Context, c Class, over int64) (gone []string, freed int64, err error) {
	before := q.surely().Add(-atLeast).UnixMilli()
	err = q.o.Store.Update(ctx, func(tx store.Tx) error {
		gone, freed = nil, 0
		ids, err := texts(ctx, tx, `SELECT id FROM quarantine WHERE class = $1 AND held <= $2 ORDER BY held, id LIMIT $3 {claim}`, c, before, expireBatch)
		for ; err == nil && len(ids) > 0 && freed < over; ids = ids[1:] {
			var size int64
			if err = tx.QueryRow(ctx, `SELECT size FROM quarantine WHERE id = $1`, ids[0]).Scan(&size); err != nil {
				return err
			}
			_, err = q.remove(ctx, tx, ids[0])
			gone, freed = append(gone, ids[0]), freed+size
		}
		return err
	})
	return gone, freed, err
}

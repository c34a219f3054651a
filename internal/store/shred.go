package store

import (
	"context"
	"fmt"
)

// Shred runs what deletes such that nothing of it is left in the file of the database: what
// lay there is overwritten, which costs as much as writing it. It is for what was promised to
// be gone; mail that was delivered is deleted the quick way. The log of the database has a
// copy until Scrub. What a PostgreSQL server keeps of deleted rows is for its vacuum to
// remove and for its administrator to know.
func (d *DB) Shred(tx Tx, deletes func() error) error {
	w, ok := tx.(*writeTx)
	if !ok || d.engine.shared() {
		return deletes()
	}
	// Not by Exec: it takes effect when it is prepared, and a statement that is kept is
	// prepared once.
	set := func(on int) error {
		_, err := w.c.base().conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA secure_delete = %d", on))
		return w.note(err)
	}
	if err := set(1); err != nil {
		return err
	}
	err := deletes()
	if off := set(0); err == nil {
		err = off
	}
	return err
}

// Scrub empties the log of the database, where copies of deleted rows may be, as soon as
// nobody reads from it.
func (d *DB) Scrub(ctx context.Context) error {
	if d.writer == nil {
		return ErrReadOnly
	}
	if c, ok := d.writer.conn.(*sqliteConn); ok {
		c.scrub.Store(true)
		return d.Update(ctx, touch) // the writer settles after each commit
	}
	return nil
}

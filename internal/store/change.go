package store

import "context"

// Change is work for the store that was prepared outside of it: contents are
// staged already, what is left is quick. It lets packages that do not know each
// other commit together.
type Change struct {
	Apply func(context.Context, Tx) error // in the transaction
	Done  func()                          // after the commit; may be nil
	Undo  func()                          // instead of Done when it was not committed; may be nil
}

// Commit applies all changes in one Update, or none of them.
func (d *DB) Commit(ctx context.Context, changes ...*Change) error {
	err := d.Update(ctx, func(tx Tx) error {
		for _, c := range changes {
			if err := c.Apply(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range changes {
		switch {
		case err == nil && c.Done != nil:
			c.Done()
		case err != nil && c.Undo != nil:
			c.Undo()
		}
	}
	return err
}

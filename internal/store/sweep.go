package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// sweep removes what a crash left: rows of bodies that nothing refers to (there
// are none, unless a program broke the rules) and files that have no row. It runs
// under the lock before anything can be staged. Beside other gateways it is safe as
// well: a body that they are adding is seen together with the row that refers to it.
func (d *DB) sweep(ctx context.Context) error {
	if err := d.Update(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM body WHERE`+unused)
		return err
	}); err != nil {
		return fmt.Errorf("store: sweep: %w", err)
	}
	if d.engine.shared() {
		return nil // all contents are rows
	}
	return d.sweepFiles(ctx)
}

func (d *DB) sweepFiles(ctx context.Context) error {
	dir := filepath.Join(d.dir, bodiesDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return problemOpen(dir, err)
	}
	known, err := d.fileBodies(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if known[e.Name()] || !e.Type().IsRegular() {
			continue
		}
		if err := d.fs.Remove(filepath.Join(dir, e.Name())); err != nil {
			return problemOpen(dir, err)
		}
		d.log.Info("store: removed an unfinished body file", "file", e.Name())
	}
	return nil
}

// fileBodies lists the bodies that are files.
func (d *DB) fileBodies(ctx context.Context) (map[string]bool, error) {
	known := map[string]bool{}
	err := d.View(ctx, func(tx Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM body WHERE content IS NULL`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			known[id] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("store: sweep: %w", err)
	}
	return known, nil
}

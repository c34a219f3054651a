package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations returns the steps that make the schema: the file 0001-*.sql makes
// version 1. Released files are never changed, only followed by others.
func migrations() []string {
	entries, err := schemaFiles.ReadDir("schema") // sorted by name
	if err != nil {
		panic(err) // the files are part of the program
	}
	var out []string
	for _, e := range entries {
		text, err := schemaFiles.ReadFile("schema/" + e.Name())
		if err != nil {
			panic(err)
		}
		out = append(out, string(text))
	}
	return out
}

// unused is true for a body that no row refers to. A new table that refers to
// bodies is added here; were it forgotten, its foreign key would refuse the
// deletion rather than lose the content.
const unused = ` NOT EXISTS (SELECT 1 FROM queue WHERE queue.body = body.id)
	AND NOT EXISTS (SELECT 1 FROM quarantine WHERE quarantine.raw = body.id)
	AND NOT EXISTS (SELECT 1 FROM quarantine WHERE quarantine.head = body.id)`

// querier is what a connection and a pool have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version reads the schema's version; 0 is an empty database.
func version(ctx context.Context, e engine, db querier) (int, error) {
	var v int
	err := db.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) || (err != nil && e.noTable(err)) {
		return 0, nil
	}
	return v, err
}

// migrate brings the schema up to date, each step in its own transaction. Of several
// gateways that start at once one does it, and the others find it done.
func migrate(ctx context.Context, e engine, conn *sql.Conn) error {
	unlock, err := e.lock(ctx, conn)
	if err != nil {
		return e.problem(err)
	}
	if err := upgrade(ctx, e, conn); err != nil {
		return errors.Join(err, unlock())
	}
	return unlock()
}

func upgrade(ctx context.Context, e engine, conn *sql.Conn) error {
	v, err := version(ctx, e, conn)
	if err != nil {
		return e.problem(err)
	}
	steps := migrations()
	if v > len(steps) {
		return problemNewer(e.label(), v)
	}
	for ; v < len(steps); v++ {
		if err := step(ctx, e, conn, v, steps[v]); err != nil {
			return e.problem(fmt.Errorf("schema version %d: %w", v+1, err))
		}
	}
	return nil
}

func step(ctx context.Context, e engine, conn *sql.Conn, v int, text string) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a Commit this does nothing
	if v == 0 {
		if err := e.script(ctx, tx, `CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version (version) VALUES (0)`); err != nil {
			return err
		}
	}
	if err := e.script(ctx, tx, text); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE schema_version SET version = $1`, v+1); err != nil {
		return err
	}
	return tx.Commit()
}

// notNewer is for those who only look: an older schema is upgraded at the next start.
func notNewer(ctx context.Context, e engine, db querier) error {
	v, err := version(ctx, e, db)
	if err != nil {
		return e.problem(err)
	}
	if v > len(migrations()) {
		return problemNewer(e.label(), v)
	}
	return nil
}

// checkVersion is for readers, who cannot upgrade.
func checkVersion(ctx context.Context, e engine, db querier) error {
	v, err := version(ctx, e, db)
	switch {
	case err != nil:
		return e.problem(err)
	case v > len(migrations()):
		return problemNewer(e.label(), v)
	case v < len(migrations()):
		return problemOlder(e.label(), v)
	}
	return nil
}

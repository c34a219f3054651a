package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// migrations make the schema, one entry a version: entry 0 makes version 1.
// Released entries are never changed, only followed by others. {blob} is the
// engine's type for octets; times are Unix milliseconds; texts are UTF-8.
var migrations = []string{
	`CREATE TABLE probe (n BIGINT NOT NULL);
	INSERT INTO probe (n) VALUES (0);

	CREATE TABLE body (
		id      TEXT PRIMARY KEY,
		size    BIGINT NOT NULL,
		crc     BIGINT NOT NULL,
		content {blob}            -- NULL: the content is the file bodies/id
	);

	CREATE TABLE queue (
		id            TEXT PRIMARY KEY,
		next_hop      TEXT NOT NULL,
		sender        TEXT NOT NULL,
		sender_local  TEXT NOT NULL,
		sender_domain TEXT NOT NULL,
		smtputf8      SMALLINT NOT NULL,
		eightbit      SMALLINT NOT NULL,
		quiet         SMALLINT NOT NULL,  -- 1: nobody is told of a failure
		warned        SMALLINT NOT NULL,  -- 1: the sender knows of the delay
		state         TEXT NOT NULL,
		size          BIGINT NOT NULL,
		created       BIGINT NOT NULL,
		attempts      BIGINT NOT NULL,
		next_try      BIGINT NOT NULL,
		head_crc      BIGINT NOT NULL,
		head          {blob},
		body          TEXT NOT NULL REFERENCES body (id)
	);
	CREATE INDEX queue_body ON queue (body);

	CREATE TABLE queue_rcpt (
		id          TEXT NOT NULL REFERENCES queue (id) ON DELETE CASCADE,
		n           BIGINT NOT NULL,
		rcpt        TEXT NOT NULL,
		rcpt_local  TEXT NOT NULL,
		rcpt_domain TEXT NOT NULL,
		code        BIGINT NOT NULL,  -- of the last reply; 0 none
		detail      TEXT NOT NULL,
		reply       TEXT NOT NULL,
		PRIMARY KEY (id, n)
	);

	CREATE TABLE quarantine (
		id            TEXT PRIMARY KEY,
		message       TEXT NOT NULL,
		sender        TEXT NOT NULL,
		sender_local  TEXT NOT NULL,
		sender_domain TEXT NOT NULL,
		smtputf8      SMALLINT NOT NULL,
		eightbit      SMALLINT NOT NULL,
		next_hop      TEXT NOT NULL,
		held          BIGINT NOT NULL,
		expires       BIGINT NOT NULL,
		size          BIGINT NOT NULL,
		facts         TEXT NOT NULL,  -- JSON: subject, reason, findings and the like
		search        TEXT NOT NULL,  -- what a search looks through, folded
		head          TEXT NOT NULL REFERENCES body (id),
		skip          BIGINT NOT NULL,  -- octets of raw that are not delivered
		raw           TEXT NOT NULL REFERENCES body (id)
	);
	CREATE INDEX quarantine_head ON quarantine (head);
	CREATE INDEX quarantine_raw ON quarantine (raw);
	CREATE INDEX quarantine_held ON quarantine (held);
	CREATE INDEX quarantine_expires ON quarantine (expires);

	CREATE TABLE quarantine_rcpt (
		id          TEXT NOT NULL REFERENCES quarantine (id) ON DELETE CASCADE,
		n           BIGINT NOT NULL,
		rcpt        TEXT NOT NULL,
		rcpt_local  TEXT NOT NULL,
		rcpt_domain TEXT NOT NULL,
		PRIMARY KEY (id, n)
	);`,
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
func version(ctx context.Context, db querier) (int, error) {
	var v int
	err := db.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) || (err != nil && strings.Contains(err.Error(), "no such table")) {
		return 0, nil
	}
	return v, err
}

// migrate brings the schema up to date, each step in its own transaction.
func migrate(ctx context.Context, conn *sql.Conn, path string) error {
	v, err := version(ctx, conn)
	if err != nil {
		return problemOpen(path, err)
	}
	if v > len(migrations) {
		return problemNewer(path, v)
	}
	for ; v < len(migrations); v++ {
		if err := step(ctx, conn, v); err != nil {
			return problemOpen(path, fmt.Errorf("schema version %d: %w", v+1, err))
		}
	}
	return nil
}

func step(ctx context.Context, conn *sql.Conn, v int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a Commit this does nothing
	if v == 0 {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version (version) VALUES (0)`); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, strings.ReplaceAll(migrations[v], "{blob}", blobType)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE schema_version SET version = $1`, v+1); err != nil {
		return err
	}
	return tx.Commit()
}

// checkVersion is for readers, who cannot upgrade.
func checkVersion(ctx context.Context, db querier, path string) error {
	v, err := version(ctx, db)
	switch {
	case err != nil:
		return problemOpen(path, err)
	case v > len(migrations):
		return problemNewer(path, v)
	case v < len(migrations):
		return problemOlder(path, v)
	}
	return nil
}

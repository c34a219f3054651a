package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// This file holds all that is said to PostgreSQL and not to SQL; the connection that
// writes is in postgres_conn.go.

const (
	pgConnect = 10 * time.Second // for one attempt to connect, unless the URL has connect_timeout
	pgRead    = time.Minute      // for one View

	// pgLockKey is the advisory lock of schema changes: "congthu" as a number.
	pgLockKey = 0x636f6e67746875
)

// postgres is a database on a server, which several gateways may share. Whether its
// disk is full only the server knows: it says so when it is (SQLSTATE 53100).
type postgres struct{ config *pgx.ConnConfig }

// newPostgres reads the URL as libpq does: passfile, PGPASSFILE and the other PG*
// variables fill in what it leaves out.
func newPostgres(text string) (engine, error) {
	c, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, problemServerURL(hide(err, text))
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = pgConnect
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "congthu"
	}
	return postgres{c}, nil
}

// hide keeps what may be the password out of an error about a URL.
func hide(err error, text string) error {
	out := strings.ReplaceAll(err.Error(), text, "…")
	if u, err := url.Parse(text); err == nil {
		secret, _ := u.User.Password()
		for _, s := range []string{secret, url.QueryEscape(secret), u.Query().Get("password")} {
			if s != "" {
				out = strings.ReplaceAll(out, s, "xxxxx")
			}
		}
		return errors.New(out)
	}
	_, rest, _ := strings.Cut(text, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		return errors.New("it is not a URL; a password with special characters must be percent-encoded, or stand in a passfile")
	}
	return errors.New(out)
}

func (e postgres) label() string {
	return (&url.URL{Scheme: "postgres", User: url.User(e.config.User), Host: fmt.Sprintf("%s:%d", e.config.Host, e.config.Port), Path: e.config.Database}).String()
}

func (postgres) shared() bool   { return true }
func (postgres) inline() int64  { return math.MaxInt64 } // files could be read by one gateway only
func (postgres) prepare() error { return nil }

func (e postgres) check(ctx context.Context) error {
	ctx, cancel := e.patience(ctx)
	defer cancel()
	c, err := e.writer(ctx)
	if err != nil {
		return err
	}
	return errors.Join(notNewer(ctx, e, c.base().conn), c.close())
}

func (postgres) present() error { return nil }

func (e postgres) problem(err error) error { return problemServer(e.label(), err) }

func (e postgres) readers(bool) (*sql.DB, error) { return stdlib.OpenDB(*e.config), nil }

// snapshot: at the default level each statement would see another moment.
func (postgres) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// patience: a server that has gone silent must not hold up its callers for ever.
func (postgres) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, pgRead)
}

// lock waits for as long as another gateway's upgrade takes. The session keeps it
// beyond the transaction, and loses it when it ends in any way.
func (postgres) lock(ctx context.Context, c *sql.Conn) (func() error, error) {
	take := fmt.Sprintf(`BEGIN; SET LOCAL lock_timeout = 0; SELECT pg_advisory_lock(%d); COMMIT`, pgLockKey)
	if _, err := c.ExecContext(ctx, take, pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, err
	}
	return func() error {
		_, err := c.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(pgLockKey))
		return err
	}, nil
}

// script: only the simple protocol takes several statements at once. A change of a
// table waits until the gateways that are working on it let go.
func (e postgres) script(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '30s'; `+e.dialect().Replace(text), pgx.QueryExecModeSimpleProtocol)
	return err
}

func (postgres) noTable(err error) bool { return sqlState(err) == "42P01" }

func (postgres) dialect() *strings.Replacer {
	return words("BYTEA", "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", "FOR UPDATE", "FOR UPDATE SKIP LOCKED", "")
}

// sqlState returns the server's code for an error, or "".
func sqlState(err error) string {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// gradeState tells how bad an error of the server is. What does not end the
// transaction is mild: work is run between savepoints, and going back to the last
// one also ends a deadlock.
func gradeState(code string) badness {
	switch code {
	case "53100": // disk full
		return full
	case "40P01", "55P03", "57014", "25P02": // deadlock, lock timeout, cancelled, work that failed before
		return mild
	}
	switch code[:min(2, len(code))] {
	case "58", "F0", "XX": // I/O error, damaged settings, damaged data
		return fatal
	case "08", "25", "26", "28", "3D", "40", "53", "57": // connection, state, resources, shutdown: the next one may do
		return passing
	}
	return mild
}

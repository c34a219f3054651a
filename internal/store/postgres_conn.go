package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	pgBatch = 30 * time.Second       // for one transaction; a server that is silent longer is lost
	pgPause = 200 * time.Millisecond // between attempts to connect
)

// pgConn is the connection that writes to the server. One on which a transaction
// failed is not used again, and a lost one is replaced at the next begin, so that a
// restart of the server costs the batches that it meets and nothing else.
type pgConn struct {
	writeConn
	engine postgres
	ctx    context.Context // of the transaction
	cancel context.CancelFunc
	stands bool // a savepoint, whose release goes out together with the next one

	tried   time.Time // when connecting last failed, and why
	trouble error
}

func (e postgres) writer(ctx context.Context) (conn, error) {
	db := stdlib.OpenDB(*e.config)
	db.SetMaxIdleConns(-1) // a connection that is given back is closed
	c := &pgConn{writeConn: writeConn{db: db, words: e.dialect(), stmts: map[string]*sql.Stmt{}}, engine: e}
	if err := c.connect(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// connect makes sure that there is a connection that keeps the promises.
func (c *pgConn) connect(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	if time.Since(c.tried) < pgPause {
		return c.trouble // a stopped server is not asked by every message
	}
	ctx, cancel := context.WithTimeout(ctx, pgBatch)
	defer cancel()
	conn, err := c.db.Conn(ctx)
	if err == nil {
		if err = setUp(ctx, conn, c.engine); err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err != nil {
		c.tried, c.trouble = time.Now(), c.engine.problem(err)
		return c.trouble
	}
	c.conn = conn
	return nil
}

// setUp checks that a COMMIT of this server is durable, and makes it so where the
// session can. A gateway that froze in a transaction must not hold up the others for
// ever, nor they it. Locks are waited for less long than the server waits before it
// looks for a deadlock: who gives up first is run again sooner.
func setUp(ctx context.Context, c *sql.Conn, e postgres) error {
	var fsync, commit, encoding string
	var standby bool
	err := c.QueryRowContext(ctx, `SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding'), pg_is_in_recovery()`).
		Scan(&fsync, &commit, &encoding, &standby)
	switch {
	case err != nil:
		return err
	case fsync != "on":
		return problemUnsafe(e.label(), "fsync = "+fsync)
	case encoding != "UTF8":
		return problemEncoding(e.label(), encoding)
	case standby:
		return problemStandby(e.label())
	}
	// A gateway that freezes in the middle of a batch must not keep its rows locked for
	// those who take over: a batch waits for nothing but the server, and never for long.
	set := `SET default_transaction_isolation = 'read committed'; SET lock_timeout = '500ms'; SET idle_in_transaction_session_timeout = '10s'`
	if commit == "off" {
		set += `; SET synchronous_commit = on`
	}
	return raw(c, func(pc *pgconn.PgConn) error { return pc.Exec(ctx, set).Close() })
}

// raw lends the driver's own connection.
func raw(c *sql.Conn, use func(*pgconn.PgConn) error) error {
	return c.Raw(func(dc any) error {
		sc, ok := dc.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("store: the connection is a %T", dc)
		}
		return use(sc.Conn().PgConn())
	})
}

// begin replaces a connection that was lost while nothing was going on.
func (c *pgConn) begin() error {
	for {
		fresh := c.conn == nil
		if err := c.connect(context.Background()); err != nil {
			return err
		}
		c.ctx, c.cancel = context.WithTimeout(context.Background(), pgBatch)
		c.stands = false
		_, err := c.verb("BEGIN")
		if err == nil {
			return nil
		}
		lost := c.lost()
		c.rollback()
		if fresh || !lost {
			return err
		}
	}
}

// verb sends statements that take no arguments, in one packet, and returns what the
// server says of the last.
func (c *pgConn) verb(text string) (string, error) {
	if err := c.injected(text); err != nil {
		return "", err
	}
	var tag string
	err := raw(c.conn, func(pc *pgconn.PgConn) error {
		rs, err := pc.Exec(c.ctx, text).ReadAll()
		if err == nil && len(rs) > 0 {
			tag = rs[len(rs)-1].CommandTag.String()
		}
		return err
	})
	return tag, err
}

func (c *pgConn) savepoint() error {
	text := "SAVEPOINT one"
	if c.stands {
		text = "RELEASE one; SAVEPOINT one"
	}
	c.stands = true
	_, err := c.verb(text)
	return err
}

// release leaves it to the next savepoint, or to the commit: a packet less.
func (c *pgConn) release() error { return nil }

// undo leaves the savepoint standing, as it was.
func (c *pgConn) undo() error {
	_, err := c.verb("ROLLBACK TO one")
	return err
}

// commit ends the transaction. The server answers the COMMIT of a failed transaction
// with the word ROLLBACK and without an error.
func (c *pgConn) commit() error {
	tag, err := c.verb("COMMIT")
	if err == nil && tag != "COMMIT" {
		err = fmt.Errorf("the server answered COMMIT with %q", tag)
	}
	if err == nil {
		c.cancel()
	}
	return err
}

// rollback drops the connection: what it still knows of the transaction ends with it.
func (c *pgConn) rollback() {
	if c.cancel != nil {
		c.cancel()
	}
	if c.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = raw(c.conn, func(pc *pgconn.PgConn) error { return pc.Close(ctx) }) // it may be lost already
	c.forget()
	_ = c.conn.Close() // the same
	c.conn = nil
}

// unref locks in the order of the names, so that two gateways cannot wait for each
// other; the deletion then sees what the one before it has left. It waits for as long
// as the other's commit takes: here all of the batch would be lost.
func (c *pgConn) unref(ids []string) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if _, err := c.verb("SET LOCAL lock_timeout = 0"); err != nil {
		return err
	}
	if err := c.exec(c.ctx, `SELECT id FROM body WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, ids); err != nil {
		return err
	}
	return c.exec(c.ctx, `DELETE FROM body WHERE id = ANY ($1) AND`+unused, ids)
}

// settle has nothing to do: the server makes its own checkpoints.
func (*pgConn) settle() error { return nil }

func (c *pgConn) context() context.Context { return c.ctx }

// lost tells whether the connection is gone.
func (c *pgConn) lost() bool {
	if c.conn == nil {
		return true
	}
	closed := true
	err := raw(c.conn, func(pc *pgconn.PgConn) error {
		closed = pc.IsClosed()
		return nil
	})
	return err != nil || closed
}

// grade: what is no answer of the server is the loss of the connection, or the
// caller's own. A server that cannot be connected to has nothing of ours in doubt.
func (c *pgConn) grade(err error) badness {
	if e := (*pgconn.ConnectError)(nil); errors.As(err, &e) {
		return passing
	}
	bad := mild
	if code := sqlState(err); code != "" {
		bad = gradeState(code)
	}
	if bad == mild && c.lost() {
		return passing
	}
	return bad
}

// clash: a deadlock, or a lock that somebody held for too long.
func (*pgConn) clash(err error) bool {
	code := sqlState(err)
	return code == "40P01" || code == "55P03"
}

func (c *pgConn) close() error {
	c.rollback()
	return c.db.Close()
}

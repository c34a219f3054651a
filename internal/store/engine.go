package store

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
)

// engine is what SQLite and PostgreSQL do differently. Everything above it is
// said once, in the SQL that both understand.
type engine interface {
	// label names the database in problems and logs. It has no password in it.
	label() string
	// problem says why the database cannot be had, unless the error says so itself.
	problem(err error) error
	// shared tells whether other gateways may have the same database open.
	shared() bool
	// inline is the largest content that is kept as a row.
	inline() int64
	// prepare makes what must be there before the first connection.
	prepare() error
	// check says what is wrong, without changing anything.
	check(ctx context.Context) error
	// present tells why a reader has nothing to read, or nil.
	present() error
	// writer connects for writing, with all that the promises rest on checked.
	writer(ctx context.Context) (conn, error)
	// readers opens the pool of View.
	readers(readOnly bool) (*sql.DB, error)
	// snapshot is how View sees one moment, and patience bounds how long it may take.
	snapshot() *sql.TxOptions
	patience(ctx context.Context) (context.Context, context.CancelFunc)
	// lock keeps other gateways from changing the schema until unlock.
	lock(ctx context.Context, c *sql.Conn) (unlock func() error, err error)
	// script runs several statements, in this engine's words.
	script(ctx context.Context, tx *sql.Tx, text string) error
	// noTable tells whether a query failed because its table does not exist.
	noTable(err error) bool
	// dialect is what the {words} in queries mean.
	dialect() *strings.Replacer
}

// The words that stand in queries and schema files for what the engines write
// differently: {blob} is the type for octets, {now} the database's clock in Unix
// milliseconds, {lock} at the end of a SELECT locks its rows for the transaction,
// {claim} does so and leaves out those that others have locked, and a line of a
// schema file that begins with {shared} is only for a shared database.
func words(blob, now, lock, claim, shared string) *strings.Replacer {
	return strings.NewReplacer("{blob}", blob, "{now}", now, "{lock}", lock, "{claim}", claim, "{shared}", shared)
}

// conn is the connection that writes. All calls come from the writer.
type conn interface {
	base() *writeConn
	begin() error
	savepoint() error
	release() error // the work since savepoint stays
	undo() error    // the work since savepoint is gone
	commit() error
	rollback() // after an error: whatever is left of the transaction is given up
	settle() error
	// unref removes bodies that no row refers to, before the commit.
	unref(ids []string) error
	// context bounds the statements of the transaction that was begun.
	context() context.Context
	grade(err error) badness
	// clash tells whether a request failed only because another gateway was in the way.
	clash(err error) bool
	close() error
}

// maxStatements bounds the prepared statements kept. Queries are constants, so
// the program has a few dozen; a query built from data is a mistake that must
// not eat memory.
const maxStatements = 256

// writeConn is what the writing connections of both engines have in common: a
// connection with its prepared statements.
type writeConn struct {
	db    *sql.DB
	conn  *sql.Conn
	words *strings.Replacer
	stmts map[string]*sql.Stmt
	fail  atomic.Pointer[func(query string) error] // tests: an error instead of running it
}

func (c *writeConn) base() *writeConn { return c }

// injected is the failure that a test wants, or nil.
func (c *writeConn) injected(query string) error {
	if fail := c.fail.Load(); fail != nil {
		return (*fail)(query)
	}
	return nil
}

// inject sets the failure of a test; nil takes it away.
func (c *writeConn) inject(fail func(query string) error) {
	if fail == nil {
		c.fail.Store(nil)
		return
	}
	c.fail.Store(&fail)
}

// prepare returns the statement for the query, from memory if it was used
// before.
func (c *writeConn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := c.injected(query); err != nil {
		return nil, err
	}
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		c.forget()
	}
	s, err := c.conn.PrepareContext(ctx, c.words.Replace(query))
	if err == nil {
		c.stmts[query] = s
	}
	return s, err
}

func (c *writeConn) forget() {
	for q, s := range c.stmts {
		_ = s.Close() // frees memory only
		delete(c.stmts, q)
	}
}

func (c *writeConn) exec(ctx context.Context, query string, args ...any) error {
	s, err := c.prepare(ctx, query)
	if err == nil {
		_, err = s.ExecContext(ctx, args...)
	}
	return err
}

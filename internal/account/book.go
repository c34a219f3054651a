package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"congthu/internal/store"
)

// Store is what accounts need of the store.
type Store interface {
	Update(ctx context.Context, fn func(store.Tx) error) error
	View(ctx context.Context, fn func(store.Tx) error) error
}

// Book is the accounts in the store. Its methods are safe for concurrent use.
type Book struct {
	db  Store
	log *slog.Logger
}

// NewBook returns the book; changes are written to the log.
func NewBook(db Store, log *slog.Logger) *Book { return &Book{db, log} }

const columns = `name, agency, domains, hash, disabled, created, changed`

// Get reads one account.
func (b *Book) Get(ctx context.Context, name string) (a Account, err error) {
	err = b.db.View(ctx, func(tx store.Tx) error {
		a, err = scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM account WHERE name = $1`, name))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNotFound
	}
	return a, err
}

// Detail is an account and what it has sent.
type Detail struct {
	Account
	SentHour int64 `json:"sent_hour"` // recipients, as its limits count them
	SentDay  int64 `json:"sent_day"`
}

// Show reads one account and what all gateways have counted for it, up to two seconds
// ago.
func (b *Book) Show(ctx context.Context, name string) (d Detail, err error) {
	if d.Account, err = b.Get(ctx, name); err != nil {
		return Detail{}, err
	}
	err = b.db.View(ctx, func(tx store.Tx) error {
		slot := slotOf(time.Now())
		u := usage{}
		u.stored, err = counts(ctx, tx, name, slot-daySlots)
		d.SentHour, d.SentDay = u.since(slot-hourSlots), u.since(slot-daySlots)
		return err
	})
	return d, err
}

// List reads all accounts, by name.
func (b *Book) List(ctx context.Context) (all []Account, err error) {
	err = b.db.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+columns+` FROM account ORDER BY name`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scan(rows)
			if err != nil {
				return err
			}
			all = append(all, a)
		}
		return rows.Err()
	})
	return all, err
}

func scan(row store.Row) (a Account, err error) {
	var domains string
	var disabled int
	var created, changed int64
	err = row.Scan(&a.Name, &a.Agency, &domains, &a.hash, &disabled, &created, &changed)
	a.Domains, a.Disabled = strings.Fields(domains), disabled != 0
	a.Created, a.Changed = time.UnixMilli(created), time.UnixMilli(changed)
	return a, err
}

// Add stores a new account with the hash of its password.
func (b *Book) Add(ctx context.Context, a Account, hash, actor string) error {
	if err := a.check(); err != nil {
		return err
	}
	if _, err := parseHash(hash); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	return b.change(ctx, "added", a.Name, actor, ErrExists, `INSERT INTO account (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (name) DO NOTHING`,
		a.Name, a.Agency, strings.Join(a.Domains, " "), hash, boolean(a.Disabled), now)
}

// SetHash gives an account another password.
func (b *Book) SetHash(ctx context.Context, name, hash, actor string) error {
	if _, err := parseHash(hash); err != nil {
		return err
	}
	return b.change(ctx, "password changed", name, actor, ErrNotFound, `UPDATE account SET hash = $2, changed = $3 WHERE name = $1`, name, hash, time.Now().UnixMilli())
}

// SetDisabled disables an account, or enables it again.
func (b *Book) SetDisabled(ctx context.Context, name string, disabled bool, actor string) error {
	what := "enabled"
	if disabled {
		what = "disabled"
	}
	return b.change(ctx, what, name, actor, ErrNotFound, `UPDATE account SET disabled = $2, changed = $3 WHERE name = $1`, name, boolean(disabled), time.Now().UnixMilli())
}

// Delete removes an account.
func (b *Book) Delete(ctx context.Context, name, actor string) error {
	return b.change(ctx, "deleted", name, actor, ErrNotFound, `DELETE FROM account WHERE name = $1`, name)
}

// change runs one statement that must touch one row; none is the given error.
func (b *Book) change(ctx context.Context, what, name, actor string, none error, query string, args ...any) error {
	err := b.db.Update(ctx, func(tx store.Tx) error {
		r, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("account %s: %w", name, err)
		}
		n, err := r.RowsAffected()
		if err == nil && n == 0 {
			return none
		}
		return err
	})
	if err == nil {
		b.log.Info("account "+what, "account", name, "by", actor)
	}
	return err
}

func boolean(v bool) int {
	if v {
		return 1
	}
	return 0
}

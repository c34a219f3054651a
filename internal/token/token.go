// Package token lets operators in who do not sit at the gateway: each has a token with a
// role and, if a reviewer, the domains whose mail it may see. A token is shown once, when it
// is made; kept is a hash of its secret. It expires, and it is locked for a while after
// five wrong secrets in a row, whoever sent them.
package token

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/store"
)

// Errors that callers tell apart with errors.Is. To who presents a token they are one:
// nothing is said about tokens to those who have none.
var (
	ErrRefused  = errors.New("token: refused")
	ErrNotFound = errors.New("token: no such token")
)

const (
	prefix     = "ct_"
	idSize     = 4  // octets, 8 hexadecimal digits
	secretSize = 32 // octets
	mostWrong  = 5  // wrong secrets in a row
	lockTime   = 15 * time.Minute
	longest    = 366 * 24 * time.Hour // that a token may live
	maxName    = 64
	maxPerson  = 200
	maxDomains = 100
)

// Token is a token without its secret.
type Token struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`   // one of its own while the token is in use
	Person   string    `json:"person"` // whose it is; one person may have several
	Role     Role      `json:"role"`
	Domains  []string  `json:"domains,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	Used     time.Time `json:"used,omitzero"` // last, to the hour
	Failures int       `json:"failures,omitempty"`
	Locked   time.Time `json:"locked_until,omitzero"`
	Revoked  time.Time `json:"revoked,omitzero"`
}

// Book is the tokens of a store.
type Book struct {
	db  *store.DB
	now func() time.Time
}

// NewBook returns the tokens of a store; now nil is the clock.
func NewBook(db *store.DB, now func() time.Time) *Book {
	if now == nil {
		now = time.Now
	}
	return &Book{db, now}
}

// Wanted is what is asked of a new token.
type Wanted struct {
	Name    string        `json:"name"`
	Person  string        `json:"person,omitempty"` // "": as the name
	Role    Role          `json:"role"`
	Domains []string      `json:"domains,omitempty"`
	Life    time.Duration `json:"life"` // nanoseconds in JSON
}

// Refusal is why a token is not made, for a person.
type Refusal struct{ What lang.Text }

// Error returns the English sentence.
func (r *Refusal) Error() string { return r.What.EN }

// In returns the sentence in that language.
func (r *Refusal) In(l lang.Lang) string { return r.What.In(l) }

func (w Wanted) check() error {
	say := func(vi, en string) error { return &Refusal{lang.T(vi, en)} }
	switch {
	case strings.TrimSpace(w.Name) == "" || len(w.Name) > maxName || lang.Safe(w.Name, maxName) != w.Name:
		return say("cần tên người dùng token, không quá 64 octet, không có ký tự điều khiển", "a token needs the name of its user, at most 64 octets, without control characters")
	case len(w.Person) > maxPerson || lang.Safe(w.Person, maxPerson) != w.Person:
		return say("tên người giữ token không quá 200 octet, không có ký tự điều khiển", "the person's name has at most 200 octets and no control characters")
	case !slices.Contains(Roles(), w.Role):
		return say("vai trò là admin, reviewer hoặc auditor", "the role is admin, reviewer or auditor")
	case w.Role == Reviewer && (len(w.Domains) == 0 || len(w.Domains) > maxDomains):
		return say("reviewer cần tên miền của cơ quan mình, nhiều nhất 100", "a reviewer needs the domains of its agency, at most 100")
	case w.Role != Reviewer && len(w.Domains) > 0:
		return say("chỉ reviewer bị giới hạn theo tên miền", "only a reviewer is limited to domains")
	case w.Life < time.Hour || w.Life > longest:
		return say("token sống từ 1 giờ đến 366 ngày", "a token lives from 1 hour to 366 days")
	}
	for _, d := range w.Domains {
		if name := strings.TrimPrefix(d, "*."); name == "" || strings.ContainsAny(name, "*@ \t\r\n") || !strings.Contains(name, ".") {
			return say("“"+lang.Safe(d, 100)+"” không phải tên miền, cũng không phải *.tên-miền", `"`+lang.Safe(d, 100)+`" is neither a domain nor *.domain`)
		}
	}
	return nil
}

// Make makes a token and returns what its user presents; that is not kept.
func (b *Book) Make(ctx context.Context, w Wanted) (Token, string, error) {
	if err := w.check(); err != nil {
		return Token{}, "", err
	}
	var chance [idSize + secretSize]byte
	_, _ = rand.Read(chance[:]) // never fails, by its documentation
	id, secret := hex.EncodeToString(chance[:idSize]), base64.RawURLEncoding.EncodeToString(chance[idSize:])
	now := b.now().UTC().Truncate(time.Second)
	t := Token{ID: id, Name: w.Name, Person: cmp.Or(strings.TrimSpace(w.Person), w.Name), Role: w.Role, Domains: w.Domains, Created: now, Expires: now.Add(w.Life)}
	err := b.db.Update(ctx, func(tx store.Tx) error {
		if err := b.free(ctx, tx, t.Name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO token (id, name, person, live, role, domains, hash, created, expires, used, failures, locked, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0)`,
			t.ID, t.Name, t.Person, fold(t.Name), string(t.Role), strings.Join(t.Domains, " "), hashOf(secret), t.Created.UnixMilli(), t.Expires.UnixMilli())
		return err
	})
	if err != nil && b.lost(ctx, err, t.Name) {
		return Token{}, "", taken(t.Name)
	}
	if err != nil {
		return Token{}, "", fmt.Errorf("token: make: %w", err)
	}
	return t, prefix + id + "_" + secret, nil
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// divide takes apart what is presented.
func divide(presented string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(presented, prefix)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	return id, secret, ok && len(id) == 2*idSize && len(secret) == base64.RawURLEncoding.EncodedLen(secretSize)
}

// Refused is why a presented token does not let anybody in. Its text says nothing; Why is
// for the log.
type Refused struct{ Why error }

// Error says that it was refused.
func (r *Refused) Error() string { return ErrRefused.Error() }

// Is makes it an ErrRefused.
func (r *Refused) Is(target error) bool { return target == ErrRefused }

func refuse(format string, args ...any) error { return &Refused{fmt.Errorf(format, args...)} }

// Check returns whose the presented token is. A token that is wrong, expired, revoked or
// locked is a *Refused; any other error is trouble with the store.
func (b *Book) Check(ctx context.Context, presented string) (Who, error) {
	id, secret, ok := divide(presented)
	if !ok {
		return Who{}, refuse("it is no token")
	}
	t, hash, err := b.get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Who{}, refuse("%w", err)
	}
	if err != nil {
		return Who{}, err
	}
	now := b.now()
	switch {
	case t.Locked.After(now):
		return Who{}, refuse("token %s of %s is locked until %s", id, t.Name, t.Locked.Format(time.RFC3339))
	case subtle.ConstantTimeCompare([]byte(hashOf(secret)), []byte(hash)) != 1:
		if err := b.wrong(ctx, id); err != nil {
			return Who{}, err
		}
		return Who{}, refuse("token %s of %s: wrong secret, %d in a row", id, t.Name, t.Failures+1)
	case !t.Revoked.IsZero():
		return Who{}, refuse("token %s of %s is revoked", id, t.Name)
	case !now.Before(t.Expires):
		return Who{}, refuse("token %s of %s has expired", id, t.Name)
	}
	if t.Failures > 0 || now.Sub(t.Used) >= time.Hour {
		if err := b.right(ctx, id); err != nil {
			return Who{}, err
		}
	}
	return Who{Name: t.Name, Person: t.Person, Token: t.ID, Role: t.Role, Domains: t.Domains}, nil
}

// wrong counts a wrong secret; the fifth in a row locks the token.
func (b *Book) wrong(ctx context.Context, id string) error {
	until := b.now().Add(lockTime).UnixMilli()
	return b.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE token SET locked = CASE WHEN failures + 1 >= $1 THEN $2 ELSE locked END,
			failures = CASE WHEN failures + 1 >= $1 THEN 0 ELSE failures + 1 END WHERE id = $3`, mostWrong, until, id)
		return err
	})
}

func (b *Book) right(ctx context.Context, id string) error {
	return b.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE token SET failures = 0, used = $1 WHERE id = $2`, b.now().UTC().Truncate(time.Hour).UnixMilli(), id)
		return err
	})
}

// Revoke ends a token. It stays in the list; ErrNotFound says that it never was.
func (b *Book) Revoke(ctx context.Context, id string) error {
	var n int64
	err := b.db.Update(ctx, func(tx store.Tx) error {
		r, err := tx.Exec(ctx, `UPDATE token SET revoked = CASE WHEN revoked = 0 THEN $1 ELSE revoked END WHERE id = $2`, b.now().UnixMilli(), id)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err == nil && n == 0 {
		return fmt.Errorf("%w: %s", ErrNotFound, lang.Safe(id, 40))
	}
	return err
}

const columns = `SELECT id, name, person, role, domains, hash, created, expires, used, failures, locked, revoked FROM token `

// List returns all tokens, the newest first.
func (b *Book) List(ctx context.Context) ([]Token, error) {
	out := []Token{}
	err := b.db.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, columns+`ORDER BY created DESC, id`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			t, _, err := scan(rows)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("token: list: %w", err)
	}
	return out, nil
}

func (b *Book) get(ctx context.Context, id string) (t Token, hash string, err error) {
	err = b.db.View(ctx, func(tx store.Tx) error {
		t, hash, err = scan(tx.QueryRow(ctx, columns+`WHERE id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return t, "", fmt.Errorf("%w: %s", ErrNotFound, lang.Safe(id, 40))
	}
	if err != nil {
		return t, "", fmt.Errorf("token: %w", err)
	}
	return t, hash, nil
}

func scan(row store.Row) (t Token, hash string, err error) {
	var role, domains string
	var created, expires, used, locked, revoked int64
	if err := row.Scan(&t.ID, &t.Name, &t.Person, &role, &domains, &hash, &created, &expires, &used, &t.Failures, &locked, &revoked); err != nil {
		return t, "", err
	}
	t.Role, t.Domains, t.Person = Role(role), strings.Fields(domains), cmp.Or(t.Person, t.Name)
	t.Created, t.Expires, t.Used, t.Locked, t.Revoked = at(created), at(expires), at(used), at(locked), at(revoked)
	return t, hash, nil
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

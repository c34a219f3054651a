package token

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/text/unicode/norm"

	"congthu/internal/lang"
	"congthu/internal/store"
)

// fold is a name as names are compared: without case, blanks as one, and one form of each
// letter (NFKC). Marks count: Lan and Lân are two people.
func fold(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(name))), " ")
}

// Of is the name of a token, with whose it is when that is something else.
func (t Token) Of() string {
	if t.Person == "" || t.Person == t.Name {
		return t.Name
	}
	return t.Name + " (" + t.Person + ")"
}

// Stated is the person behind a caller when the name does not say it; else "".
func (w Who) Stated() string {
	if w.Person == w.Name {
		return ""
	}
	return w.Person
}

// Same tells whether somebody, known by a name, a person ("": as the name) and perhaps the
// id of a token, is the caller. What cannot be told apart is the same: two need to be two.
func (w Who) Same(name, person, token string) bool {
	if token != "" && token == w.Token {
		return true
	}
	for _, mine := range []string{w.Name, w.Person} {
		if mine = fold(mine); mine != "" && (mine == fold(name) || mine == fold(person)) {
			return true
		}
	}
	return false
}

// errTaken says that a name is in use.
var errTaken = errors.New("token: the name is taken")

// free makes sure, in the transaction that makes a token, that no token in use has the
// name. Of two that ask at one time the index token_live lets one in.
func (b *Book) free(ctx context.Context, tx store.Tx, name string) error {
	if _, err := tx.Exec(ctx, `UPDATE token SET live = '' WHERE live <> '' AND (revoked > 0 OR expires <= $1)`, b.now().UnixMilli()); err != nil {
		return err
	}
	return b.unused(ctx, tx, name)
}

// unused returns errTaken when a token in use has the name.
func (b *Book) unused(ctx context.Context, tx store.Tx, name string) error {
	rows, err := tx.Query(ctx, `SELECT name FROM token WHERE revoked = 0 AND expires > $1`, b.now().UnixMilli())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var other string
		if err := rows.Scan(&other); err != nil {
			return err
		}
		if fold(other) == fold(name) {
			return errTaken
		}
	}
	return rows.Err()
}

// lost tells whether a token was not made because another has got its name meanwhile.
func (b *Book) lost(ctx context.Context, err error, name string) bool {
	return errors.Is(err, errTaken) || errors.Is(b.db.View(ctx, func(tx store.Tx) error { return b.unused(ctx, tx, name) }), errTaken)
}

func taken(name string) error {
	name = lang.Safe(name, maxName)
	return &Refusal{lang.T(
		"đã có token đang dùng tên “"+name+"”; hãy chọn tên khác, hoặc thu hồi token cũ trước (congthu token list, token revoke)",
		`a token in use has the name "`+name+`"; choose another, or revoke the old one first (congthu token list, token revoke)`)}
}

package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"congthu/internal/seal"
)

// keyFile is the data key's place in the data directory, unless Options say another.
const keyFile = "data.key"

func (o Options) keyPath() string {
	switch {
	case o.Key == "":
		return filepath.Join(o.Dir, keyFile)
	case filepath.IsAbs(o.Key):
		return o.Key
	}
	return filepath.Join(o.Dir, o.Key)
}

// unlock reads the data key, or makes it for a store that was never sealed. A store
// that was sealed with another key is not opened: its mail could not be delivered, and what
// came in would be sealed so that other gateways could not.
func (d *DB) unlock(ctx context.Context, o Options) error {
	path := o.keyPath()
	known, err := d.keyID(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && known == "" {
		if _, err := seal.Make(path); err != nil {
			return problemKeyFile(path, err)
		}
	}
	if d.keys, err = fitting(path, known); err != nil || known == d.keys.ID() {
		return err
	}
	return d.adopt(ctx, path)
}

// fitting reads the data key of a store that knows it by that name; "" by none yet.
func fitting(path, known string) (*seal.Keys, error) {
	k, err := seal.Read(path)
	if err != nil {
		return nil, problemKeyFile(path, err)
	}
	switch err := checkMode(path, 0, 0o600, 0o077); {
	case err != nil:
		return nil, err
	case known != "" && !k.Has(known):
		return nil, problemKey(path, known)
	}
	return k, nil
}

// checkKey looks as unlock does and changes nothing: a key that the first start will make,
// and a database that it will bring up to date, are no complaint.
func checkKey(ctx context.Context, e engine, o Options) error {
	d, known := &DB{engine: e, words: e.dialect()}, ""
	if e.present() == nil && d.openReaders(ctx, true) == nil {
		var err error
		if known, err = d.keyID(ctx); err != nil {
			return errors.Join(err, d.Close())
		}
	}
	_, err := os.Lstat(o.keyPath())
	if known != "" || !errors.Is(err, fs.ErrNotExist) {
		_, err = fitting(o.keyPath(), known)
		return errors.Join(err, d.Close())
	}
	return d.Close()
}

// keyID is the key that the store was last opened with; "" none.
func (d *DB) keyID(ctx context.Context) (id string, err error) {
	err = d.View(ctx, func(tx Tx) error {
		return tx.QueryRow(ctx, `SELECT id FROM data_key WHERE one = 1`).Scan(&id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store: data key: %w", err)
	}
	return id, nil
}

// adopt notes our current key. Of two gateways that start on an empty database at once
// one finds the other's.
func (d *DB) adopt(ctx context.Context, path string) error {
	var stands string
	err := d.Update(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO data_key (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING`, d.keys.ID()); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT id FROM data_key WHERE one = 1 {lock}`).Scan(&stands); err != nil {
			return err
		}
		if !d.keys.Has(stands) {
			return problemKey(path, stands)
		}
		_, err := tx.Exec(ctx, `UPDATE data_key SET id = $1 WHERE one = 1`, d.keys.ID())
		return err
	})
	if p := (*Problem)(nil); err == nil || errors.As(err, &p) {
		return err
	}
	return fmt.Errorf("store: data key: %w", err)
}

// Seal makes octets of a row of the caller's unreadable without the data key. name says
// what they belong to and is asked for again.
func (d *DB) Seal(name string, content []byte) []byte { return d.keys.Seal(name, content) }

// Unseal is the way back. What was written before there was a key comes back as it is.
// ErrSealed says that it was sealed with a key that this gateway does not have, ErrCorrupt
// that it is not what was sealed.
func (d *DB) Unseal(name string, b []byte) ([]byte, error) {
	return d.unseal(name, b, (*seal.Keys).Open)
}

func (d *DB) unseal(name string, b []byte, open func(*seal.Keys, string, []byte) ([]byte, error)) ([]byte, error) {
	if !seal.Sealed(b) {
		return b, nil
	}
	if d.keys == nil {
		return nil, fmt.Errorf("%w: %s", ErrSealed, name)
	}
	out, err := open(d.keys, name, b)
	switch {
	case errors.Is(err, seal.ErrKey):
		return nil, fmt.Errorf("%w: %s", ErrSealed, name)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, name, err)
	}
	return out, nil
}

// Mark is what only who has the data key can make of octets, for one use; Marked tells
// whether a mark is of these octets. Its errors are ErrSealed and ErrCorrupt.
func (d *DB) Mark(use string, octets []byte) string { return d.keys.Mark(use, octets) }

// Marked returns nil when the mark was made by Mark with a key that we have.
func (d *DB) Marked(use string, octets []byte, mark string) error {
	if d.keys == nil {
		return fmt.Errorf("%w: %s", ErrSealed, use)
	}
	err := d.keys.Marked(use, octets, mark)
	switch {
	case errors.Is(err, seal.ErrKey):
		return fmt.Errorf("%w: %s", ErrSealed, use)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, use, err)
	}
	return nil
}

// Tags are for marks that are cut short (seal.Keys.Tags); none without a data key.
func (d *DB) Tags(use string, octets []byte) [][]byte {
	if d.keys == nil {
		return nil
	}
	return d.keys.Tags(use, octets)
}

// SealText is Seal for a column of text.
func (d *DB) SealText(name, text string) string {
	return sealedText + base64.RawStdEncoding.EncodeToString(d.Seal(name, []byte(text)))
}

// sealedText begins what SealText returns: no JSON and no text of ours begins so.
const sealedText = "\x1asealed:"

// UnsealText is the way back, as Unseal.
func (d *DB) UnsealText(name, text string) (string, error) {
	if len(text) < len(sealedText) || text[:len(sealedText)] != sealedText {
		return text, nil
	}
	b, err := base64.RawStdEncoding.DecodeString(text[len(sealedText):])
	if err != nil || !seal.Sealed(b) {
		return "", fmt.Errorf("%w: %s: %w", ErrCorrupt, name, seal.ErrBroken)
	}
	out, err := d.Unseal(name, b)
	return string(out), err
}

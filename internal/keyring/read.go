package keyring

import (
	"context"
	"fmt"
	"time"

	"congthu/internal/pgp"
	"congthu/internal/store"
)

// Reload reads the tables again when somebody has changed them.
func (r *Ring) Reload(ctx context.Context) error {
	if r.o.Store == nil {
		return nil
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	have := r.state.Load()
	next := newState()
	same := false
	err := r.o.Store.View(ctx, func(tx store.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT version FROM pgp_state`).Scan(&next.version); err != nil {
			return err
		}
		if same = have != nil && have.version == next.version; same {
			return nil
		}
		return next.read(ctx, tx, have, r)
	})
	if err != nil {
		return fmt.Errorf("keyring: read: %w", err)
	}
	if !same {
		r.state.Store(next)
		r.forgetSigners()
	}
	return nil
}

func (s *state) read(ctx context.Context, tx store.Tx, have *state, r *Ring) error {
	if err := s.readKeys(ctx, tx, have, r); err != nil {
		return err
	}
	if err := each(ctx, tx, `SELECT subject, fingerprint, forced, pinned, actor FROM pgp_pin`, func(row store.Row) error {
		var p Pin
		var forced int
		var pinned int64
		err := row.Scan(&p.Subject, &p.Fingerprint, &forced, &pinned, &p.Actor)
		p.Forced, p.Pinned = forced != 0, time.UnixMilli(pinned)
		s.pins[p.Subject] = p
		return err
	}); err != nil {
		return err
	}
	if err := each(ctx, tx, `SELECT subject, fingerprint, source, seen FROM pgp_proposal ORDER BY subject, fingerprint`, func(row store.Row) error {
		var p Proposal
		var seen int64
		err := row.Scan(&p.Subject, &p.Fingerprint, &p.Source, &seen)
		p.Seen = time.UnixMilli(seen)
		s.proposals = append(s.proposals, p)
		return err
	}); err != nil {
		return err
	}
	return s.readSecrets(ctx, tx)
}

func (s *state) readSecrets(ctx context.Context, tx store.Tx) error {
	if err := each(ctx, tx, `SELECT domain, fingerprint, secret, added FROM pgp_secret`, func(row store.Row) error {
		var x secret
		var added int64
		err := row.Scan(&x.domain, &x.fingerprint, &x.octets, &added)
		x.added = time.UnixMilli(added)
		s.secrets[x.domain] = x
		return err
	}); err != nil {
		return err
	}
	return each(ctx, tx, `SELECT domain, fingerprint, secret, added FROM pgp_opener ORDER BY domain, added DESC, fingerprint`, func(row store.Row) error {
		var x opening
		var added int64
		err := row.Scan(&x.domain, &x.fingerprint, &x.octets, &added)
		x.added = time.UnixMilli(added)
		s.openings = append(s.openings, x)
		return err
	})
}

// readKeys parses the keys that are new or changed. A damaged one is left out, which makes
// its pins unusable: nothing is sent in the clear because of it.
func (s *state) readKeys(ctx context.Context, tx store.Tx, have *state, r *Ring) error {
	return each(ctx, tx, `SELECT fingerprint, source, added, public FROM pgp_key`, func(row store.Row) error {
		var fpr string
		var added int64
		var raw []byte
		h := &held{}
		if err := row.Scan(&fpr, &h.source, &added, &raw); err != nil {
			return err
		}
		h.added = time.UnixMilli(added)
		if have != nil && have.keys[fpr] != nil && string(have.keys[fpr].key.Bytes()) == string(raw) {
			h.key = have.keys[fpr].key
			s.keys[fpr] = h
			return nil
		}
		ks, err := pgp.ReadKeys(raw)
		if err != nil || len(ks) != 1 || ks[0].Fingerprint() != fpr {
			r.o.Log.Error("keyring: a key in the store is damaged; letters to its holder are not sent in the clear", "fingerprint", fpr, "error", err)
			return nil
		}
		h.key = ks[0]
		s.keys[fpr] = h
		return nil
	})
}

// each reads all rows of a query.
func each(ctx context.Context, tx store.Tx, query string, scan func(store.Row) error) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// poll is how often a gateway looks whether another has changed the keys.
const poll = 2 * time.Second

// Run keeps the keys in memory those of the store, and tells of keys that expire. It ends
// with ctx.
func (r *Ring) Run(ctx context.Context) error {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	r.remind(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-day.C:
			r.remind(ctx)
		case <-tick.C:
			if r.o.Store == nil || !r.o.Store.Shared() {
				continue
			}
			if err := r.Reload(ctx); err != nil && ctx.Err() == nil {
				r.o.Log.Warn("keyring: cannot look for changes; the keys in memory stay in use", "error", err)
			}
		}
	}
}

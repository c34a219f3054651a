package keyring

import (
	"context"
	"fmt"
	"slices"

	"congthu/internal/lang"
	"congthu/internal/pgp"
	"congthu/internal/store"
)

// Import says what is to be done with keys that come in.
type Import struct {
	Octets []byte `json:"octets"` // armored or binary, one or many keys
	Source string `json:"source"` // such as file or wkd
	Pin    bool   `json:"pin"`    // pin each key to its own addresses where they have none
	For    string `json:"for"`    // propose it for this address alone
	Actor  string `json:"-"`      // the API knows who asks
}

// Imported is what became of one key.
type Imported struct {
	pgp.KeyInfo
	Taken    bool     `json:"taken"`
	Known    bool     `json:"known"`    // it was here before
	Changed  bool     `json:"changed"`  // what came is more than what was known
	Pinned   []string `json:"pinned"`   // to these now
	Proposed []string `json:"proposed"` // these have another key, or none and nobody has asked for one
}

// Import takes public keys, each by itself: one that cannot be used is refused with its
// reason, unless it is known already, for then the reason is news. An address that has
// another key keeps it; the new key is a proposal.
func (r *Ring) Import(ctx context.Context, in Import) ([]Imported, error) {
	keys, err := pgp.ReadKeys(in.Octets)
	if err != nil {
		return nil, err
	}
	out := []Imported{}
	for some := range slices.Chunk(keys, atATime) {
		done, err := r.importSome(ctx, in, some)
		if err != nil {
			return out, err
		}
		out = append(out, done...)
	}
	return out, nil
}

// atATime is how many keys are taken in one transaction: others, who take mail, wait for it.
const atATime = 32

func (r *Ring) importSome(ctx context.Context, in Import, keys []*pgp.Key) ([]Imported, error) {
	if r.o.Store == nil {
		return nil, ErrReadOnly
	}
	var ready []joined
	for _, k := range keys {
		ready = append(ready, r.join(r.state.Load(), k))
	}
	var out []Imported
	err := r.change(ctx, func(c *change) error {
		out = nil
		for _, j := range ready {
			done, err := c.take(in, j)
			if err != nil {
				return err
			}
			out = append(out, done)
		}
		return nil
	})
	for _, done := range out {
		if err == nil && done.Taken {
			r.o.Log.Info("keyring: key imported", "fingerprint", done.Fingerprint, "source", in.Source, "pinned", done.Pinned, "proposed", done.Proposed, "code", done.Code, "by", in.Actor)
		}
	}
	return out, err
}

// joined is a key that came with the copy that was here, nil when none was. Joining and
// judging are done before the transaction.
type joined struct {
	came, old, key *pgp.Key
	err            error
}

func (r *Ring) join(s *state, k *pgp.Key) joined {
	j := joined{came: k, old: s.key(k.Fingerprint()), key: k}
	if j.old != nil {
		j.key, j.err = pgp.Merge(j.old, k)
	}
	if j.err == nil {
		j.key.Info(r.now()) // the key remembers it
	}
	return j
}

// key is that of a fingerprint, or nil.
func (s *state) key(fpr string) *pgp.Key {
	if h := s.keys[fpr]; h != nil {
		return h.key
	}
	return nil
}

// change is work on the tables, with the state that it found there.
type change struct {
	ctx context.Context
	tx  store.Tx
	s   *state
	r   *Ring
}

// change runs fn in one transaction and takes the outcome into use. The counter is written
// first: gateways that share the tables change them one after the other.
func (r *Ring) change(ctx context.Context, fn func(*change) error) error {
	if r.o.Store == nil {
		return ErrReadOnly
	}
	have := r.state.Load()
	err := r.o.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE pgp_state SET version = version + 1`); err != nil {
			return err
		}
		s, err := r.current(ctx, tx, have)
		if err != nil {
			return err
		}
		return fn(&change{ctx, tx, s, r})
	})
	if err != nil {
		return err
	}
	return r.Reload(ctx)
}

// current is the state of the tables: the one in memory, unless somebody else has changed
// them since.
func (r *Ring) current(ctx context.Context, tx store.Tx, have *state) (*state, error) {
	var version int64
	if err := tx.QueryRow(ctx, `SELECT version FROM pgp_state`).Scan(&version); err != nil {
		return nil, err
	}
	if have != nil && version == have.version+1 { // by ours
		return have.clone(), nil
	}
	s := newState()
	return s, s.read(ctx, tx, have, r)
}

func (c *change) exec(query string, args ...any) error {
	if _, err := c.tx.Exec(c.ctx, query, args...); err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	return nil
}

// take takes one key.
func (c *change) take(in Import, j joined) (Imported, error) {
	now := c.r.now()
	if c.s.key(j.came.Fingerprint()) != j.old { // another copy has come meanwhile
		j = c.r.join(c.s, j.came)
	}
	k, done := j.key, Imported{Known: j.old != nil, Pinned: []string{}, Proposed: []string{}}
	if j.err != nil {
		return done, problem(j.err, "không ghép được khoá %s với bản đang có", "the key %s does not go with the copy that is here", j.came.Fingerprint())
	}
	done.Changed = j.old != nil && string(k.Bytes()) != string(j.old.Bytes())
	done.KeyInfo = k.Info(now)
	if j.old == nil && !done.Usable {
		return done, nil
	}
	if len(k.Bytes()) > pgp.MaxImport {
		return done, problem(nil, "khoá %s quá lớn", "the key %s is too large", k.Fingerprint())
	}
	done.Taken = true
	if err := c.exec(`INSERT INTO pgp_key (fingerprint, source, added, public) VALUES ($1, $2, $3, $4)
		ON CONFLICT (fingerprint) DO UPDATE SET public = excluded.public`, k.Fingerprint(), in.Source, now.UnixMilli(), k.Bytes()); err != nil {
		return done, err
	}
	c.s.keys[k.Fingerprint()] = &held{key: k, source: in.Source, added: now}
	return done, c.claim(in, &done)
}

// claim pins the key to its addresses, or proposes it for them.
func (c *change) claim(in Import, done *Imported) error {
	for _, a := range done.Addresses {
		if in.For != "" && a != in.For {
			continue
		}
		p, taken := c.s.pins[a]
		switch {
		case taken && p.Fingerprint == done.Fingerprint:
		case !taken && in.Pin && done.Usable && !c.s.opens(done.Fingerprint): // letters to our own key only the gateway could read
			if err := c.pin(Pin{Subject: a, Fingerprint: done.Fingerprint, Actor: in.Actor}); err != nil {
				return err
			}
			done.Pinned = append(done.Pinned, a)
		case done.Usable && (taken || in.For != ""):
			if err := c.exec(`INSERT INTO pgp_proposal (subject, fingerprint, source, seen) VALUES ($1, $2, $3, $4)
				ON CONFLICT (subject, fingerprint) DO UPDATE SET seen = excluded.seen`, a, done.Fingerprint, in.Source, c.r.now().UnixMilli()); err != nil {
				return err
			}
			done.Proposed = append(done.Proposed, a)
		}
	}
	return nil
}

// pin writes a pin, and with it the key is no proposal any more.
func (c *change) pin(p Pin) error {
	forced := 0
	if p.Forced {
		forced = 1
	}
	p.Pinned = c.r.now()
	c.s.pins[p.Subject] = p
	if err := c.exec(`INSERT INTO pgp_pin (subject, fingerprint, forced, pinned, actor) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subject) DO UPDATE SET fingerprint = excluded.fingerprint, forced = excluded.forced, pinned = excluded.pinned, actor = excluded.actor`,
		p.Subject, p.Fingerprint, forced, p.Pinned.UnixMilli(), p.Actor); err != nil {
		return err
	}
	return c.exec(`DELETE FROM pgp_proposal WHERE subject = $1 AND fingerprint = $2`, p.Subject, p.Fingerprint)
}

// Pinning asks for pins.
type Pinning struct {
	Key      string   `json:"key"`      // fingerprint, or the end of it
	Subjects []string `json:"subjects"` // addresses and @domains; none: the key's own addresses
	Force    bool     `json:"force"`    // although the key does not name them
	Actor    string   `json:"-"`        // the API knows who asks
}

// Pin gives addresses a key, in place of the one they may have.
func (r *Ring) Pin(ctx context.Context, in Pinning) ([]Pin, error) {
	var out []Pin
	err := r.change(ctx, func(c *change) error {
		out = nil
		fpr, err := c.s.find(in.Key)
		if err != nil {
			return err
		}
		i := c.s.keys[fpr].key.Info(r.now())
		if !i.Usable {
			return &Problem{What: lang.T("khoá "+fpr+": "+i.Why.VI, "the key "+fpr+": "+i.Why.EN)}
		}
		subjects := in.Subjects
		if len(subjects) == 0 {
			subjects = i.Addresses
		}
		for _, s := range subjects {
			p, err := pinFor(i, s, in)
			if err != nil {
				return err
			}
			if err := c.pin(p); err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	if err == nil {
		for _, p := range out {
			r.o.Log.Info("keyring: pinned", "subject", p.Subject, "fingerprint", p.Fingerprint, "forced", p.Forced, "by", in.Actor)
		}
	}
	return out, err
}

func pinFor(i pgp.KeyInfo, name string, in Pinning) (Pin, error) {
	s := Subject(name)
	if s == "" {
		return Pin{}, problem(nil, "%q không phải địa chỉ thư hay @tên-miền", "%q is no address and no @domain", lang.Safe(name, 200))
	}
	if !names(i, s) && !in.Force {
		return Pin{}, problem(nil, "khoá %s không ghi %s; nếu đã đối chiếu vân tay với chủ khoá thì thêm --force", "the key %s does not name %s; with --force if its holder has confirmed the fingerprint", i.Fingerprint, s)
	}
	return Pin{Subject: s, Fingerprint: i.Fingerprint, Forced: !names(i, s), Actor: in.Actor}, nil
}

// Unpin takes the keys away from addresses: their letters are treated as having none.
func (r *Ring) Unpin(ctx context.Context, subjects []string, actor string) error {
	err := r.change(ctx, func(c *change) error {
		for _, name := range subjects {
			s := Subject(name)
			if _, ok := c.s.pins[s]; !ok {
				return problem(nil, "không có khoá nào ghim cho %s", "no key is pinned to %s", lang.Safe(name, 200))
			}
			if err := c.exec(`DELETE FROM pgp_pin WHERE subject = $1`, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		r.o.Log.Info("keyring: unpinned", "subjects", subjects, "by", actor)
	}
	return err
}

// Delete removes keys with their pins and proposals.
func (r *Ring) Delete(ctx context.Context, names []string, actor string) error {
	var gone []string
	err := r.change(ctx, func(c *change) error {
		gone = nil
		for _, name := range names {
			fpr, err := c.s.find(name)
			if err != nil {
				return err
			}
			if slices.Contains(gone, fpr) {
				continue
			}
			for _, query := range []string{`DELETE FROM pgp_pin WHERE fingerprint = $1`, `DELETE FROM pgp_proposal WHERE fingerprint = $1`, `DELETE FROM pgp_key WHERE fingerprint = $1`} {
				if err := c.exec(query, fpr); err != nil {
					return err
				}
			}
			gone = append(gone, fpr)
		}
		return nil
	})
	if err == nil {
		r.o.Log.Info("keyring: keys deleted", "fingerprints", gone, "by", actor)
	}
	return err
}

// Export returns keys as armored text; no names means all.
func (r *Ring) Export(_ context.Context, names []string) ([]byte, error) {
	s := r.state.Load()
	var fprs []string
	for _, name := range names {
		fpr, err := s.find(name)
		if err != nil {
			return nil, err
		}
		fprs = append(fprs, fpr)
	}
	if len(names) == 0 {
		for fpr := range s.keys {
			fprs = append(fprs, fpr)
		}
	}
	slices.Sort(fprs)
	var keys [][]byte
	for _, fpr := range slices.Compact(fprs) {
		keys = append(keys, s.keys[fpr].key.Bytes())
	}
	if len(keys) == 0 {
		return nil, problem(nil, "chưa có khoá nào", "there are no keys")
	}
	return pgp.Armor(keys...), nil
}

// Package digest tells people once a day which of their letters are held, and takes their
// replies: a letter that somebody asks for by its code is released.
//
// A digest lists what is new since the one before, for one recipient, or for the mailbox of
// an agency. It is queued in the transaction that says that the address has had the digest of
// the day, so a crash loses none and sends none twice, and of several gateways that share a
// store one sends it. What could not be sent on one day is in the digest of the next.
package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/quarantine"
	"congthu/internal/store"
)

// Box is where the letters of a recipient are told of.
type Box struct {
	To     msg.Path
	Shared bool // it is the mailbox of an agency, for all of its recipients
}

// Queue takes the letters. Nobody is told when one of them cannot be delivered.
type Queue interface {
	PrepareQuiet(ctx context.Context, t ...*msg.Transfer) (*store.Change, error)
}

// Options are the parts of the digests.
type Options struct {
	Store   *store.DB
	Queue   Queue
	Held    func(ctx context.Context, after, until time.Time, last *quarantine.Item, limit int) ([]quarantine.Item, error)
	Box     func(recipient string) (Box, bool) // of whom digests tell; false: nobody is told
	NextHop func(domain string) (string, bool)
	Texts   func() *notice.Texts
	Reason  func(quarantine.Item) lang.Text
	May     func(quarantine.Item) (ask, malware bool) // whether its recipients may ask for it; else, whether for malware
	Codes   Codes

	Address  string        // who writes them, and whom replies reach
	Name     string        // of that address
	Hostname string        // of the gateway
	Reply    bool          // replies are taken
	Hour     time.Duration // of the day, in local time, from which on they are sent
	Entries  int           // at most in one digest
	Life     time.Duration // of a code: at most so long, and not longer than the letter is held
	Settle   time.Duration // what was held later is told of tomorrow: its row may not be there yet, and clocks differ
	NewID    func() string
	Now      func() time.Time
	Log      *slog.Logger
}

// Bounds of one run.
const (
	lookBack = 7 * 24 * time.Hour   // a first digest goes no further back
	page     = 200                  // items read at a time
	maxBoxes = 50_000               // beyond them letters wait for tomorrow
	maxLines = 100_000              // entries in memory, of all digests; beyond them letters are only counted
	keepRows = 400 * 24 * time.Hour // of addresses that get no digests any more
)

// Sender sends digests.
type Sender struct {
	o    Options
	done string // day of which all are sent
}

// New returns the sender.
func New(o Options) *Sender { return &Sender{o: o} }

// Sent is what a run has done.
type Sent struct {
	Digests int `json:"digests"`
	Letters int `json:"letters"`
}

// Run sends each day's digests until the context ends.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		s.turn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Sender) turn(ctx context.Context) {
	now := s.o.Now()
	today := day(now)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if s.done == today || now.Before(midnight.Add(s.o.Hour)) {
		return
	}
	sent, err := s.Send(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Log.Error("digests not sent, tried again", "day", today, "error", err)
		}
		return
	}
	s.done = today
	if sent.Digests > 0 {
		s.o.Log.Info("digests sent", "day", today, "digests", sent.Digests, "letters", sent.Letters)
	}
	if err := s.tidy(ctx, now); err != nil {
		s.o.Log.Warn("digest tables not tidied", "error", err)
	}
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// pile is the digest of one box while it is gathered.
type pile struct {
	box   Box
	items []quarantine.Item // To: those of this box
	count int
}

// Send sends what is due to everybody who has had no digest today.
func (s *Sender) Send(ctx context.Context) (Sent, error) {
	now := s.o.Now()
	until := now.Add(-s.o.Settle)
	rows, err := s.rows(ctx)
	if err != nil {
		return Sent{}, err
	}
	piles, err := s.gather(ctx, rows, now, until)
	if err != nil {
		return Sent{}, err
	}
	keys := make([]string, 0, len(piles))
	for k := range piles {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var out Sent
	var all []error
	for _, k := range keys {
		switch err := s.send(ctx, piles[k], now, until); {
		case errors.Is(err, errTaken): // by another gateway
		case err != nil:
			all = append(all, err)
		default:
			out.Digests, out.Letters = out.Digests+1, out.Letters+piles[k].count
		}
		if len(all) > 20 || ctx.Err() != nil {
			break // it will not go better for the others
		}
	}
	return out, errors.Join(all...)
}

// row is the last digest of an address.
type row struct {
	day  string
	upto time.Time
}

func (s *Sender) rows(ctx context.Context) (map[string]row, error) {
	out := map[string]row{}
	err := s.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT address, day, upto FROM digest`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var address, day string
			var upto int64
			if err := rows.Scan(&address, &day, &upto); err != nil {
				return err
			}
			out[address] = row{day, time.UnixMilli(upto)}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	return out, nil
}

// gather sorts the letters that are new by the boxes that are told of them.
func (s *Sender) gather(ctx context.Context, rows map[string]row, now, until time.Time) (map[string]*pile, error) {
	piles := map[string]*pile{}
	var last *quarantine.Item
	lines := 0
	for {
		items, err := s.o.Held(ctx, until.Add(-lookBack), until, last, page)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			lines += s.sort(it, piles, rows, now, lines < maxLines)
		}
		if len(items) < page {
			return piles, nil
		}
		last = &items[len(items)-1]
	}
}

// sort puts a letter onto the piles of its recipients, and returns on how many it was kept.
func (s *Sender) sort(it quarantine.Item, piles map[string]*pile, rows map[string]row, now time.Time, room bool) (kept int) {
	mine := map[string][]string{}
	boxes := map[string]Box{}
	for _, to := range it.To {
		box, ok := s.o.Box(to)
		if !ok {
			continue
		}
		key := box.To.Key()
		mine[key], boxes[key] = append(mine[key], to), box
	}
	for key, to := range mine {
		r, had := rows[key]
		if had && (current(r.day, now) || !it.Held.After(r.upto) && !r.upto.After(now)) {
			continue
		}
		p := piles[key]
		if p == nil {
			if len(piles) >= maxBoxes {
				continue
			}
			p = &pile{box: boxes[key]}
			piles[key] = p
		}
		p.count++
		if room && len(p.items) < s.o.Entries {
			own := it
			own.To = to
			p.items = append(p.items, own)
			kept++
		}
	}
	return kept
}

// current tells whether a digest of that day keeps another from being sent. A day that has
// not come is of a clock that was wrong.
func current(d string, now time.Time) bool { return d >= day(now) && d <= day(now.AddDate(0, 0, 1)) }

// errTaken says that the address has had its digest.
var errTaken = errors.New("digest: already sent today")

// send queues one digest, and says so, both or neither.
func (s *Sender) send(ctx context.Context, p *pile, now, until time.Time) error {
	hop, ok := s.o.NextHop(p.box.To.Domain)
	if !ok {
		return fmt.Errorf("digest: there is no route to %s", p.box.To.Domain)
	}
	letter, err := s.letter(p, now)
	if err != nil {
		return err
	}
	id := s.o.NewID()
	letter.ID = id
	t := &msg.Transfer{ID: id, NextHop: hop, Outbound: true, To: []msg.Path{p.box.To}, SMTPUTF8: !ascii(p.box.To.Raw), Content: [][]byte{letter.Octets()}}
	in, err := s.o.Queue.PrepareQuiet(ctx, t)
	if err != nil {
		return err
	}
	return s.o.Store.Commit(ctx, claim(p.box.To.Key(), now, until), in)
}

// claim moves the row of an address on, or fails with errTaken.
func claim(address string, now, until time.Time) *store.Change {
	return &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		r, err := tx.Exec(ctx, `INSERT INTO digest (address, day, upto) VALUES ($1, $2, $3) ON CONFLICT (address) DO UPDATE SET day = excluded.day, upto = excluded.upto
			WHERE digest.day < excluded.day OR digest.day > $4`, address, day(now), until.UnixMilli(), day(now.AddDate(0, 0, 1)))
		return one(r, err)
	}}
}

func one(r sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errTaken, err)
	}
	return nil
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }

// letter writes the digest of a pile.
func (s *Sender) letter(p *pile, now time.Time) (notice.Mail, error) {
	d := notice.Digest{Day: now.Format("02/01/2006"), Mailbox: p.box.Shared, Reply: s.o.Reply, Count: p.count, More: p.count - len(p.items)}
	for i, it := range p.items {
		d.Entries = append(d.Entries, s.entry(i+1, it, p.box, now))
	}
	m := notice.Mail{Name: s.o.Name, From: s.o.Address, To: p.box.To, Host: s.o.Hostname, Now: now}
	var err error
	m.Subject, m.Body, err = s.o.Texts().Write(notice.DigestText, d)
	return m, err
}

// entry is one letter as the digest shows it. Whatever a stranger wrote is plain.
func (s *Sender) entry(n int, it quarantine.Item, box Box, now time.Time) notice.Entry {
	why := s.o.Reason(it)
	e := notice.Entry{
		N: n, Time: it.Held.In(now.Location()).Format("02/01 15:04"), From: sender(it), Subject: notice.Plain(it.Subject, 200),
		Text: lang.T(notice.Plain(why.VI, 400), notice.Plain(why.EN, 400)),
	}
	if box.Shared {
		for _, to := range it.To {
			e.To = append(e.To, notice.Plain(to, 320))
		}
	}
	may, malware := s.o.May(it)
	if e.Malware = malware; may && s.o.Reply {
		e.Code = s.o.Codes.Make(box.To.Key(), it.ID, earlier(now.Add(s.o.Life), it.Expires))
	}
	return e
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// sender says whose the letter is: the address of its envelope. The name in From is what
// a deceiver chooses.
func sender(it quarantine.Item) string {
	if it.From == "" {
		return "(không có / none)"
	}
	return notice.Plain(it.From, 320)
}

// tidy removes what is not needed any more.
func (s *Sender) tidy(ctx context.Context, now time.Time) error {
	return s.o.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM digest WHERE upto < $1`, now.Add(-keepRows).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM digest_used WHERE at < $1`, now.Add(-keepRows).UnixMilli())
		return err
	})
}

package lessons

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"congthu/internal/learn"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// day is the time in which the number of lessons is bounded.
const day = 24 * time.Hour

// Teach records a lesson and learns it if it counts. The message is parsed and read. When
// it returns without an error, the lesson is durable.
func (l *Lessons) Teach(ctx context.Context, m *msg.Message, r Report) (Lesson, error) {
	x := Lesson{At: l.o.Now().UTC(), Actor: r.Actor, Spam: r.Spam, Content: content(m), Source: cut(r.Source, 200)}
	if m.Root != nil {
		x.Sender = cut(m.Root.Get("From"), 200)
	}
	if m.Text != nil {
		x.Subject = cut(m.Text.Subject, 200)
	}
	packed := learn.Read(learn.Of(m)).Pack()
	var done Lesson
	changes := []*store.Change{{Apply: func(ctx context.Context, tx store.Tx) (err error) {
		done, err = l.record(ctx, tx, x, packed, r)
		return err
	}}}
	if r.With != nil {
		changes = append(changes, r.With)
	}
	err := l.o.Store.Commit(ctx, changes...)
	if err != nil {
		return Lesson{}, fmt.Errorf("lessons: teach: %w", err)
	}
	l.o.Log.Info("the classifier was taught", "id", done.ID, "spam", r.Spam, "actor", r.Actor, "known", done.Known, "counts", done.Counts, "why", done.Why)
	return done, l.Follow(ctx)
}

// record is Teach's transaction. It may be run more than once.
func (l *Lessons) record(ctx context.Context, tx store.Tx, x Lesson, packed []byte, r Report) (Lesson, error) {
	n, err := next(ctx, tx)
	if err != nil {
		return x, err
	}
	// What was recorded and did not count keeps nobody from teaching it.
	var was bool
	var old string
	err = tx.QueryRow(ctx, `SELECT id, spam FROM lesson WHERE content = $1 AND undone = 0 AND (counts = 1 OR spam <> $2) ORDER BY n DESC LIMIT 1`, x.Content, number(x.Spam)).Scan(&old, &was)
	switch {
	case err == nil && was == x.Spam:
		return l.known(ctx, tx, old)
	case err == nil:
		x.Replaces = old
		if _, err := tx.Exec(ctx, `UPDATE lesson SET undone = $1, undone_at = $2, undone_by = $3 WHERE id = $4`, n, x.At.UnixMilli(), x.Actor, old); err != nil {
			return x, err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return x, err
	}
	if x.Why, err = l.reject(ctx, tx, x, r); err != nil {
		return x, err
	}
	x.ID, x.Counts = l.o.NewID(), x.Why == "" || x.Why == Bulk
	about, err := l.seal(x)
	if err != nil {
		return x, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO lesson (id, n, at, actor, spam, content, about, counts, why, undone, undone_at, undone_by, example)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, '', $10)`,
		x.ID, n, x.At.UnixMilli(), x.Actor, number(x.Spam), x.Content, about, number(x.Counts), x.Why, l.o.Store.Seal(exampleName(x.ID), packed)); err != nil {
		return x, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM lesson WHERE n <= (SELECT MIN(n) FROM (SELECT n FROM lesson ORDER BY n DESC LIMIT $1) AS kept) - 1`, l.o.Keep)
	return x, err
}

// known is what the lesson with that id is.
func (l *Lessons) known(ctx context.Context, tx store.Tx, id string) (Lesson, error) {
	list, err := l.items(ctx, tx, columns+`WHERE id = $1`, id)
	if err != nil || len(list) == 0 {
		return Lesson{}, errors.Join(err, sql.ErrNoRows)
	}
	list[0].Known = true
	return list[0], nil
}

// reject says why a lesson does not count; "" and Bulk: it does. Lessons that were taken
// back count into the bounds: else one could go on for ever by taking back.
func (l *Lessons) reject(ctx context.Context, tx store.Tx, x Lesson, r Report) (string, error) {
	switch {
	case r.Spam && r.Trusted:
		return TrustedSender, nil
	case r.Bulk:
		return Bulk, nil
	}
	since := x.At.Add(-day).UnixMilli()
	var mine, all int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM lesson WHERE at > $1 AND counts = 1 AND why <> $2 AND actor = $3`, since, Bulk, x.Actor).Scan(&mine); err != nil {
		return "", err
	}
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM lesson WHERE at > $1 AND counts = 1 AND why <> $2`, since, Bulk).Scan(&all); err != nil {
		return "", err
	}
	switch {
	case mine >= l.o.PerReporter:
		return TooManyOfReporter, nil
	case all >= l.o.PerDay:
		return TooManyToday, nil
	}
	return "", nil
}

// next takes a turn: its row is locked until the transaction ends.
func next(ctx context.Context, tx store.Tx) (n int64, err error) {
	if _, err := tx.Exec(ctx, `UPDATE lesson_turn SET n = n + 1`); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT n FROM lesson_turn`).Scan(&n)
	return n, err
}

// Undo takes a lesson back: the model becomes what it would be without it.
func (l *Lessons) Undo(ctx context.Context, id, actor string) error {
	err := l.o.Store.Update(ctx, func(tx store.Tx) error {
		n, err := next(ctx, tx)
		if err != nil {
			return err
		}
		var undone int64
		if err := tx.QueryRow(ctx, `SELECT undone FROM lesson WHERE id = $1`, id).Scan(&undone); errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		if undone != 0 {
			return ErrUndone
		}
		_, err = tx.Exec(ctx, `UPDATE lesson SET undone = $1, undone_at = $2, undone_by = $3 WHERE id = $4`, n, l.o.Now().UnixMilli(), actor, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, id)
	}
	l.o.Log.Info("a lesson was taken back", "id", id, "actor", actor)
	return l.Follow(ctx)
}

// List returns the newest lessons first, those that were taken back too.
func (l *Lessons) List(ctx context.Context, limit int) (out []Lesson, err error) {
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		out, err = l.items(ctx, tx, columns+`ORDER BY n DESC LIMIT $1`, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lessons: list: %w", err)
	}
	return out, nil
}

const columns = `SELECT id, at, actor, spam, content, about, counts, why, undone_at, undone_by FROM lesson `

func (l *Lessons) items(ctx context.Context, tx store.Tx, query string, args ...any) ([]Lesson, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var out []Lesson
	for rows.Next() {
		var x Lesson
		var at, undone int64
		var about string
		if err := rows.Scan(&x.ID, &at, &x.Actor, &x.Spam, &x.Content, &about, &x.Counts, &x.Why, &undone, &x.UndoneBy); err != nil {
			return nil, err
		}
		if err := l.unseal(&x, about); err != nil {
			return nil, err
		}
		x.At = time.UnixMilli(at).UTC()
		if undone != 0 {
			x.Undone = time.UnixMilli(undone).UTC()
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

// about is what is kept of a letter for people to know it by. It is sealed like the letters
// that are held.
type about struct {
	Source, Sender, Subject string
}

func (l *Lessons) seal(x Lesson) (string, error) {
	text, err := json.Marshal(about{x.Source, x.Sender, x.Subject})
	if err != nil {
		return "", err
	}
	return l.o.Store.SealText(aboutName(x.ID), string(text)), nil
}

func (l *Lessons) unseal(x *Lesson, sealed string) error {
	text, err := l.o.Store.UnsealText(aboutName(x.ID), sealed)
	if err != nil {
		return err
	}
	var a about
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return fmt.Errorf("%w: lesson %s: %w", store.ErrCorrupt, x.ID, err)
	}
	x.Source, x.Sender, x.Subject = a.Source, a.Sender, a.Subject
	return nil
}

// Names that bind what is sealed to its place.
func aboutName(id string) string   { return "lesson.about." + id }
func exampleName(id string) string { return "lesson.example." + id }

// content is the hash of what a letter says: the text as its reader sees it and the files
// in it, not the header, which is another for each recipient.
func content(m *msg.Message) string {
	h := sha256.New()
	n := 0
	if m.Text != nil {
		h.Write([]byte(strings.TrimSpace(m.Text.Folded) + "\x00" + m.Text.Hidden)) // what forwards it may lose its last line end
		n += len(m.Text.Folded)
	}
	m.Root.Walk(func(p *msg.Part) {
		if !p.IsText() && !p.IsMultipart() && len(p.Children) == 0 {
			fmt.Fprintf(h, "\x00%d\x00", len(p.Decoded))
			h.Write(p.Decoded)
			n += len(p.Decoded)
		}
	})
	if n == 0 {
		h.Write(m.Raw)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func cut(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

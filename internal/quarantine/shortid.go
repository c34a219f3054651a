package quarantine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"congthu/internal/store"
)

// shortLength is how many characters of an id people are shown. They are its last ones,
// which are random: the first say when it was made, and are the same for a whole hour.
const (
	shortLength = 8
	leastLength = 4 // of what is taken for a part of an id
)

// Short is the part of an id that is shown where the whole is too long. It is always the
// same, and every command takes it.
func Short(id string) string {
	base, copied, _ := strings.Cut(id, "-")
	base = base[max(len(base)-shortLength, 0):]
	if copied != "" {
		return base + "-" + copied
	}
	return base
}

// Ambiguous says that a part of an id is of several messages.
type Ambiguous struct {
	Part string
	IDs  []string // within the scope of who asked; at most 5
}

// Error returns the sentence for a log.
func (a *Ambiguous) Error() string {
	return fmt.Sprintf("quarantine: %q is of several messages: %s", a.Part, strings.Join(a.IDs, " "))
}

// Resolve returns the id that a text stands for: an id, or the beginning or the end of
// one that is within the scope. What is outside of it does not make a part ambiguous.
func (w *Within) Resolve(ctx context.Context, part string) (string, error) {
	part = strings.ToUpper(strings.TrimSpace(part))
	if part == "" || strings.Trim(part, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return "", fmt.Errorf("%w: %s", ErrNotFound, part)
	}
	query, args := entryRows+`WHERE q.id = $1 ORDER BY r.n`, []any{part}
	if ids, err := w.resolve(ctx, query, args); err != nil || len(ids) == 1 {
		return part, err
	}
	if len(part) < leastLength {
		return "", fmt.Errorf("%w: %s", ErrNotFound, part)
	}
	query, args = entryRows+`WHERE q.id LIKE $1 OR q.id LIKE $2 ORDER BY q.held DESC, q.id, r.n`, []any{part + "%", "%" + part}
	ids, err := w.resolve(ctx, query, args)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("%w: %s", ErrNotFound, part)
	case len(ids) == 1:
		return ids[0], nil
	}
	return "", &Ambiguous{part, ids}
}

func (w *Within) resolve(ctx context.Context, query string, args []any) (ids []string, err error) {
	now := w.q.surely()
	err = w.q.o.Store.View(ctx, func(tx store.Tx) error {
		return w.q.entries(ctx, tx, func(e *entry) bool {
			if e.live(now) && slices.ContainsFunc(e.rcpts, func(r rcpt) bool { return w.sees(e.senderDomain, e.outbound, r) }) {
				ids = append(ids, e.id)
			}
			return len(ids) < 5
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return ids, nil
}

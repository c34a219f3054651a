package keyring

import (
	"cmp"
	"context"
	"slices"
	"time"

	"congthu/internal/pgp"
)

// Due is a pin whose key cannot be used, or cannot be for much longer.
type Due struct {
	Pin
	Code    pgp.Code  `json:"code"`
	Expires time.Time `json:"expires,omitzero"`
	Days    int       `json:"days"` // whole days that are left
}

// warnBefore is how long before its end a key is warned of in the log.
const warnBefore = 30 * 24 * time.Hour

// Calendar lists the pins whose key is of no use now or will expire within that time, the
// most urgent first.
func (r *Ring) Calendar(_ context.Context, within time.Duration) ([]Due, error) {
	s, now := r.state.Load(), r.now()
	var out []Due
	for _, p := range s.pins {
		i := r.judged(s, p)
		if i.Usable && (i.Expires.IsZero() || i.Expires.After(now.Add(within))) {
			continue
		}
		d := Due{Pin: p, Code: i.Code, Expires: i.Expires}
		if i.Usable {
			d.Days = int(i.Expires.Sub(now) / (24 * time.Hour))
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Due) int {
		switch {
		case (a.Code == pgp.OK) != (b.Code == pgp.OK):
			if a.Code == pgp.OK {
				return 1
			}
			return -1
		case !a.Expires.Equal(b.Expires):
			return a.Expires.Compare(b.Expires)
		}
		return cmp.Compare(a.Subject, b.Subject)
	})
	return out, nil
}

// NextExpiry is how long the first pinned key that is usable now stays so; ok is false when
// none ever expires.
func (r *Ring) NextExpiry() (left time.Duration, ok bool) {
	s, now := r.state.Load(), r.now()
	for _, p := range s.pins {
		i := r.judged(s, p)
		if t := i.Expires.Sub(now); i.Usable && !i.Expires.IsZero() && (!ok || t < left) {
			left, ok = t, true
		}
	}
	return left, ok
}

// Unusable counts the pins whose key cannot be used now.
func (r *Ring) Unusable() int {
	s, n := r.state.Load(), 0
	for _, p := range s.pins {
		if !r.judged(s, p).Usable {
			n++
		}
	}
	return n
}

// remind writes the calendar to the log.
func (r *Ring) remind(ctx context.Context) {
	due, err := r.Calendar(ctx, warnBefore)
	if err != nil {
		return
	}
	for _, d := range due {
		if d.Code == pgp.OK {
			r.o.Log.Warn("keyring: a key expires soon; ask its holder for the extended key", "subject", d.Subject, "fingerprint", d.Fingerprint, "expires", d.Expires.Format(time.DateOnly), "days", d.Days)
			continue
		}
		r.o.Log.Warn("keyring: a pinned key cannot be used; letters to its holder are held", "subject", d.Subject, "fingerprint", d.Fingerprint, "code", d.Code)
	}
}

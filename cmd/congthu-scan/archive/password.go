package archive

import (
	"slices"
	"time"
)

// tries bounds the passwords tried on one archive.
const tries = 64

// unlock looks for the password among those at hand. Deriving a key takes as long as
// whoever made the archive wanted, so the time in all is bounded.
func (o *opening) unlock(fits func(password string) bool) (string, bool) {
	for _, p := range o.candidates() {
		if o.ctx.Err() != nil || o.tried > o.Trying {
			return "", false
		}
		began := time.Now()
		ok := fits(p)
		o.tried += time.Since(began)
		if ok {
			if !slices.Contains(o.right, p) {
				o.right = append(o.right, p)
			}
			return p, true
		}
	}
	return "", false
}

// candidates are the passwords that were right before, then the others.
func (o *opening) candidates() []string {
	if o.Passwords == nil {
		return nil
	}
	all := slices.Concat(o.right, o.Passwords())
	return all[:min(len(all), tries)]
}

package yarasplit

import "slices"

// Heads says with which first two octets an object must begin so that a condition can
// be true of it at all. The zero value is "none": nothing can make it true.
type Heads struct {
	Any bool     // nothing is known: any object may meet it
	Of  []string // else these, sorted, each of two octets
}

func anyHead() Heads { return Heads{Any: true} }

func only(hs ...string) Heads {
	slices.Sort(hs)
	return Heads{Of: slices.Compact(hs)}
}

// Allow tells whether an object that begins so can meet the condition; "" is an object
// that begins like none of interest.
func (h Heads) Allow(head string) bool { return h.Any || slices.Contains(h.Of, head) }

// both is what two conditions demand together: each is necessary.
func both(a, b Heads) Heads {
	switch {
	case a.Any:
		return b
	case b.Any:
		return a
	}
	return Heads{Of: slices.DeleteFunc(slices.Clone(a.Of), func(h string) bool { return !slices.Contains(b.Of, h) })}
}

// either is what at least one of two conditions demands.
func either(a, b Heads) Heads {
	if a.Any || b.Any {
		return anyHead()
	}
	return only(slices.Concat(a.Of, b.Of)...)
}

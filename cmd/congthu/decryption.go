package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"congthu/internal/decrypt"
	"congthu/internal/inspect"
	"congthu/internal/msg"
	"congthu/internal/pgp"
)

// opens is the name by which opening stands among the inspectors.
const opens = "decrypt"

const (
	openingTime = 20 * time.Second // until what is not open is "unscannable:time"
	openDepth   = 3                // encryption around each other
	openLetters = 20               // inside of one
)

// open looks into what is encrypted, for the inspectors. It comes after the verification of
// senders, which is about the octets as they came.
func (j *judge) open(ctx context.Context, m *msg.Message) ([]*msg.Message, msg.Outcome) {
	o := &opening{judge: j}
	out := inspect.Run(ctx, m, []inspect.Timed{{Inspector: o, Timeout: openingTime + 5*time.Second}})[0]
	if errors.Is(out.Err, inspect.ErrDeadline) { // it may still be at work
		return nil, out
	}
	return o.letters, out
}

// opening is the opening of one letter, as an inspector, so that its time and its panics are
// bounded as theirs.
type opening struct {
	judge   *judge
	letters []*msg.Message
}

// Name returns "decrypt".
func (*opening) Name() string { return opens }

// Inspect opens what it can.
func (o *opening) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if m.Root == nil {
		return nil, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openingTime)
	defer cancel()
	r, err := decrypt.Open(ctx, m.Raw, m.Root, o.judge.openingOptions(m))
	for _, l := range r.Letters {
		inner := *m
		inner.Raw, inner.Root, inner.Text, inner.Opened = l.Raw, l.Root, nil, nil
		inner.Inside = &msg.Inside{At: l.At + decrypt.Inside, Whole: l.Whole, By: l.By, Sign: string(l.Sign)}
		o.letters = append(o.letters, &inner)
	}
	return r.Findings, r.Auth, err
}

// openingOptions are the keys of the recipients' domains and no others.
func (j *judge) openingOptions(m *msg.Message) decrypt.Options {
	var domains []string
	for _, to := range m.Envelope.To {
		domains = append(domains, j.routes.DomainOf(to))
	}
	return decrypt.Options{
		Octets: int(j.cfg.Limits.MessageSize), Depth: openDepth, Letters: openLetters,
		Keys: j.keys.Openers(domains), Signers: j.keys.Signers, Pinned: j.pinnedTo, Now: time.Now(),
	}
}

// pinnedTo is the key that an address has; one that cannot be encrypted to any more has
// still signed.
func (j *judge) pinnedTo(addr string) string { return j.keys.Lookup(addr).Fingerprint }

// wholeOf is which of the opened letters may stand in the place of the one around it, -1:
// none.
func wholeOf(m *msg.Message) int {
	return slices.IndexFunc(m.Opened, func(o *msg.Message) bool { return o.Inside.Whole })
}

// openedFor tells for whom a letter was opened whole, by a key of his own domain.
func (j *judge) openedFor(m *msg.Message) func(msg.Path) bool {
	i := wholeOf(m)
	if i < 0 {
		return nil
	}
	by := m.Opened[i].Inside.By
	return func(to msg.Path) bool {
		return slices.ContainsFunc(j.keys.Openers([]string{j.routes.DomainOf(to)}), func(o *pgp.Opener) bool { return o.Fingerprint() == by })
	}
}

// inside lets an inspector look at what was encrypted as well. Its findings say that they
// are of the inside.
type inside struct {
	msg.Inspector
	instead bool // of the letter around it, when all of that was encrypted
}

// Inspect looks at the letter and at those that were in it.
func (i inside) Inspect(ctx context.Context, m *msg.Message) (found []msg.Finding, auth []msg.AuthResult, err error) {
	if !i.instead || wholeOf(m) < 0 {
		found, auth, err = i.Inspector.Inspect(ctx, m)
	}
	for _, inner := range m.Opened {
		more, _, failed := i.Inspector.Inspect(ctx, inner)
		for _, f := range more {
			f.Part = inner.Inside.At + f.Part
			found = append(found, f)
		}
		err = errors.Join(err, failed)
	}
	return found, auth, err
}

// Explain implements msg.Explainer for inspectors that do.
func (i inside) Explain(ctx context.Context, m *msg.Message) (out []msg.Note, err error) {
	e, ok := i.Inspector.(msg.Explainer)
	if !ok {
		return nil, nil
	}
	for _, one := range append([]*msg.Message{m}, m.Opened...) {
		notes, err := e.Explain(ctx, one)
		if err != nil {
			return out, err
		}
		out = append(out, notes...)
	}
	return out, nil
}

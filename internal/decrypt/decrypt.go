// Package decrypt looks into encrypted letters. It finds OpenPGP messages wherever a reader
// would (RFC 3156 multiparts, armor in texts, attached files), opens those that a key is
// here for, and makes a letter of each, so that everything that inspects letters can inspect
// what was inside.
//
// Nothing is joined: what was encrypted and what stood beside it never become one letter, so
// that no text around a secret can carry it away when somebody opens it. And nothing comes
// out of it that is not verified to the end: a letter that was changed on the way, that
// cannot be checked, that hits a limit or that no key opens is a finding, never silence.
package decrypt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/radix64"
)

// The symbols.
const (
	Unscanned   = "ENCRYPTED_UNSCANNED" // encrypted, and not looked into
	OpenedMsg   = "PGP_OPENED"
	Broken      = "PGP_BROKEN"
	NoIntegrity = "PGP_NO_INTEGRITY"
	Unscannable = "PGP_UNSCANNABLE"
	FromDiffers = "PGP_FROM_DIFFERS"
	SignedGood  = "PGP_SIGNED_GOOD"
	SignedOther = "PGP_SIGNED_OTHER"
	SignedOdd   = "PGP_SIGNED_UNKNOWN"
	SignedBad   = "PGP_SIGNED_BAD"
)

// Symbols are all that Open may report.
func Symbols() []string {
	return []string{Unscanned, OpenedMsg, Broken, NoIntegrity, Unscannable, FromDiffers, SignedGood, SignedOther, SignedOdd, SignedBad}
}

// Options of opening. All fields are needed but Now.
type Options struct {
	Octets  int                         // that all letters inside may have together
	Depth   int                         // of encryption around each other
	Letters int                         // inside of one
	Keys    []*pgp.Opener               // that may open it
	Signers func(id uint64) []*pgp.Key  // public keys by the id of the key that signs
	Pinned  func(address string) string // fingerprint of the key that an author has; "" for none
	Now     time.Time
}

// Letter is what one OpenPGP message held, as a letter of its own below the header of the
// letter around it.
type Letter struct {
	Raw   []byte
	Root  *msg.Part
	At    string       // path of the part that was encrypted
	Whole bool         // it may be delivered in place of the letter around it
	By    string       // fingerprint of the key that opened it
	Sign  pgp.Standing // of its signature; "": it has none
}

// Result is what was found.
type Result struct {
	Letters  []Letter
	Findings []msg.Finding
	Auth     []msg.AuthResult
}

// ErrLocked says that a key is here that would open the letter, and is locked.
var ErrLocked = errors.New("decrypt: a key that opens this letter is locked")

// Open looks into a letter. The error is "could not look"; what is wrong with the letter is
// a finding.
func Open(ctx context.Context, raw []byte, root *msg.Part, o Options) (*Result, error) {
	w := &work{ctx: ctx, o: o, left: o.Octets, seen: map[[sha256.Size]byte]bool{}, author: pgp.Author(pgp.Head(raw))}
	err := w.look(raw, root, "", 0)
	if how := pgp.Protection(root); how == pgp.SMIMEEncrypted {
		w.find(Unscanned, "", "smime")
	}
	return &w.r, err
}

// work is one letter's way.
type work struct {
	ctx    context.Context
	o      Options
	r      Result
	left   int // octets
	seen   map[[sha256.Size]byte]bool
	author string
}

func (w *work) find(symbol, part, evidence string) {
	f := msg.Finding{Symbol: symbol, Part: part, Evidence: evidence}
	if !slices.Contains(w.r.Findings, f) {
		w.r.Findings = append(w.r.Findings, f)
	}
}

// look opens everything that is encrypted in one letter, and in what comes out of it.
func (w *work) look(raw []byte, root *msg.Part, under string, depth int) error {
	var locked error
	for _, s := range candidates(root) {
		at := under + s.part.Path
		if !w.first(&s) {
			continue // another reading of the same part
		}
		if depth >= w.o.Depth {
			w.find(Unscannable, at, string(pgp.TooDeep))
			return nil
		}
		if err := w.open(raw, root, s, at, depth); err != nil {
			locked = err
		}
	}
	return locked
}

// first takes the armor off a message and tells whether it is one that was not looked at
// before.
func (w *work) first(s *sealed) bool {
	if s.armored {
		if octets, err := pgp.Dearmor(s.octets); err != nil {
			s.bad = err
		} else {
			s.octets, s.armored = octets, false
		}
	} else {
		s.octets = bytes.Clone(s.octets) // opening uses them up
	}
	id := sha256.Sum256(s.octets)
	if w.seen[id] {
		return false
	}
	w.seen[id] = true
	return true
}

// open opens one message. Its error is that of a locked key.
func (w *work) open(raw []byte, root *msg.Part, s sealed, at string, depth int) error {
	opened, err := w.unseal(s)
	if err != nil {
		return w.failed(err, at)
	}
	if len(w.r.Letters) >= w.o.Letters {
		w.find(Unscannable, at, string(pgp.BadPackets))
		return nil
	}
	w.left -= len(opened.Octets)
	l := Letter{At: at, By: opened.Fingerprint}
	w.find(OpenedMsg, at, opened.Fingerprint)
	l.Raw = w.letter(pgp.Head(raw), s, opened, at)
	l.Root = mimetree.Parse(l.Raw, mimetree.DefaultLimits())
	l.Whole = depth == 0 && whole(root, s) && deliverable(l.Raw)
	l.Sign = w.signature(opened, l, at, depth == 0 && whole(root, s))
	w.r.Letters = append(w.r.Letters, l)
	return w.look(l.Raw, l.Root, at+Inside, depth+1)
}

// Inside stands in the path of a part between that of the encrypted part and its own in
// the letter that was inside. No part of a letter as it came has such a path.
const Inside = "/openpgp/"

func (w *work) unseal(s sealed) (*pgp.Opened, error) {
	switch {
	case s.bad != nil:
		return nil, s.bad
	case w.left <= 0:
		return nil, &pgp.OpenError{Reason: pgp.TooLarge}
	}
	return pgp.Open(w.ctx, s.octets, w.o.Keys, pgp.DefaultOpenLimits(w.left))
}

// failed says why a message was not opened. Where nobody has a key, damage is for its
// recipient to find: many a text quotes a piece of armor.
func (w *work) failed(err error, at string) error {
	var e *pgp.OpenError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case pgp.NoKey:
		w.find(Unscanned, at, "openpgp")
	case pgp.Locked:
		return fmt.Errorf("%w: %w", ErrLocked, e.Err)
	case pgp.NoIntegrity:
		w.find(NoIntegrity, at, "")
	case pgp.Broken:
		w.damaged(Broken, at, string(e.Reason))
	default:
		w.damaged(Unscannable, at, string(e.Reason))
	}
	return nil
}

func (w *work) damaged(symbol, at, why string) {
	if len(w.o.Keys) == 0 {
		symbol, why = Unscanned, "openpgp"
	}
	w.find(symbol, at, why)
}

// letter makes a letter of what came out.
func (w *work) letter(head []byte, s sealed, o *pgp.Opened, at string) []byte {
	switch {
	case s.kind == entity || s.kind == file && isEntity(lines(o.Octets)):
		u := pgp.Unprotect(head, lines(o.Octets))
		if u.Differs {
			w.find(FromDiffers, at, "")
		}
		return u.Letter
	case s.kind == text:
		return pgp.Entity(head, textFields(s.part, o.Octets), lines(o.Octets))
	}
	return pgp.Entity(head, fileFields(s.part, o.Name), radix64.AppendLines(nil, o.Octets, radix64.MIME, "\r\n"))
}

// signature says what came of the signature: the message's own, or else that of the
// multipart/signed inside.
func (w *work) signature(o *pgp.Opened, l Letter, at string, speaks bool) pgp.Standing {
	var sig pgp.Signature
	switch {
	case o.Signed:
		sig = o.Verify(w.o.Signers, w.o.Now)
	case l.Root.MediaType == "multipart/signed" && strings.Contains(strings.ToLower(l.Root.Params["protocol"]), "pgp"):
		sig = w.detached(l)
	default:
		if speaks {
			w.result("none", "encrypted by "+short(l.By)+", not signed")
		}
		return ""
	}
	symbol, status, why := SignedOdd, "neutral", "signed by a key that is not here"
	switch {
	case sig.Standing == pgp.SignatureBad:
		symbol, status, why = SignedBad, "fail", "the signature does not fit"
	case sig.Standing == pgp.SignatureGood && w.author != "" && w.o.Pinned(w.author) == sig.Fingerprint:
		symbol, status, why = SignedGood, "pass", "signed by "+short(sig.Fingerprint)
	case sig.Standing == pgp.SignatureGood:
		symbol, why = SignedOther, "signed by "+short(sig.Fingerprint)+", which is not pinned to the author"
	}
	w.find(symbol, at, sig.Fingerprint)
	if speaks {
		w.result(status, why)
	}
	if symbol == SignedOther {
		return pgp.SignatureUnknown
	}
	return sig.Standing
}

// detached verifies a multipart/signed whose two parts are as RFC 3156 section 5 has them.
func (w *work) detached(l Letter) pgp.Signature {
	c := l.Root.Children
	if len(c) != 2 || len(l.Root.Ambiguities) > 0 || c[0].Start < 0 || c[0].End > int64(len(l.Raw)) || c[0].Start > c[0].End {
		return pgp.Signature{Standing: pgp.SignatureBad}
	}
	return pgp.VerifyDetached(c[1].Decoded, l.Raw[c[0].Start:c[0].End], w.o.Signers, w.o.Now)
}

// result adds a line to Authentication-Results. The method is no registered one (RFC 8601
// section 2.7.6): what is said is said of the letter as it came, whose author is outside.
func (w *work) result(status, why string) {
	_, domain, _ := strings.Cut(w.author, "@")
	w.r.Auth = append(w.r.Auth, msg.AuthResult{Method: "x-openpgp", Status: status, Property: "header.from", Value: domain, Reason: why})
}

func short(fpr string) string { return fpr[max(0, len(fpr)-16):] }

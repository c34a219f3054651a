package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/policy"
	"congthu/internal/signing"
)

// encryption gathers what the policy wants to know for the encryption of a message.
func (j *judge) encryption(m *msg.Message, e policy.Encrypt) policy.Input {
	in := policy.Input{Message: m, Keys: map[string]policy.Key{}, Signer: j.keys.CanSign}
	for _, to := range m.Envelope.To {
		if k := j.keyOf(to); k != (policy.Key{}) {
			in.Keys[to.Key()] = k
		}
	}
	if m.Session.Outbound {
		in.Subject, in.Asks = wishes(m, e.Header)
	}
	if len(in.Keys) == 0 && !e.Matters(in) {
		return in
	}
	root := rootOf(m)
	if in.Protected = pgp.Protection(root); in.Protected != "" {
		in.Sealed = pgp.Sealed(root)
	}
	if !m.Session.Outbound {
		return in
	}
	if head, _, ok := bytes.Cut(m.Raw, []byte("\r\n\r\n")); ok && slices.ContainsFunc(e.Rules, func(r policy.EncryptRule) bool { return r.Sign }) {
		in.Author, _ = signing.Author(append(bytes.Clone(head), "\r\n"...))
		in.Signable = func(d msg.Decision) bool { return j.signable(m, d) }
	}
	return in
}

// signable tells whether what will leave can be signed: those very octets are looked at,
// for a letter that is judged to be signed and cannot be would wait for ever.
func (j *judge) signable(m *msg.Message, d msg.Decision) bool {
	raw := m.Raw
	if len(d.Strip) > 0 {
		var err error
		if raw, err = j.strip(m, d); err != nil {
			return false // and it does not leave either
		}
	}
	_, ok := pgp.Canonical(bytes.Join(j.below(raw), nil))
	return ok
}

// wishes reads what a sender may ask for encryption by. Of a letter that nobody has parsed
// only the header is read.
func wishes(m *msg.Message, field string) (subject string, asks []string) {
	p := m.Root
	if p == nil {
		p = &msg.Part{}
		p.Header, _, _ = mimetree.ParseHeader(m.Raw)
	}
	for _, f := range p.Fields(field) {
		asks = append(asks, f.Value)
	}
	return mimetree.DecodeWords(p.Get("Subject")), asks
}

// keyOf says what is known of a recipient's key.
func (j *judge) keyOf(to msg.Path) policy.Key {
	f := j.keys.Lookup(to.Key())
	k := policy.Key{Fingerprint: f.Fingerprint, Trouble: f.Symbol()}
	if k.Trouble != "" {
		k.Note = to.Key()
		if f.Fingerprint != "" {
			k.Note = fmt.Sprintf("%s %s %s", to.Key(), f.Fingerprint, f.Code)
		}
	}
	return k
}

// rootOf parses the message where nobody has looked at its parts.
func rootOf(m *msg.Message) *msg.Part {
	if m.Root != nil {
		return m.Root
	}
	return mimetree.Parse(m.Raw, mimetree.DefaultLimits())
}

// protection says how the sender has signed or encrypted the message already. That is
// looked for even where every inspector is skipped: encryption must not break it.
func protection(m *msg.Message) string { return pgp.Protection(rootOf(m)) }

var errUnsignable = errors.New("the letter cannot be signed as it is")

// encrypt makes the new body that a decision asks for: encrypted, or signed, or both. It
// makes it from the octets below the header block, or fails.
func (j *judge) encrypt(m *msg.Message, d msg.Decision, content [][]byte) ([][]byte, error) {
	now := time.Now()
	var by *pgp.Signer
	if d.Sign != "" {
		var err error
		if by, err = j.keys.Signer(d.Sign); err != nil {
			return nil, err
		}
	}
	if len(d.EncryptTo) == 0 {
		return signOnly(by, content, now)
	}
	e := j.rules.For(m).Policy.Encrypt
	s := pgp.Sealing{Signer: by, HideSubject: e.HideSubject, Now: now}
	if m.Session.Outbound {
		s.Tags = e.Tags
		if e.Header != "" {
			s.Drop = []string{e.Header}
		}
	}
	for _, fpr := range d.EncryptTo {
		k, err := j.keys.Key(fpr)
		if err != nil {
			return nil, err
		}
		s.To = append(s.To, k)
	}
	var size int64
	for _, c := range content {
		size += int64(len(c))
	}
	out := bytes.NewBuffer(make([]byte, 0, pgp.Size(size)))
	if err := s.Seal(out, content); err != nil {
		return nil, err
	}
	return [][]byte{out.Bytes()}, nil
}

func signOnly(by *pgp.Signer, content [][]byte, now time.Time) ([][]byte, error) {
	if by == nil {
		return nil, errUnsignable
	}
	raw, ok := pgp.Canonical(bytes.Join(content, nil))
	if !ok {
		return nil, errUnsignable
	}
	var out bytes.Buffer
	if err := by.Sign(&out, [][]byte{raw}, now); err != nil {
		return nil, err
	}
	return [][]byte{out.Bytes()}, nil
}

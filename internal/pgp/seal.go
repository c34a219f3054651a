package pgp

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Sealing is how a letter is encrypted.
type Sealing struct {
	To          []*Key
	Signer      *Signer // signs inside of the encryption; nil: nobody
	HideSubject bool    // the outer Subject becomes "[...]" (RFC 9788 section 3.2.1)
	Tags        []string
	Drop        []string // names of fields that were meant for the gateway alone
	Now         time.Time
}

// Size is about how many octets a sealed letter of that size has.
func Size(content int64) int64 { return content/lineOctets*(lineOctets*4/3+2) + 16<<10 }

// Seal writes the letter as an RFC 3156 message: its Content-* fields and its body, octet
// for octet, are what is encrypted, with copies of what its sender wrote on top (RFC 9788).
// It encrypts to all keys or writes an error: a key that cannot be used is never left out.
// The content is not copied; beside what w does, the memory used is small.
func (s Sealing) Seal(w io.Writer, content [][]byte) error {
	if len(s.To) == 0 {
		return errors.New("pgp: no key named")
	}
	for _, k := range s.To {
		if i := k.Info(s.Now); !i.Usable {
			return fmt.Errorf("pgp: key %s: %s", i.Fingerprint, i.Why.EN)
		}
	}
	head, body := split(content)
	h := protect(head, protection{hp: "cipher", hide: s.HideSubject, tags: s.Tags, drop: s.Drop})
	end, err := open(w, h.outer)
	if err != nil {
		return err
	}
	a := newArmor(w, "PGP MESSAGE", "\r\n", !s.modern())
	if err := s.encrypt(a, append([][]byte{h.inner}, body...)); err != nil {
		return fmt.Errorf("pgp: %w", err)
	}
	if err := a.Close(); err != nil {
		return err
	}
	_, err = io.WriteString(w, end)
	return err
}

// modern tells whether every recipient reads SEIPD version 2, which is used then.
func (s Sealing) modern() bool {
	return !slices.ContainsFunc(s.To, func(k *Key) bool { return !k.Info(s.Now).AEAD })
}

// pieceOctets are given to the library at a time: each of its layers copies what it is given,
// and copies of this size stay in the processor's cache.
const pieceOctets = 32 << 10

// encrypt writes the packets. The clear text is not compressed: how well a text
// compresses says something about it.
func (s Sealing) encrypt(w io.Writer, clear [][]byte) error {
	in, err := s.begin(w)
	if err != nil {
		return err
	}
	for _, part := range clear {
		for piece := range slices.Chunk(part, pieceOctets) {
			if _, err := in.Write(piece); err != nil {
				return err
			}
		}
	}
	return in.Close()
}

// begin writes the session key for each recipient. The keys are held meanwhile, and no
// longer: letters to one recipient are encrypted side by side.
func (s Sealing) begin(w io.Writer) (io.WriteCloser, error) {
	locks := slices.Clone(s.To)
	slices.SortFunc(locks, func(a, b *Key) int { return bytes.Compare(a.raw, b.raw) }) // one order for all, or two could wait for each other
	locks = slices.CompactFunc(locks, func(a, b *Key) bool { return a == b })
	var to []*openpgp.Entity
	for _, k := range locks {
		k.mu.Lock()
		defer k.mu.Unlock()
		to = append(to, k.entity)
	}
	var by []*openpgp.Entity
	if s.Signer != nil {
		s.Signer.mu.Lock()
		defer s.Signer.mu.Unlock()
		by = append(by, s.Signer.entity)
	}
	return openpgp.EncryptWithParams(w, to, nil, &openpgp.EncryptParams{Signers: by, Hints: &openpgp.FileHints{}, Config: strict(s.Now)})
}

// open writes multipart/encrypted up to the OpenPGP message (RFC 3156 section 4) and
// returns what comes after it.
func open(w io.Writer, outer []byte) (end string, err error) {
	b := boundary()
	_, err = fmt.Fprintf(w, "%sMIME-Version: 1.0\r\nContent-Type: multipart/encrypted;\r\n protocol=\"application/pgp-encrypted\";\r\n boundary=\"%s\"\r\n\r\n"+
		"--%s\r\nContent-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n\r\n"+
		"--%s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Description: OpenPGP encrypted message\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n",
		outer, b, b, b)
	return fmt.Sprintf("\r\n--%s--\r\n", b), err
}

// boundary cannot be guessed, so nobody writes a letter that contains it.
func boundary() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return "congthu-" + hex.EncodeToString(random[:])
}

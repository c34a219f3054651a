package pgp

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Encrypt makes an RFC 3156 message of a message: its Content-* fields and its body
// become the encrypted entity, octet for octet; every other field stays on top, so
// that the letter can be found and threaded. It encrypts to all keys named, or to
// none: a key that is missing or unusable is an error, never clear text.
func (s *Store) Encrypt(content []byte, fingerprints []string) ([]byte, error) {
	if len(fingerprints) == 0 {
		return nil, errors.New("pgp: no key named")
	}
	var to []*openpgp.Entity
	for _, fpr := range fingerprints {
		e, err := s.entity(fpr)
		if err != nil {
			return nil, err
		}
		to = append(to, e)
	}
	outer, inner := split(content)
	sealed, err := s.seal(inner, to)
	if err != nil {
		return nil, fmt.Errorf("pgp: %w", err)
	}
	return wrap(outer, sealed), nil
}

// seal encrypts and armors. The clear text is not compressed: how well a text
// compresses says something about it.
func (s *Store) seal(clear []byte, to []*openpgp.Entity) ([]byte, error) {
	var out bytes.Buffer
	a, err := armor.Encode(&out, "PGP MESSAGE", nil)
	if err != nil {
		return nil, err
	}
	w, err := openpgp.Encrypt(a, to, nil, nil, &openpgp.FileHints{IsUTF8: false}, config(s.now()))
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, bytes.NewReader(clear)); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("\n"), []byte("\r\n")), nil
}

// split divides a message into the fields that stay outside and the entity that is
// encrypted. Lines that are no fields stay outside, where they were.
func split(content []byte) (outer, inner []byte) {
	head, body := content, []byte(nil)
	if i := bytes.Index(content, []byte("\r\n\r\n")); i >= 0 {
		head, body = content[:i+2], content[i+4:]
	} else if bytes.HasPrefix(content, []byte("\r\n")) {
		head, body = nil, content[2:]
	}
	for len(head) > 0 {
		n := fieldEnd(head)
		if isContentField(head[:n]) {
			inner = append(inner, head[:n]...)
		} else if !isField(head[:n], "mime-version") {
			outer = append(outer, head[:n]...)
		}
		head = head[n:]
	}
	return outer, append(append(inner, "\r\n"...), body...)
}

// fieldEnd returns the length of the first field with its folded lines.
func fieldEnd(head []byte) int {
	for n := 0; ; {
		i := bytes.IndexByte(head[n:], '\n')
		if i < 0 {
			return len(head)
		}
		n += i + 1
		if n >= len(head) || (head[n] != ' ' && head[n] != '\t') {
			return n
		}
	}
}

func isContentField(field []byte) bool {
	return len(field) > 8 && strings.EqualFold(string(field[:8]), "content-")
}

func isField(field []byte, name string) bool {
	before, _, ok := bytes.Cut(field, []byte(":"))
	return ok && strings.EqualFold(strings.TrimSpace(string(before)), name)
}

// wrap puts the sealed entity into multipart/encrypted (RFC 3156 section 4).
func wrap(outer, sealed []byte) []byte {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	boundary := "congthu-" + hex.EncodeToString(random[:])
	var b bytes.Buffer
	b.Write(outer)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/encrypted;\r\n protocol=\"application/pgp-encrypted\";\r\n boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Description: OpenPGP encrypted message\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n", boundary)
	b.Write(bytes.TrimRight(sealed, "\r\n"))
	fmt.Fprintf(&b, "\r\n\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

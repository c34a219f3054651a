package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what one check costs: 19 MiB and two passes, the least that OWASP's password
// storage recommendations give for argon2id.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

var usual = cost{memory: 19 << 10, passes: 2, threads: 1}

const (
	saltSize = 16
	keySize  = 32
)

// Hash returns the PHC string of a password.
func Hash(password string) (string, error) { return usual.hash(password) }

func (c cost) hash(password string) (string, error) {
	clean, err := cleanPassword(password)
	if err != nil {
		return "", err
	}
	h := hashed{cost: c, salt: make([]byte, saltSize)}
	_, _ = rand.Read(h.salt) // never fails (crypto/rand)
	h.key = h.derive(clean)
	return h.String(), nil
}

// Generate makes a password of 120 random bits, in letters and digits that are hard to
// mistake for each other.
func Generate() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	s := base32.NewEncoding("abcdefghjkmnpqrstuvwxyz23456789A").EncodeToString(b[:])
	return s[:6] + "-" + s[6:12] + "-" + s[12:18] + "-" + s[18:]
}

// hashed is a PHC string of argon2id, read.
type hashed struct {
	cost
	salt, key []byte
}

func (h hashed) derive(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.threads, keySize)
}

func (h hashed) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.derive(password), h.key) == 1
}

// String writes the PHC string.
func (h hashed) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseHash reads what String writes. The bounds keep a damaged row from costing more
// than a check may.
func parseHash(s string) (hashed, error) {
	var h hashed
	var v int
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, ErrHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil || v != argon2.Version {
		return h, ErrHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.threads); err != nil {
		return h, ErrHash
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	bounded := h.memory >= 8 && h.memory <= 64<<10 && h.passes >= 1 && h.passes <= 10 && h.threads >= 1 && h.threads <= 4
	if err1 != nil || err2 != nil || !bounded || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) != keySize || h.String() != s {
		return hashed{}, ErrHash
	}
	return h, nil
}

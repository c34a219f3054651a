// Package dane judges a mail server's certificate by the TLSA records of its domain
// (RFC 6698, RFC 7672). It is told the records and the certificates and asks nobody:
// whether the records may be believed (DNSSEC) is for the resolver to say.
package dane

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Certificate usages that mean something for SMTP. The usages 0 and 1 lean on public
// authorities that no list for mail names, so they are as good as absent (RFC 7672
// section 3.1.3).
const (
	UsageTA = 2 // an authority: the certificate must come from it and be for the name
	UsageEE = 3 // the server's own certificate, whatever it says
)

// maxData bounds the data of one record: a certificate of 16 KiB is larger than any.
const maxData = 16 << 10

// ErrNoMatch says that no record names what the server has shown.
var ErrNoMatch = errors.New("dane: the certificate matches no TLSA record")

// Record is one TLSA record.
type Record struct {
	Usage    uint8
	Selector uint8  // 0 the certificate, 1 its public key
	Matching uint8  // 0 as it is, 1 SHA-256, 2 SHA-512
	Data     []byte // what must be found
}

// Parse reads a record's presentation form, such as "3 1 1 0123…" (RFC 6698 section
// 2.2). Digits may stand in groups.
func Parse(text string) (Record, error) {
	words := strings.Fields(text)
	if len(words) < 4 {
		return Record{}, fmt.Errorf("dane: %q is not a TLSA record", clip(text))
	}
	var n [3]uint8
	for i := range n {
		v, err := strconv.ParseUint(words[i], 10, 8)
		if err != nil {
			return Record{}, fmt.Errorf("dane: %q is not a TLSA record", clip(text))
		}
		n[i] = uint8(v)
	}
	data, err := hex.DecodeString(strings.Join(words[3:], ""))
	if err != nil || len(data) == 0 || len(data) > maxData {
		return Record{}, fmt.Errorf("dane: %q has no data of a TLSA record", clip(text))
	}
	return Record{Usage: n[0], Selector: n[1], Matching: n[2], Data: data}, nil
}

func clip(s string) string { return s[:min(len(s), 80)] }

// String returns the presentation form.
func (r Record) String() string {
	return fmt.Sprintf("%d %d %d %x", r.Usage, r.Selector, r.Matching, r.Data)
}

// Usable tells whether the record can say anything about a mail server (RFC 7672
// section 3.1.3, RFC 6698 section 4.1).
func (r Record) Usable() bool {
	size, known := map[uint8]int{1: sha256.Size, 2: sha512.Size}[r.Matching]
	return (r.Usage == UsageTA || r.Usage == UsageEE) && r.Selector <= 1 &&
		(r.Matching == 0 && len(r.Data) > 0 || known && len(r.Data) == size)
}

// Usable returns the records that can say anything.
func Usable(rs []Record) []Record {
	var out []Record
	for _, r := range rs {
		if r.Usable() {
			out = append(out, r)
		}
	}
	return out
}

// Set returns the presentation form of several records, one a line.
func Set(rs []Record) string {
	lines := make([]string, len(rs))
	for i, r := range rs {
		lines[i] = r.String()
	}
	return strings.Join(lines, "\n")
}

// ParseSet reads what Set wrote.
func ParseSet(text string) ([]Record, error) {
	var out []Record
	for line := range strings.Lines(text) {
		r, err := Parse(line)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// matches tells whether the record is about this certificate.
func (r Record) matches(c *x509.Certificate) bool {
	of := c.Raw
	if r.Selector == 1 {
		of = c.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case 1:
		sum := sha256.Sum256(of)
		of = sum[:]
	case 2:
		sum := sha512.Sum512(of)
		of = sum[:]
	}
	return subtle.ConstantTimeCompare(of, r.Data) == 1
}

// Verify tells whether one of the records vouches for the certificates that a server
// has shown, its own first. names are those of which the certificate must bear one when
// an authority vouches: the host's, and the recipients' domain (RFC 7672 section 3.2.2).
// For the server's own certificate neither name nor date matters (section 3.1.1).
func Verify(rs []Record, chain []*x509.Certificate, names ...string) error {
	if len(chain) == 0 {
		return ErrNoMatch
	}
	var wrong error
	for _, r := range Usable(rs) {
		if r.Usage == UsageEE {
			if r.matches(chain[0]) {
				return nil
			}
			continue
		}
		err := r.vouches(chain, names)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrNoMatch) {
			wrong = err
		}
	}
	if wrong != nil {
		return wrong
	}
	return ErrNoMatch
}

// vouches tells whether the authority of the record is in the chain, and the server's
// certificate comes from it. An authority that the record holds whole need not be shown.
func (r Record) vouches(chain []*x509.Certificate, names []string) error {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, c := range chain {
		others.AddCert(c)
		if r.matches(c) {
			roots.AddCert(c)
			found = true
		}
	}
	if r.Selector == 0 && r.Matching == 0 {
		if c, err := x509.ParseCertificate(r.Data); err == nil {
			roots.AddCert(c)
			found = true
		}
	}
	if !found {
		return ErrNoMatch
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: time.Now()}
	if _, err := chain[0].Verify(o); err != nil {
		return fmt.Errorf("dane: %w", err)
	}
	return bears(chain[0], names)
}

func bears(c *x509.Certificate, names []string) error {
	var err error
	for _, n := range names {
		if n == "" {
			continue
		}
		if err = c.VerifyHostname(n); err == nil {
			return nil
		}
	}
	if err == nil {
		return ErrNoMatch
	}
	return fmt.Errorf("dane: %w", err)
}

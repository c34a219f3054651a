// Package agency knows the agencies that may relay outward through the gateway: their
// networks, their client certificates and the domains that they may send for.
//
// An agency is known by its network, by a certificate or, elsewhere, by the password
// of one of its accounts. A stronger proof wins: a server that shows the certificate
// of one agency from the network of another is the first one's.
package agency

import (
	"crypto/sha256"
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"time"

	"congthu/internal/msg"
)

// Agency is one of them. Domains are lower-case A-labels, "*.a.vn" for all names below.
type Agency struct {
	Name     string
	Domains  []string
	Networks []netip.Prefix
	Prints   []Print        // certificates that are its own, whoever issued them
	CA       *x509.CertPool // or those that these issued to one of Names; nil: none
	Names    []string       // DNS names, e-mail addresses, or the subject's common name; lower-case
	Limits   Limits
}

// Limits bound what one account of the agency may send, and the agency itself where it
// is known by its network or certificate. 0 or less: no limit.
type Limits struct {
	Hour int // recipients in any hour
	Day  int // recipients in any day
}

// Book is the agencies, and the networks that may relay without being any agency's.
type Book struct {
	agencies []Agency
	open     []netip.Prefix
}

// New returns a book; it is not changed afterwards.
func New(agencies []Agency, open []netip.Prefix) *Book { return &Book{agencies, open} }

// Named returns the agency of that name.
func (b *Book) Named(name string) (Agency, bool) {
	i := slices.IndexFunc(b.agencies, func(a Agency) bool { return a.Name == name })
	if name == "" || i < 0 {
		return Agency{}, false
	}
	return b.agencies[i], true
}

// WantsCertificates tells whether a client need be asked for its certificate at all.
func (b *Book) WantsCertificates() bool {
	return slices.ContainsFunc(b.agencies, func(a Agency) bool { return len(a.Prints) > 0 || a.CA != nil })
}

// Identify tells who a client is, by its address and by the certificates it showed, its
// own first. The TLS handshake has proved that it has the key.
func (b *Book) Identify(addr netip.Addr, chain []*x509.Certificate) msg.Identity {
	if len(chain) > 0 {
		for _, a := range b.agencies {
			if a.shown(chain) {
				return a.identity(msg.ByCertificate)
			}
		}
	}
	addr = addr.Unmap().WithZone("")
	if a, ok := b.at(addr); ok {
		return a.identity(msg.ByNetwork)
	}
	if slices.ContainsFunc(b.open, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return msg.Identity{Proof: msg.ByNetwork}
	}
	return msg.Identity{}
}

func (a Agency) identity(p msg.Proof) msg.Identity {
	return msg.Identity{Proof: p, Agency: a.Name, Senders: a.Domains}
}

// at finds the agency with the narrowest network around the address.
func (b *Book) at(addr netip.Addr) (found Agency, ok bool) {
	best := -1
	for _, a := range b.agencies {
		for _, p := range a.Networks {
			if p.Contains(addr) && p.Bits() > best {
				best, found = p.Bits(), a
			}
		}
	}
	return found, best >= 0
}

// shown tells whether the chain begins with a certificate of the agency. A pinned one
// counts until it is taken out of the settings, also after its last day: the pin is
// the administrator's word, and mail should not stop on a date that nobody watched.
func (a Agency) shown(chain []*x509.Certificate) bool {
	leaf := chain[0]
	whole, key := Print(sha256.Sum256(leaf.Raw)), Print(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))
	if slices.Contains(a.Prints, whole) || slices.Contains(a.Prints, key) {
		return true
	}
	return a.CA != nil && a.names(leaf) && a.issued(chain)
}

func (a Agency) issued(chain []*x509.Certificate) bool {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: a.CA, Intermediates: between, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}

// names tells whether the certificate is made out to one of the agency's names. The
// common name counts only when there is no other (RFC 6125 section 6.4.4).
func (a Agency) names(c *x509.Certificate) bool {
	has := slices.Concat(c.DNSNames, c.EmailAddresses)
	if len(has) == 0 {
		has = []string{c.Subject.CommonName}
	}
	return slices.ContainsFunc(has, func(n string) bool { return n != "" && slices.Contains(a.Names, strings.ToLower(n)) })
}

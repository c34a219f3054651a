package msg

import (
	"strings"
	"time"
)

// Identity is who a client that may relay outward has shown to be, and by what. The
// zero Identity is a stranger.
type Identity struct {
	Proof   Proof     // what it rests on
	Agency  string    // the agency's name in the settings; "" for a network or an account without one
	Account string    // the SMTP AUTH account; "" unless Proof is ByPassword
	Since   time.Time // when the password was shown
	Senders []string  // the sender domains that are its own: "a.vn", or "*.a.vn" for all names below
}

// Proof is what an Identity rests on.
type Proof string

// The proofs, in the order of their strength.
const (
	Unproven      Proof = ""
	ByNetwork     Proof = "network"
	ByCertificate Proof = "certificate"
	ByPassword    Proof = "password"
)

// Named tells whether the identity is somebody's, whose senders are known. A network
// that belongs to no agency may relay, and nobody knows for whom.
func (i Identity) Named() bool { return i.Agency != "" || i.Account != "" }

// Owns tells whether a sender of the domain (lower-case A-labels) belongs to the
// identity. Without a name any domain does; with one, nothing but what is listed.
func (i Identity) Owns(domain string) bool {
	if !i.Named() {
		return true
	}
	for _, d := range i.Senders {
		if below, all := strings.CutPrefix(d, "*"); domain == d || all && len(domain) > len(below) && strings.HasSuffix(domain, below) {
			return domain != ""
		}
	}
	return false
}

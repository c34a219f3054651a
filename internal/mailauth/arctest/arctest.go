// Package arctest seals messages for tests: the gateway itself seals nothing.
package arctest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"congthu/internal/mailauth/sig"
)

// Set is one ARC set to be added (RFC 8617 section 5.1).
type Set struct {
	Domain  string
	Key     ed25519.PrivateKey // published at k1._domainkey.Domain
	Results string             // of Authentication-Results, such as "dmarc=pass header.from=a.test"
	CV      string             // ""; "none" for the first set and "pass" for others
	Signed  string             // h= of the message signature; "": from:from:subject
}

// Add puts a set on top of a message whose lines end in CRLF.
func (s Set) Add(raw string) string {
	old := sig.Open([]byte(raw))
	n := old.Count("arc-seal") + 1
	s.defaults(n)
	head := fmt.Sprintf("i=%d; a=ed25519-sha256; d=%s; s=k1; ", n, s.Domain)
	canon := sig.Canon{RelaxedHeader: true, RelaxedBody: true}
	body, _ := old.HashBody(canon, sig.All)
	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s; %s", n, s.Domain, s.Results)
	signature := s.sign(canon, old.Pick(strings.Split(s.Signed, ":")),
		"ARC-Message-Signature: "+head+"c=relaxed/relaxed; h="+s.Signed+"; bh="+base64.StdEncoding.EncodeToString(body[:])+"; b=")
	covered := append(sets(old, n), field(results), field(signature))
	seal := s.sign(canon, covered, "ARC-Seal: "+head+"cv="+s.CV+"; b=")
	return seal + "\r\n" + signature + "\r\n" + results + "\r\n" + raw
}

func (s *Set) defaults(n int) {
	if s.Signed == "" {
		s.Signed = "from:from:subject"
	}
	if s.CV == "" {
		s.CV = "pass"
		if n == 1 {
			s.CV = "none"
		}
	}
}

// sets are the fields of the sets below the n-th, in the order in which they are
// covered. They must be as Add writes them.
func sets(m *sig.Message, n int) []sig.Field {
	var out []sig.Field
	for i := 1; i < n; i++ {
		for _, name := range []string{"arc-authentication-results", "arc-message-signature", "arc-seal"} {
			for _, f := range m.Fields {
				if f.Name == name && strings.HasPrefix(strings.TrimSpace(f.Value()), fmt.Sprintf("i=%d;", i)) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

func field(text string) sig.Field { return sig.Open([]byte(text)).Fields[0] }

func (s Set) sign(c sig.Canon, fields []sig.Field, text string) string {
	own := field(text)
	tags, _ := sig.ParseTags(own.Value())
	sum := sha256.Sum256(c.AppendSigned(nil, fields, own, tags))
	return text + base64.StdEncoding.EncodeToString(ed25519.Sign(s.Key, sum[:]))
}

package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	library "github.com/emersion/go-msgauth/dkim"

	"congthu/internal/mailauth/sig"
)

// oversigned are signed once more than present, absent ones too, so that none can be
// added afterwards (RFC 6376 section 8.15).
var oversigned = []string{
	"From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}

// listFields are signed once more than present where they are present. Where they are
// not, a mailing list that changes nothing else writes them, and may.
var listFields = []string{
	"Sender", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
	"List-Owner", "List-Help", "List-Archive",
}

// Key is a private key and where its public half is published.
type Key struct {
	Domain   string // d=
	Selector string // s=
	Signer   crypto.Signer
}

// Sign returns the DKIM-Signature field of one key, with its final CRLF, to be put on
// top of the message.
func Sign(raw []byte, domain, selector string, key crypto.Signer) ([]byte, error) {
	return SignContent([][]byte{raw}, Key{domain, selector, key})
}

// SignContent returns the DKIM-Signature fields of all keys, for a message that lies
// in several pieces. Both canonical forms are relaxed: mail is folded anew on its way.
func SignContent(content [][]byte, keys ...Key) ([]byte, error) {
	head, _ := Split(content)
	names := toSign(sig.Open(head))
	content = append(content[:len(content):len(content)], missing(head))
	var out []byte
	for _, k := range keys {
		f, err := k.sign(content, names)
		if err != nil {
			return nil, fmt.Errorf("dkim: sign for %s: %w", k.Domain, err)
		}
		out = append(out, f...)
	}
	return out, nil
}

// missing is what a header that is the whole message lacks of its end. The library wants
// to see the blank line; whether it is there or not, the body is empty.
func missing(head []byte) []byte {
	blank := []byte("\r\n\r\n")
	switch {
	case bytes.HasSuffix(head, blank):
		return nil
	case bytes.HasSuffix(head, blank[:2]):
		return blank[:2]
	}
	return blank
}

// sign returns the field of one key.
func (k Key) sign(content [][]byte, names []string) (string, error) {
	if err := k.usable(); err != nil {
		return "", err
	}
	s, err := library.NewSigner(&library.SignOptions{
		Domain: k.Domain, Selector: k.Selector, Signer: k.Signer, HeaderKeys: names,
		HeaderCanonicalization: library.CanonicalizationRelaxed, BodyCanonicalization: library.CanonicalizationRelaxed,
	})
	if err != nil {
		return "", err
	}
	for _, c := range content {
		if _, err := s.Write(c); err != nil {
			return "", errors.Join(err, s.Close())
		}
	}
	if err := s.Close(); err != nil {
		return "", err
	}
	return s.Signature(), nil
}

// isName tells whether nothing in a name can be taken for something else in the field.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}

// usable tells why no verifier would take a signature of the key.
func (k Key) usable() error {
	if k.Signer == nil || !isName(k.Domain) || !isName(k.Selector) {
		return fmt.Errorf("key %q at %q is not whole", k.Selector, k.Domain)
	}
	switch pub := k.Signer.Public().(type) {
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if n := pub.N.BitLen(); n < sig.MinKeyBits || n > sig.MaxKeyBits {
			return fmt.Errorf("no verifier takes an RSA key of %d bits", n)
		}
	default:
		return fmt.Errorf("no DKIM key can be a %T", pub)
	}
	return nil
}

// maxTimes bounds how often one name is listed: a message with three To fields is broken
// whatever is signed of it.
const maxTimes = 3

// toSign lists the fields to sign, each name as often as it is there and once more.
func toSign(m *sig.Message) []string {
	var names []string
	for _, n := range oversigned {
		names = times(names, n, m.Count(strings.ToLower(n))+1)
	}
	for _, n := range listFields {
		if c := m.Count(strings.ToLower(n)); c > 0 {
			names = times(names, n, c+1)
		}
	}
	return names
}

func times(names []string, name string, n int) []string {
	for range min(n, maxTimes) {
		names = append(names, name)
	}
	return names
}

// Split divides a message that lies in several pieces behind the blank line that ends
// its header. What lies in one piece is not copied.
func Split(content [][]byte) (head, body []byte) {
	begins, cr := true, false // of the line
	for i, c := range content {
		for j, x := range c {
			if x == '\n' && begins {
				return concat(head, c[:j+1]), bytes.Join(append([][]byte{c[j+1:]}, content[i+1:]...), nil)
			}
			begins, cr = x == '\n' || x == '\r' && begins && !cr, x == '\r'
		}
		head = concat(head, c)
	}
	return head, nil
}

func concat(a, b []byte) []byte {
	if len(a) == 0 {
		return b
	}
	return append(a[:len(a):len(a)], b...)
}

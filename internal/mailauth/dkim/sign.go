package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

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
	head, body := Split(content)
	m := sig.Open(head)
	m.Body = body
	names := toSign(m)
	now := time.Now()
	var out []byte
	for _, k := range keys {
		f, err := k.sign(m, names, now)
		if err != nil {
			return nil, fmt.Errorf("dkim: sign for %s: %w", k.Domain, err)
		}
		out = append(out, f...)
	}
	return out, nil
}

var relaxed = sig.Canon{RelaxedHeader: true, RelaxedBody: true}

// sign makes the field up to "b=", signs that, and appends the signature.
func (k Key) sign(m *sig.Message, names []string, now time.Time) ([]byte, error) {
	if k.Signer == nil || !isName(k.Domain) || !isName(k.Selector) {
		return nil, fmt.Errorf("key %q at %q is not whole", k.Selector, k.Domain)
	}
	algorithm, hash, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	bodyHash, _ := m.HashBody(relaxed, sig.All)
	field := fmt.Appendf(nil, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s; t=%d;\r\n\th=%s;\r\n\tbh=%s;\r\n\tb=",
		algorithm, k.Domain, k.Selector, now.Unix(), folded(names), base64.StdEncoding.EncodeToString(bodyHash[:]))
	own := sig.Field{Name: "dkim-signature", Raw: field}
	tags, err := sig.ParseTags(own.Value())
	if err != nil {
		return nil, err
	}
	lower := strings.Split(strings.ToLower(strings.Join(names, ":")), ":")
	sum := sha256.Sum256(relaxed.AppendSigned(nil, m.Pick(lower), own, tags))
	signature, err := k.Signer.Sign(rand.Reader, sum[:], hash)
	if err != nil {
		return nil, err
	}
	return append(wrapped(field, base64.StdEncoding.EncodeToString(signature)), "\r\n"...), nil
}

// isName tells whether nothing in a name can be taken for something else in the field.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}

// algorithm is the a= of the key, and what its Sign wants to be told: Ed25519 signs the
// hash as if it were the message (RFC 8463 section 3).
func (k Key) algorithm() (string, crypto.Hash, error) {
	switch pub := k.Signer.Public().(type) {
	case ed25519.PublicKey:
		return "ed25519-sha256", 0, nil
	case *rsa.PublicKey:
		if n := pub.N.BitLen(); n < sig.MinKeyBits || n > sig.MaxKeyBits {
			return "", 0, fmt.Errorf("no verifier takes an RSA key of %d bits", n)
		}
		return "rsa-sha256", crypto.SHA256, nil
	default:
		return "", 0, fmt.Errorf("no DKIM key can be a %T", pub)
	}
}

const lineLength = 72

// folded is the list of h=, folded between names.
func folded(names []string) string {
	var b strings.Builder
	line := len("\th=")
	for i, n := range names {
		switch {
		case i == 0:
		case line+1+len(n) > lineLength:
			b.WriteString(":\r\n\t ")
			line = 2
		default:
			b.WriteByte(':')
			line++
		}
		b.WriteString(n)
		line += len(n)
	}
	return b.String()
}

// wrapped appends base64 text, whose white space means nothing. The first piece follows
// the equals sign at once.
func wrapped(b []byte, text string) []byte {
	for len(text) > lineLength {
		b = append(append(b, text[:lineLength]...), "\r\n\t "...)
		text = text[lineLength:]
	}
	return append(b, text...)
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

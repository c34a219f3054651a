package dkim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"
)

// handSign makes a signature field without the library, simple/simple, so that
// tags can be chosen that no honest signer writes.
func handSign(t *testing.T, raw string, key ed25519.PrivateKey, change func(string) string) string {
	t.Helper()
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	hash := sha256.Sum256([]byte(strings.TrimRight(body, "\r\n") + "\r\n"))
	tags := change("v=1; a=ed25519-sha256; d=example.test; s=k1; h=; bh=" + base64.StdEncoding.EncodeToString(hash[:]) + "; b=")
	names := strings.Split(strings.TrimSpace(strings.SplitN(strings.SplitN(tags, "h=", 2)[1], ";", 2)[0]), ":")
	signed := pick(head, names) + "DKIM-Signature: " + tags
	digest := sha256.Sum256([]byte(signed))
	return "DKIM-Signature: " + tags + base64.StdEncoding.EncodeToString(ed25519.Sign(key, digest[:])) + "\r\n"
}

// pick takes fields from the bottom up (RFC 6376 section 5.4.2).
func pick(head string, names []string) string {
	lines := strings.Split(head, "\r\n")
	var out strings.Builder
	for _, name := range names {
		for i := len(lines) - 1; i >= 0; i-- {
			if n, _, _ := strings.Cut(lines[i], ":"); strings.EqualFold(strings.TrimSpace(n), name) {
				out.WriteString(lines[i] + "\r\n")
				lines[i] = ""
				break
			}
		}
	}
	return out.String()
}

// Whatever is sent, only who has the key passes.
func FuzzVerify(f *testing.F) {
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(f, edKey(), "")}}
	f.Add([]byte(sign(f, letter, "example.test", "k1", edKey())))
	f.Add([]byte("DKIM-Signature: v=1\r\n d=x\r\n\r\n"))
	f.Add([]byte(" folded: first\nDKIM-Signature :\n\tb=\nFrom\n\n"))
	f.Add([]byte("dkim-signature"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rep := Verify(t.Context(), z, sig.Open(raw))
		for _, s := range rep.Signatures {
			if s.Status == Pass && s.Domain != "example.test" {
				t.Fatalf("passed for %q", s.Domain)
			}
		}
	})
}

func FuzzKeyRecord(f *testing.F) {
	signed := []byte(sign(f, letter, "example.test", "k1", edKey()))
	f.Add(keyRecord(f, edKey(), "t=y:s; ").Data)
	f.Add("p=" + strings.Repeat("A", 2000))
	f.Add("v=DKIM1; p=a; p=b")
	f.Fuzz(func(t *testing.T, record string) {
		rep := Verify(t.Context(), fake.Zone{"k1._domainkey.example.test": {fake.TXT(record)}}, sig.Open(signed))
		if len(rep.Signatures) != 1 {
			t.Fatalf("%+v", rep)
		}
	})
}

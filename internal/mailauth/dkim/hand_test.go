package dkim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
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

// TestCorpus runs a published corpus when it is there: nothing that it calls bad
// may pass, and what it calls good passes unless it is signed in a way that RFC
// 8301 has since forbidden (SHA-1, short keys) or l= spoils.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CONGTHU_SUITES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "suites")
	}
	dir = filepath.Join(dir, "dkim", "mail-dkim")
	table, err := os.ReadFile(filepath.Join(dir, "FAKE_DNS.dat"))
	if err != nil {
		t.Skipf("the DKIM corpus is not here (set CONGTHU_SUITES): %v", err)
	}
	z := make(fake.Zone)
	for line := range strings.Lines(string(table)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch value = strings.TrimSpace(value); {
		case name == "" || name[0] == '#' || value == "NXDOMAIN":
		case strings.HasPrefix(value, "~~"):
			z[strings.ToLower(name)] = []fake.Record{fake.ServFail("")}
		default:
			z[strings.ToLower(name)] = []fake.Record{fake.TXT(strings.Trim(value, `"`))}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for _, file := range files {
		name := filepath.Base(file)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
		rep := verify(t, z, text)
		passed := 0
		for _, s := range rep.Signatures {
			counts[s.Status]++
			if s.Status == Pass {
				passed++
			}
		}
		if passed > 0 && strings.HasPrefix(name, "bad") {
			t.Errorf("%s passes: %+v", name, rep)
		}
		if passed == 0 && strings.HasPrefix(name, "good") {
			t.Logf("%s: %+v", name, rep.Results())
		}
	}
	t.Logf("%d messages: %v", len(files), counts)
	if counts[Pass] < corpusFloor {
		t.Errorf("%d signatures verify, want at least %d", counts[Pass], corpusFloor)
	}
}

// corpusFloor is the least number of signatures in the corpus that must verify.
const corpusFloor = 1

// The scan of the header and the library's must find the same signatures, or
// results would be told of the wrong ones; Verify says so itself.
func FuzzVerify(f *testing.F) {
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(f, edKey(), "")}}
	f.Add([]byte(sign(f, letter, "example.test", "k1", edKey())))
	f.Add([]byte("DKIM-Signature: v=1\r\n d=x\r\n\r\n"))
	f.Add([]byte(" folded: first\nDKIM-Signature :\n\tb=\nFrom\n\n"))
	f.Add([]byte("dkim-signature"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rep, err := Verify(t.Context(), z, raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
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
		rep, err := Verify(t.Context(), fake.Zone{"k1._domainkey.example.test": {fake.TXT(record)}}, signed)
		if err != nil || len(rep.Signatures) != 1 {
			t.Fatalf("%+v, %v", rep, err)
		}
	})
}

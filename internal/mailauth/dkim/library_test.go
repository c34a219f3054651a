package dkim

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

// librarySign signs with the library in any of the four canonical forms.
func librarySign(raw []byte, form int) (string, error) {
	forms := []msgauth.Canonicalization{msgauth.CanonicalizationSimple, msgauth.CanonicalizationRelaxed}
	s, err := msgauth.NewSigner(&msgauth.SignOptions{
		Domain: "example.test", Selector: "k1", Signer: edKey(), HeaderKeys: []string{"From", "Subject", "X", "x", "From"},
		HeaderCanonicalization: forms[form&1], BodyCanonicalization: forms[form>>1&1],
	})
	if err != nil {
		return "", err
	}
	_, werr := s.Write(raw)
	if err := s.Close(); err != nil {
		return "", err
	}
	return s.Signature(), werr
}

// agree compares what the library and we say of the topmost signature.
func agree(tb testing.TB, z fake.Zone, raw []byte) (passed bool) {
	tb.Helper()
	checks, err := msgauth.VerifyWithOptions(bytes.NewReader(whole(raw)), &msgauth.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return z.LookupTXT(tb.Context(), name) },
		MaxVerifications: MaxSignatures,
	})
	rep := Verify(tb.Context(), z, sig.Open(raw))
	if err != nil && len(checks) == 0 {
		tb.Fatalf("library: %v", err)
	}
	if len(checks) != len(rep.Signatures) {
		tb.Fatalf("library sees %d signatures, we see %d in %q", len(checks), len(rep.Signatures), raw)
	}
	for i, c := range checks {
		s := rep.Signatures[i]
		verified := s.Status == Pass || s.Status == Policy && strings.Contains(s.Reason, "From")
		if verified != (c.Err == nil) {
			tb.Fatalf("library: %v, we: %s (%s) of %q", c.Err, s.Status, s.Reason, raw)
		}
		passed = passed || verified
	}
	return passed
}

// whole gives a message that is all header the empty line that the library waits for
// (RFC 5322 section 2.1: a body is optional, and so is its separator).
func whole(raw []byte) []byte {
	if bytes.HasPrefix(raw, []byte("\n")) || bytes.HasPrefix(raw, []byte("\r\n")) || bytes.Contains(raw, []byte("\n\r\n")) || bytes.Contains(raw, []byte("\n\n")) {
		return raw
	}
	end := []byte("\r\n\r\n")
	if bytes.HasSuffix(raw, []byte("\n")) {
		end = end[2:]
	}
	return append(bytes.Clone(raw), end...)
}

// pieces are what a generated message is made of: every kind of white space and line
// that a canonical form treats in its own way.
var pieces = []string{"a", "Tiếng", " ", "  ", "\t", " \t ", "\r\n", "\r\n\r\n", " \r\n", "\t\r\n", ".", "=", strings.Repeat("x", 700), "word "}

func generated(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func generatedHeader(r *rand.Rand) string {
	var b strings.Builder
	for _, name := range []string{"From", "Subject ", "X", "x\t", "To"} {
		value := strings.ReplaceAll(generated(r, 8), "\r\n", "\r\n ")
		b.WriteString(name + ":" + value + "\r\n")
	}
	return b.String()
}

// Over many messages, in all four forms, untouched and with one octet changed, the
// library and we come to the same result.
func TestLikeTheLibrary(t *testing.T) {
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), "")}}
	r := rand.New(rand.NewPCG(1, 2))
	untouched, changed := 0, 0
	for i := range 4000 {
		raw := []byte(generatedHeader(r) + "\r\n" + generated(r, 30))
		field, err := librarySign(raw, i)
		if err != nil {
			t.Fatal(err)
		}
		signed := append([]byte(field), raw...)
		if !agree(t, z, signed) {
			t.Fatalf("what the library signs does not verify: %q", signed)
		}
		untouched++
		at := r.IntN(len(signed))
		if c := signed[at]; c == '\r' || c == '\n' || c >= 0x80 {
			continue
		}
		signed[at] = " \ta;="[r.IntN(5)]
		if agree(t, z, signed) {
			changed++
		}
	}
	if untouched < 3000 || changed < 100 {
		t.Errorf("%d untouched and %d harmlessly changed messages: the test sees too little", untouched, changed)
	}
}

// What we sign verifies in the library's reading as well.
func TestTheLibraryVerifiesWhatWeSign(t *testing.T) {
	keys := []Key{{"example.test", "k1", edKey()}, {"example.test", "k2", rsaKey(t, 1024)}}
	z := fake.Zone{}
	for _, k := range keys {
		z[Name(k.Selector, k.Domain)] = []fake.Record{keyRecord(t, k.Signer, "")}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		raw := []byte(generatedHeader(r) + "\r\n" + generated(r, 30))
		head, err := SignContent([][]byte{raw}, keys[r.IntN(2)])
		if err != nil {
			t.Fatal(err)
		}
		if signed := append(head, raw...); !agree(t, z, signed) {
			t.Fatalf("does not verify: %q", signed)
		}
	}
}

// Any message that the library can sign verifies here, in all canonical forms.
func FuzzLikeTheLibrary(f *testing.F) {
	f.Add("From: a\r\nSubject: b\r\n", "text \r\n\r\n", 3, 10, byte('x'))
	f.Add("From:\r\n a\r\nX : \t\r\n", "", 0, 0, byte(' '))
	f.Add("X\r\nFrom: b\r\n", "  \r\n \r\n", 2, 300, byte('\t'))
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(f, edKey(), "")}}
	f.Fuzz(func(t *testing.T, head, body string, form, at int, with byte) {
		raw := []byte(crlfText([]byte(strings.Map(printableASCII, head) + "\r\n\r\n" + strings.ReplaceAll(body, "\r", ""))))
		field, err := librarySign(raw, form)
		if err != nil {
			return
		}
		signed := append([]byte(field), raw...)
		agree(t, z, signed)
		if at = at % len(signed); at < 0 || with < ' ' && with != '\t' || with >= 0x7f || strings.IndexByte("\r\n", signed[at]) >= 0 {
			return
		}
		if strings.IndexByte("ilxt=b;:", with) >= 0 && at < len(field) {
			return // tags that the library reads in its own way
		}
		signed[at] = with
		agree(t, z, signed)
	})
}

func printableASCII(r rune) rune {
	if r >= ' ' && r < 0x7f || r == '\t' || r == '\n' {
		return r
	}
	return -1
}

// The price of one signature, ours and the library's.
func BenchmarkVerify(b *testing.B) {
	key := rsaKey(b, 2048)
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(b, key, "")}}
	line := "Kính gửi các đồng chí, văn bản số 12/UBND về việc kiểm tra hệ thống.\r\n"
	for _, size := range []struct {
		name string
		size int
		text string
	}{
		{"4KB", 4 << 10, line},
		{"40KB", 40 << 10, line},
		{"1MB", 1 << 20, line},
		{"1MB-base64", 1 << 20, strings.Repeat("QUJD", 19) + "\r\n"},
	} {
		raw := []byte(sign(b, letter+strings.Repeat(size.text, size.size/len(size.text)), "example.test", "k1", key))
		b.Run(size.name+"/ours", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if s := Verify(b.Context(), z, sig.Open(raw)).Signatures[0]; s.Status != Pass {
					b.Fatal(s)
				}
			}
		})
		b.Run(size.name+"/library", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				v, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), &msgauth.VerifyOptions{
					LookupTXT: func(name string) ([]string, error) { return z.LookupTXT(b.Context(), name) },
				})
				if err != nil || v[0].Err != nil {
					b.Fatal(err, v)
				}
			}
		})
	}
}

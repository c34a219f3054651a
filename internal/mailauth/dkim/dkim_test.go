package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"
)

const letter = "From: Ann <ann@example.test>\r\n" +
	"To: bob@dept.test\r\n" +
	"Subject: =?utf-8?q?C=C3=B4ng_v=C4=83n?=\r\n" +
	"Date: Mon, 02 Nov 2026 08:00:00 +0700\r\n" +
	"Message-ID: <1@example.test>\r\n" +
	"\r\n" +
	"Kính gửi anh Bob,\r\n\r\nbody  text\r\n"

var rsaKeys sync.Map // of bits: making keys is slow

func rsaKey(tb testing.TB, bits int) *rsa.PrivateKey {
	tb.Helper()
	if k, ok := rsaKeys.Load(bits); ok {
		return k.(*rsa.PrivateKey)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	rsaKeys.Store(bits, k)
	return k
}

func edKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

// keyRecord is the TXT record of a key, with more tags in front.
func keyRecord(tb testing.TB, key crypto.Signer, tags string) fake.Record {
	tb.Helper()
	if pub, ok := key.Public().(ed25519.PublicKey); ok {
		return fake.TXT("v=DKIM1; " + tags + "k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub))
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return fake.TXT("v=DKIM1; " + tags + "p=" + base64.StdEncoding.EncodeToString(der))
}

func sign(tb testing.TB, raw, domain, selector string, key crypto.Signer) string {
	tb.Helper()
	h, err := Sign([]byte(raw), domain, selector, key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(h) + raw
}

func verify(tb testing.TB, r Resolver, raw string) Report {
	tb.Helper()
	return Verify(tb.Context(), r, sig.Open([]byte(raw)))
}

func TestSignAndVerify(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa-sha256": rsaKey(t, 2048), "ed25519-sha256": edKey()} {
		z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
		signed := sign(t, letter, "example.test", "k1", key)
		rep := verify(t, z, signed)
		if len(rep.Signatures) != 1 || rep.Ignored != 0 {
			t.Fatalf("%s: %+v", name, rep)
		}
		s := rep.Signatures[0]
		if s.Status != Pass || s.Domain != "example.test" || s.Selector != "k1" || s.Algorithm != name || len(s.Hash) != 8 || s.Testing {
			t.Errorf("%s: %+v", name, s)
		}
		a := rep.Results()[0]
		if a.Method != "dkim" || a.Status != "pass" || a.Property != "header.d" || a.Value != "example.test" || a.Reason != "selector k1" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestUnsigned(t *testing.T) {
	rep := verify(t, fake.Zone{}, letter)
	if len(rep.Signatures) != 0 || len(rep.Results()) != 1 || rep.Results()[0].Status != None {
		t.Errorf("%+v %+v", rep, rep.Results())
	}
}

// What happens to a signed letter on the way, and what must come of it.
func TestTampering(t *testing.T) {
	key := rsaKey(t, 2048)
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
	signed := sign(t, letter, "example.test", "k1", key)
	replace := func(old, with string) string {
		if !strings.Contains(signed, old) {
			t.Fatalf("%q is not in the letter", old)
		}
		return strings.Replace(signed, old, with, 1)
	}
	for name, c := range map[string]struct{ raw, status, reason string }{
		"untouched":             {signed, Pass, ""},
		"body changed":          {replace("body  text", "body text!"), Fail, "body hash"},
		"body extended":         {signed + "more\r\n", Fail, "body hash"},
		"white space (relaxed)": {replace("body  text", "body text "), Pass, ""},
		"empty lines at end":    {signed + "\r\n\r\n", Pass, ""},
		"subject changed":       {replace("C=C3=B4ng", "C=C3=B5ng"), Fail, "did not verify"},
		"subject added":         {"Subject: urgent\r\n" + signed, Fail, "did not verify"},
		"To added":              {"To: all@dept.test\r\n" + signed, Fail, "did not verify"},
		"From prepended":        {"From: boss@gov.test\r\n" + signed, Fail, ""},
		"From appended":         {replace("To: bob", "From: boss@gov.test\r\nTo: bob"), Fail, ""},
		"Received added":        {"Received: from a by b; Mon, 02 Nov 2026 08:00:01 +0700\r\n" + signed, Pass, ""},
		"other selector":        {replace("s=k1", "s=k2"), PermError, "no key"},
		"other domain":          {replace("d=example.test", "d=gov.test"), PermError, "no key"},
		"version":               {replace("v=1", "v=2"), PermError, "version"},
		"garbage tags":          {"DKIM-Signature: v=1; nonsense\r\n" + letter, PermError, "malformed"},
		"tag twice":             {"DKIM-Signature: v=1; d=a.test; d=b.test\r\n" + letter, PermError, "malformed"},
		"empty field":           {"DKIM-Signature:\r\n" + letter, PermError, ""},
	} {
		rep := verify(t, z, c.raw)
		if len(rep.Signatures) != 1 {
			t.Errorf("%s: %+v", name, rep)
			continue
		}
		s := rep.Signatures[0]
		if s.Status != c.status || !strings.Contains(s.Reason, c.reason) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, s.Status, s.Reason, c.status, c.reason)
		}
	}
}

// careless signs with the fields and tags given, as a sender who does not
// oversign does.
func careless(t *testing.T, z fake.Zone, raw string, change func(string) string) Signature {
	t.Helper()
	key := edKey()
	if z == nil {
		z = fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
	}
	field := handSign(t, raw, key, change)
	rep := verify(t, z, field+raw)
	if len(rep.Signatures) != 1 {
		t.Fatalf("%+v", rep)
	}
	return rep.Signatures[0]
}

// A signature that verifies is worth nothing when a From field is outside it.
func TestFromMustBeSigned(t *testing.T) {
	once := func(tags string) string { return strings.Replace(tags, "h=", "h=from:subject", 1) }
	if s := careless(t, nil, letter, once); s.Status != Pass {
		t.Errorf("one From, signed once: %+v", s)
	}
	two := "From: Boss <boss@gov.test>\r\n" + letter
	if s := careless(t, nil, two, once); s.Status != Policy || !strings.Contains(s.Reason, "2 From fields, 1 signed") {
		t.Errorf("second From not signed: %+v", s)
	}
	both := func(tags string) string { return strings.Replace(tags, "h=", "h=from:from:subject", 1) }
	if s := careless(t, nil, two, both); s.Status != Pass {
		t.Errorf("both From signed by who stands in for them: %+v", s)
	}
	if s := careless(t, nil, strings.Replace(letter, "From:", "X-From:", 1), once); s.Status != Policy {
		t.Errorf("no From at all: %+v", s)
	}
	none := func(tags string) string { return strings.Replace(tags, "h=", "h=subject:to", 1) }
	if s := careless(t, nil, letter, none); s.Status != PermError {
		t.Errorf("From not in h=: %+v", s)
	}
	odd := "fRoM : boss@gov.test\r\n" + letter
	if s := careless(t, nil, odd, once); s.Status != Policy {
		t.Errorf("From in odd case and spacing: %+v", s)
	}
}

func TestTagsThatMatter(t *testing.T) {
	set := func(more string) func(string) string {
		return func(tags string) string { return strings.Replace(tags, "h=", more+"h=from", 1) }
	}
	strict := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), "t=y : s; ")}}
	for name, c := range map[string]struct {
		zone   fake.Zone
		tags   string
		status string
		test   bool
	}{
		"body length":         {nil, fmt.Sprintf("l=%d; ", len(letter)-strings.Index(letter, "\r\n\r\n")-4), Policy, false},
		"body shorter":        {nil, "l=100000; ", Fail, false},
		"length is no number": {nil, "l=-1; ", PermError, false},
		"expires too early":   {nil, "t=2; x=1; ", PermError, false},
		"quoted identity":     {nil, "i=a=40mail.example.test; ", Pass, false},
		"expired":             {nil, "x=1000000000; ", PermError, false},
		"not yet expired":     {nil, fmt.Sprintf("x=%d; ", time.Now().Add(time.Hour).Unix()), Pass, false},
		"identity beneath":    {nil, "i=@mail.example.test; ", Pass, false},
		"foreign identity":    {nil, "i=@gov.test; ", PermError, false},
		"strict, none":        {strict, "", Pass, true},
		"strict, same":        {strict, "i=ann@example.test; ", Pass, true},
		"strict, beneath":     {strict, "i=@mail.example.test; ", PermError, true},
		"other query":         {nil, "q=dns/other; ", PermError, false},
		"hash not allowed":    {fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), "h=sha1; ")}}, "", PermError, false},
		"key not for mail":    {fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), "s=chat; ")}}, "", PermError, false},
		"key revoked":         {fake.Zone{"k1._domainkey.example.test": {fake.TXT("v=DKIM1; p=")}}, "", PermError, false},
		"key is no key":       {fake.Zone{"k1._domainkey.example.test": {fake.TXT("v=DKIM1; p=AAAA")}}, "", PermError, false},
		"two keys":            {fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), ""), keyRecord(t, edKey(), "")}}, "", PermError, false},
		"no such key":         {fake.Zone{}, "", PermError, false},
		"empty key record":    {fake.Zone{"k1._domainkey.example.test": {fake.TXT("")}}, "", PermError, false},
		"server fails":        {fake.Zone{"k1._domainkey.example.test": {fake.ServFail("")}}, "", TempError, false},
		"server is silent":    {fake.Zone{"k1._domainkey.example.test": {fake.Timeout("")}}, "", TempError, false},
		"server is refused":   {fake.Zone{"k1._domainkey.example.test": {fake.Refused("")}}, "", TempError, false},
	} {
		if s := careless(t, c.zone, letter, set(c.tags)); s.Status != c.status || s.Testing != c.test {
			t.Errorf("%s: %+v, want %s, testing %v", name, s, c.status, c.test)
		}
	}
}

// A domain is the same in any case, and is reported in one.
func TestUpperCaseDomain(t *testing.T) {
	s := careless(t, nil, letter, func(tags string) string {
		return strings.Replace(strings.Replace(tags, "d=example.test", "d=EXAMPLE.Test; i=@Mail.example.TEST", 1), "h=", "h=from", 1)
	})
	if s.Status != Pass || s.Domain != "example.test" {
		t.Errorf("%+v", s)
	}
}

// Among too many signatures those of the author's domain are looked at first, wherever
// they stand, and results keep the order of the header.
func TestAlignedFirst(t *testing.T) {
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, edKey(), "")}, "k1._domainkey.list.test": {keyRecord(t, edKey(), "")}}
	raw := sign(t, letter, "example.test", "k1", edKey())
	stranger := strings.SplitAfter(sign(t, raw, "list.test", "k1", edKey()), "\r\nDKIM-Signature")[0]
	raw = strings.Repeat(strings.TrimSuffix(stranger, "DKIM-Signature"), 30) + raw
	for _, c := range []struct{ author, last string }{
		{"example.test", "example.test"},
		{"mail.example.test", "example.test"},
		{"other.test", "list.test"},
	} {
		rep := Verify(t.Context(), z, sig.Open([]byte(raw)), c.author)
		if len(rep.Signatures) != MaxSignatures || rep.Ignored != 21 {
			t.Fatalf("%d signatures, %d ignored", len(rep.Signatures), rep.Ignored)
		}
		if s := rep.Signatures[MaxSignatures-1]; s.Domain != c.last || s.Status != Pass {
			t.Errorf("author %s: the last is %+v", c.author, s)
		}
	}
}

type lookupFunc func(context.Context, string) ([]string, error)

func (f lookupFunc) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return f(ctx, name)
}

func TestUnclearErrorIsTemporary(t *testing.T) {
	signed := sign(t, letter, "example.test", "k1", edKey())
	for _, err := range []error{
		context.DeadlineExceeded, errors.New("too many open files"),
		&net.DNSError{Err: "no answer from DNS server"}, &net.OpError{Op: "dial", Err: errors.New("unreachable")},
	} {
		rep := verify(t, lookupFunc(func(context.Context, string) ([]string, error) { return nil, err }), signed)
		if rep.Signatures[0].Status != TempError {
			t.Errorf("%v: %+v", err, rep)
		}
	}
}

// A key is judged by its length before it costs anything. The long keys are just
// numbers: making real ones takes seconds, and a signature that does not verify
// shows that the length was accepted.
func TestKeySizes(t *testing.T) {
	signer := rsaKey(t, 1024)
	signed := sign(t, letter, "example.test", "k1", signer)
	for _, c := range []struct {
		bits           int
		status, reason string
	}{
		{1016, PermError, "too short"},
		{1024, Pass, ""},
		{4096, Fail, "did not verify"},
		{4097, PermError, "longer than 4096"},
		{16384, PermError, "longer than 4096"},
	} {
		pub := &signer.PublicKey
		if c.bits != 1024 {
			n := new(big.Int).Lsh(big.NewInt(1), uint(c.bits-1))
			pub = &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
		}
		pkix, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		for form, der := range map[string][]byte{"PKIX": pkix, "PKCS#1": x509.MarshalPKCS1PublicKey(pub)} {
			z := fake.Zone{"k1._domainkey.example.test": {fake.TXT("p=" + base64.StdEncoding.EncodeToString(der))}}
			s := verify(t, z, signed).Signatures[0]
			if s.Status != c.status || !strings.Contains(s.Reason, c.reason) {
				t.Errorf("%d bits, %s: %+v, want %s (%s)", c.bits, form, s, c.status, c.reason)
			}
		}
	}
}

// Two thousand signatures cost ten lookups.
func TestManySignatures(t *testing.T) {
	var lookups atomic.Int64
	r := lookupFunc(func(context.Context, string) ([]string, error) {
		lookups.Add(1)
		return nil, &net.DNSError{IsNotFound: true}
	})
	field := strings.SplitAfter(sign(t, letter, "example.test", "k1", edKey()), "\r\nFrom:")[0]
	field = strings.TrimSuffix(field, "From:")
	begin := time.Now()
	rep := verify(t, r, strings.Repeat(field, 2000)+letter)
	if len(rep.Signatures) != MaxSignatures || rep.Ignored != 1990 || lookups.Load() != MaxSignatures {
		t.Errorf("%d signatures, %d ignored, %d lookups", len(rep.Signatures), rep.Ignored, lookups.Load())
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// Results stand in the order of the fields, so each belongs to its signature.
func TestSeveralSigners(t *testing.T) {
	rsaSigner, ed := rsaKey(t, 2048), edKey()
	z := fake.Zone{
		"r._domainkey.example.test": {keyRecord(t, rsaSigner, "")},
		"e._domainkey.list.test":    {keyRecord(t, ed, "t=y; ")},
		"x._domainkey.slow.test":    {fake.Timeout("")},
	}
	raw := sign(t, letter, "example.test", "r", rsaSigner)
	raw = sign(t, raw, "slow.test", "x", ed)
	raw = sign(t, raw, "list.test", "e", ed)
	var got []string
	for _, a := range verify(t, z, raw).Results() {
		got = append(got, a.Value+" "+a.Status+" ("+a.Reason+")")
	}
	want := "list.test pass (selector e; key in testing mode) | slow.test temperror (selector x; key unavailable: lookup x._domainkey.slow.test: time-out) | example.test pass (selector r)"
	if strings.Join(got, " | ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " | "), want)
	}
}

func TestMessageWithoutBody(t *testing.T) {
	key := edKey()
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
	header := letter[:strings.Index(letter, "\r\n\r\n")]
	for _, raw := range []string{header, header + "\r\n", header + "\r\n\r\n"} {
		if rep := verify(t, z, sign(t, raw, "example.test", "k1", key)); rep.Signatures[0].Status != Pass {
			t.Errorf("%q: %+v", raw, rep)
		}
	}
}

func TestSignErrors(t *testing.T) {
	if _, err := Sign([]byte(letter), "", "k1", edKey()); err == nil {
		t.Error("signed for no domain")
	}
	if _, err := Sign([]byte(letter), "example.test", "k1", nil); err == nil {
		t.Error("signed without a key")
	}
	if _, err := Sign([]byte(letter), "example.test", "k1", badKey{}); err == nil {
		t.Error("signed with a key that fails")
	}
}

type badKey struct{}

func (badKey) Public() crypto.PublicKey { return edKey().Public() }
func (badKey) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the card was pulled out")
}

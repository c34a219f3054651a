package arc_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/arc"
	"congthu/internal/mailauth/arctest"
	"congthu/internal/mailauth/sig"
)

const letter = "From: Ann <ann@author.test>\r\nSubject: hello\r\n\r\nText.\r\n"

func key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)) }

func zone() fake.Zone {
	record := fake.TXT("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key().Public().(ed25519.PublicKey)))
	return fake.Zone{
		"k1._domainkey.list.test":  {record},
		"k1._domainkey.relay.test": {record},
		"k1._domainkey.slow.test":  {fake.Timeout("")},
		"k1._domainkey.other.test": {fake.TXT("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 32)))},
	}
}

func seal(raw, domain string) string {
	return arctest.Set{Domain: domain, Key: key(), Results: "spf=fail; dmarc=pass header.from=Author.test"}.Add(raw)
}

func verify(t testing.TB, raw string) arc.Result {
	t.Helper()
	return arc.Verify(t.Context(), zone(), sig.Open([]byte(raw)))
}

func TestVerify(t *testing.T) {
	one := seal(letter, "list.test")
	two := seal(one, "relay.test")
	replace := func(s, old, with string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("%q is not in the letter", old)
		}
		return strings.Replace(s, old, with, 1)
	}
	for name, c := range map[string]struct{ raw, status, reason string }{
		"no chain":                    {letter, arc.None, ""},
		"one set":                     {one, arc.Pass, ""},
		"two sets":                    {two, arc.Pass, ""},
		"changed, then sealed anew":   {seal(replace(one, "Text.", "Text!"), "relay.test"), arc.Pass, ""},
		"body changed":                {replace(two, "Text.", "Text!"), arc.Fail, "body hash"},
		"subject changed":             {replace(two, "hello", "Hello"), arc.Fail, "message signature"},
		"old results changed":         {replace(two, "i=1; list.test; spf=fail", "i=1; list.test; spf=pass"), arc.Fail, "seal 1"},
		"new results changed":         {replace(two, "i=2; relay.test; spf=fail", "i=2; relay.test; spf=pass"), arc.Fail, "seal 2"},
		"set taken away":              {strings.Join(strings.SplitAfter(two, "\r\n")[3:], ""), arc.Pass, ""}, // the newest can always be
		"first set taken away":        {strings.Join(append(strings.SplitAfter(two, "\r\n")[:3], letter), ""), arc.Fail, "set 1"},
		"half a set":                  {strings.Join(strings.SplitAfter(one, "\r\n")[1:], ""), arc.Fail, "incomplete"},
		"field twice":                 {strings.SplitAfter(one, "\r\n")[0] + one, arc.Fail, "two arc-seal"},
		"given up":                    {arctest.Set{Domain: "relay.test", Key: key(), CV: "fail"}.Add(one), arc.Fail, "cv=fail"},
		"first that says pass":        {arctest.Set{Domain: "list.test", Key: key(), CV: "pass"}.Add(letter), arc.Fail, "cv=pass"},
		"no key":                      {seal(letter, "nokey.test"), arc.Fail, "no key"},
		"other key":                   {seal(letter, "other.test"), arc.Fail, "did not verify"},
		"key not to be had":           {seal(letter, "slow.test"), arc.TempError, "key unavailable"},
		"older key not to be had":     {seal(seal(letter, "slow.test"), "list.test"), arc.TempError, "seal 1"},
		"instance 0":                  {replace(one, "i=1; list.test", "i=0; list.test"), arc.Fail, "1 to 50"},
		"instance 51":                 {replace(one, "i=1; list.test", "i=51; list.test"), arc.Fail, "1 to 50"},
		"instance is no number":       {replace(one, "i=1; list.test", "i=+1; list.test"), arc.Fail, "1 to 50"},
		"body length":                 {replace(one, "c=relaxed/relaxed; ", "c=relaxed/relaxed; l=3; "), arc.Fail, "l="},
		"seal with h=":                {replace(one, "cv=none; ", "cv=none; h=from; "), arc.Fail, "has h="},
		"SHA-1":                       {replace(one, "a=ed25519-sha256", "a=rsa-sha1"), arc.Fail, "sha1"},
		"seal without a domain":       {replace(one, "d=list.test; s=k1; cv", "s=k1; cv"), arc.Fail, "without"},
		"seals signed by the message": {arctest.Set{Domain: "list.test", Key: key(), Signed: "from:arc-seal"}.Add(letter), arc.Fail, "ARC-Seal is signed"},
	} {
		got := verify(t, c.raw)
		if got.Status != c.status || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %+v, want %s (%s)", name, got, c.status, c.reason)
		}
	}
}

func TestFiftySets(t *testing.T) {
	raw := letter
	for i := range arc.MaxSets {
		raw = seal(raw, "list.test")
		if i == arc.MaxSets-1 {
			break
		}
	}
	if got := verify(t, raw); got.Status != arc.Pass || len(got.Seals) != arc.MaxSets {
		t.Errorf("50 sets: %s (%s)", got.Status, got.Reason)
	}
	if got := verify(t, seal(raw, "list.test")); got.Status != arc.Fail {
		t.Errorf("51 sets: %+v", got)
	}
}

func TestSeals(t *testing.T) {
	got := verify(t, seal(seal(letter, "List.test"), "relay.test"))
	want := []arc.Seal{{"list.test", "pass", "author.test"}, {"relay.test", "pass", "author.test"}}
	if fmt.Sprint(got.Seals) != fmt.Sprint(want) || !got.FromSigned {
		t.Errorf("%+v, want %+v", got, want)
	}
	if a := got.AuthResult(); a.Method != "arc" || a.Status != "pass" || a.Property != "" || a.Reason != "sets: 2, the newest sealed by relay.test" {
		t.Errorf("%+v", a)
	}
	loose := arctest.Set{Domain: "list.test", Key: key(), Signed: "subject"}.Add(letter)
	if got := verify(t, loose); got.Status != arc.Pass || got.FromSigned {
		t.Errorf("From not signed: %+v", got)
	}
	once := arctest.Set{Domain: "list.test", Key: key(), Signed: "from"}.Add(letter)
	if got := verify(t, "From: boss@gov.test\r\n"+once); got.Status != arc.Pass || got.FromSigned {
		t.Errorf("a From put on top: %+v", got)
	}
}

// What a set says of DMARC is read by the grammar: neither comments nor quoted strings
// nor another method's words can feign it.
func TestResults(t *testing.T) {
	for results, want := range map[string]string{
		"dmarc=pass header.from=a.test":                                      "pass a.test",
		"spf=pass smtp.mailfrom=x@b.test; dmarc=fail header.from=a.test":     "fail a.test",
		"dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=A.test":          "pass a.test",
		"dmarc = pass header.from = a.test":                                  "pass a.test",
		"dmarc/1=pass header.from=a.test":                                    "pass a.test",
		`dmarc=pass reason="a; b (c" header.from=a.test`:                     "pass a.test",
		`dmarc=pass header.from="a.test"`:                                    "pass a.test",
		"dmarc=pass action=none header.from=a.test;compauth=pass reason=100": "pass a.test",
		"dmarc=pass": "pass ",
		"spf=fail (dmarc=pass header.from=a.test)":                     " ",
		"spf=fail (x; dmarc=pass header.from=a.test)":                  " ",
		`spf=fail reason="; dmarc=pass header.from=a.test"`:            " ",
		"spf=fail dmarc=pass header.from=a.test":                       " ",
		"dmarc=fail header.from=b.test; dmarc=pass header.from=a.test": " ",
		"spf=fail (open; dmarc=pass header.from=a.test":                " ",
		`spf=fail reason="open; dmarc=pass header.from=a.test`:         " ",
		`spf=fail (a \) ; dmarc=pass header.from=a.test)`:              " ",
		`"dmarc"=pass header.from=a.test`:                              " ",
		`dm"arc=pass" header.from=a.test`:                              " ", // the fuzzer's
		"none":                                                         " ",
	} {
		raw := arctest.Set{Domain: "list.test", Key: key(), Results: results}.Add(letter)
		got := verify(t, raw)
		if len(got.Seals) != 1 || got.Seals[0].DMARC+" "+got.Seals[0].From != want {
			t.Errorf("%s: %+v, want %q", results, got, want)
		}
	}
}

// A field made to cost is read in one pass.
func TestLongResults(t *testing.T) {
	begin := time.Now()
	for _, results := range []string{
		strings.Repeat("a", 250_000), strings.Repeat(`""`, 125_000), strings.Repeat("= ", 125_000),
		strings.Repeat("(", 250_000), strings.Repeat("a;", 125_000), strings.Repeat("a = ", 60_000),
	} {
		verify(t, arctest.Set{Domain: "list.test", Key: key(), Results: results}.Add(letter))
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// Whatever stands in the fields, only who has the key makes a chain that passes.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(seal(seal(letter, "list.test"), "relay.test")))
	f.Add([]byte("ARC-Seal: i=1; cv=none; d=list.test; s=k1; a=ed25519-sha256; b=\r\nARC-Message-Signature: i=1\r\nARC-Authentication-Results: i=1; x\r\n\r\n"))
	f.Add([]byte("ARC-Authentication-Results: i=1; a (; dmarc=pass\r\n\r\n"))
	z := zone()
	whole := seal(seal(letter, "list.test"), "relay.test")
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := arc.Verify(t.Context(), z, sig.Open(raw))
		if got.Status == arc.Pass && !strings.Contains(whole, base64Value(raw)) {
			t.Fatalf("%q passes", raw)
		}
	})
}

// base64Value is the value of the first seal's b=.
func base64Value(raw []byte) string {
	for _, f := range sig.Open(raw).Fields {
		if f.Name == "arc-seal" {
			tags, _ := sig.ParseTags(f.Value())
			return tags.Word("b")
		}
	}
	return "none"
}

// The statements of a set are read without harm, and a pass for DMARC is never found
// where the word is not.
func FuzzResults(f *testing.F) {
	f.Add(`list.test; dmarc=pass (a) reason="b" header.from=a.test`)
	f.Add(`; = "" \ ( ( ) ; dmarc = `)
	f.Fuzz(func(t *testing.T, results string) {
		raw := "ARC-Seal: i=1; d=a\r\nARC-Message-Signature: i=1\r\nARC-Authentication-Results: i=1; " + results + "\r\n\r\n"
		for _, s := range arc.Verify(t.Context(), fake.Zone{}, sig.Open([]byte(raw))).Seals {
			if s.DMARC != "" && !strings.Contains(strings.ToLower(sig.Squeeze(results)), "dmarc") {
				t.Fatalf("%q is read as %+v", results, s)
			}
		}
	})
}

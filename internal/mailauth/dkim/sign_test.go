package dkim

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
)

// A message in pieces is signed as the same message in one, wherever it is cut.
func TestSignContentInPieces(t *testing.T) {
	key := Key{"example.test", "k1", edKey()}
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key.Signer, "")}}
	for _, raw := range []string{letter, strings.SplitAfter(letter, "\r\n\r\n")[0], "From: a@example.test\r\n", "From: a@example.test"} {
		for cut := range len(raw) + 1 {
			field, err := SignContent([][]byte{[]byte(raw[:cut]), nil, []byte(raw[cut:])}, key)
			if err != nil {
				t.Fatal(err)
			}
			if s := verify(t, z, string(field)+raw).Signatures[0]; s.Status != Pass {
				t.Fatalf("%q cut at %d: %+v", raw, cut, s)
			}
		}
	}
}

func TestTwoSignatures(t *testing.T) {
	r, e := Key{"example.test", "r", rsaKey(t, 2048)}, Key{"example.test", "e", edKey()}
	z := fake.Zone{"r._domainkey.example.test": {keyRecord(t, r.Signer, "")}, "e._domainkey.example.test": {keyRecord(t, e.Signer, "")}}
	head, err := SignContent([][]byte{[]byte(letter)}, r, e)
	if err != nil {
		t.Fatal(err)
	}
	rep := verify(t, z, string(head)+letter)
	if len(rep.Signatures) != 2 || rep.Signatures[0].Algorithm != "rsa-sha256" || rep.Signatures[1].Algorithm != "ed25519-sha256" {
		t.Fatalf("%+v", rep)
	}
	for _, s := range rep.Signatures {
		if s.Status != Pass {
			t.Errorf("%+v", s)
		}
	}
	for _, l := range strings.Split(string(head), "\r\n") {
		if len(l) > 200 {
			t.Errorf("a line of %d: %q", len(l), l)
		}
	}
}

// However broken the header, the lines of the signature are within RFC 5322 section
// 2.1.1.
func TestLinesOfTheSignatureAreBounded(t *testing.T) {
	raw := letter
	for _, n := range append(slices.Clone(oversigned[1:]), listFields...) {
		raw = strings.Repeat(n+": x\r\n", 50) + raw
	}
	key := edKey()
	signed := sign(t, raw, "example.test", "k1", key)
	for _, l := range strings.Split(strings.TrimSuffix(signed, raw), "\r\n") {
		if len(l) > 998 {
			t.Errorf("a line of %d: %q", len(l), l)
		}
	}
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
	if s := verify(t, z, signed).Signatures[0]; s.Status != Pass {
		t.Errorf("%+v", s)
	}
}

// What is added on the way breaks the signature where a reader would be shown it, and
// does not where a mailing list or a gateway adds what is its own.
func TestOversigning(t *testing.T) {
	key := edKey()
	z := fake.Zone{"k1._domainkey.example.test": {keyRecord(t, key, "")}}
	bulk := "List-Id: <news.example.test>\r\nList-Unsubscribe: <https://example.test/u>\r\n" + letter
	for _, c := range []struct{ raw, added, status string }{
		{letter, "From: b@other.test", Fail},
		{letter, "Reply-To: b@other.test", Fail},
		{letter, "To: b@other.test", Fail},
		{letter, "Cc: b@other.test", Fail},
		{letter, "Subject: x", Fail},
		{letter, "Date: Tue, 03 Nov 2026 08:00:00 +0700", Fail},
		{letter, "Message-ID: <2@x>", Fail},
		{letter, "In-Reply-To: <2@x>", Fail},
		{letter, "References: <2@x>", Fail},
		{letter, "MIME-Version: 1.0", Fail},
		{letter, "Content-Type: text/html", Fail},
		{letter, "content-transfer-encoding : base64", Fail},
		{letter, "Sender: list-bounces@list.test", Pass},
		{letter, "List-Id: <l.list.test>", Pass},
		{letter, "Received: from a by b", Pass},
		{letter, "Authentication-Results: gw.test; none", Pass},
		{bulk, "List-Id: <other.test>", Fail},
		{bulk, "List-Unsubscribe: <https://other.test>", Fail},
		{bulk, "List-Unsubscribe-Post: x", Pass},
		{"Sender: c@example.test\r\n" + letter, "Sender: d@other.test", Fail},
	} {
		signed := sign(t, c.raw, "example.test", "k1", key)
		for place, raw := range map[string]string{"top": c.added + "\r\n" + signed, "bottom": strings.Replace(signed, "\r\n\r\n", "\r\n"+c.added+"\r\n\r\n", 1)} {
			if s := verify(t, z, raw).Signatures[0]; s.Status != c.status {
				t.Errorf("%s at the %s: %s, want %s", c.added, place, s.Status, c.status)
			}
		}
	}
}

func TestSignLeavesTheContent(t *testing.T) {
	raw := []byte(letter)
	if _, err := SignContent([][]byte{raw[:10:10], raw[10:]}, Key{"example.test", "k", edKey()}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, []byte(letter)) {
		t.Error("the message was changed")
	}
}

func BenchmarkSign(b *testing.B) {
	rsa, ed := Key{"example.test", "r", rsaKey(b, 2048)}, Key{"example.test", "e", edKey()}
	small := [][]byte{[]byte(letter)}
	large := [][]byte{[]byte(letter), bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog, again and again.\r\n"), 16<<10)}
	for _, c := range []struct {
		name    string
		content [][]byte
		keys    []Key
	}{{"rsa", small, []Key{rsa}}, {"ed25519", small, []Key{ed}}, {"both", small, []Key{rsa, ed}}, {"both-1MB", large, []Key{rsa, ed}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := SignContent(c.content, c.keys...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestIsDomain(t *testing.T) {
	for name, want := range map[string]bool{
		"a.test": true, "_x.a-b.test": true, "cổng.test": true, "k1": true, "a1.b2": true,
		"": false, ".a.test": false, "a..test": false, "a.test.": false, "a test": false, "a(b.test": false, "a'b.test": false, "a@b.test": false,
		"a;b": false, "a=b": false, "a\x00b": false, "a\\b": false, "a\u2028b": false, "a\u3002b": false, "a\xffb": false,
	} {
		if got := isDomain(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

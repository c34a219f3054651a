package decrypt_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/decrypt"
	"congthu/internal/e2e/sealing"
	"congthu/internal/mimetree"
	"congthu/internal/pgp"
)

const passphrase = "khoa-thu-nghiem"

// holder is a key pair as the gateway holds it, and as somebody writes to it.
type holder struct {
	opener *pgp.Opener
	public *openpgp.Entity
	secret []byte
}

// hold gives the gateway a key without a passphrase: those are slow to try, which is what
// they are for, and one of them is tried in TestKeys.
func hold(t testing.TB, e *openpgp.Entity) holder {
	t.Helper()
	var secret, public bytes.Buffer
	if err := errors.Join(e.SerializePrivate(&secret, nil), e.Serialize(&public)); err != nil {
		t.Fatal(err)
	}
	o, err := pgp.ReadOpener(secret.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	es, err := openpgp.ReadKeyRing(&public)
	if err != nil {
		t.Fatal(err)
	}
	return holder{o, es[0], secret.Bytes()}
}

var (
	once  sync.Once
	known map[string]holder
)

// holders are one key of each kind: v4 Curve25519, v4 RSA, v6, made once.
func holders(t testing.TB) map[string]holder {
	t.Helper()
	once.Do(func() { known = makeHolders(t) })
	if known == nil {
		t.Fatal("there are no keys")
	}
	return known
}

func makeHolders(t testing.TB) map[string]holder {
	out := map[string]holder{}
	for name, c := range map[string]*packet.Config{
		"v4 Cv25519": {Algorithm: packet.PubKeyAlgoEdDSA},
		"v4 RSA":     {RSABits: 2048},
		"v6":         {Algorithm: packet.PubKeyAlgoEd25519, V6Keys: true, AEADConfig: &packet.AEADConfig{}},
	} {
		e, err := openpgp.NewEntity("", "", "postmaster@gov.test", c)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = hold(t, e)
	}
	return out
}

const head = "From: An <an@a.test>\r\nTo: <b@gov.test>\r\nSubject: [...]\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@a.test>\r\n"

const inner = "From: An <an@a.test>\r\nSubject: =?utf-8?q?B=C3=AD_m=E1=BA=ADt?=\r\nHP-Outer: Subject: [...]\r\nReceived: from forged.test\r\nContent-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nKính gửi, CHIM-YEN-1\r\n"

func options(keys ...*pgp.Opener) decrypt.Options {
	return decrypt.Options{
		Octets: 25 << 20, Depth: 3, Letters: 20, Keys: keys, Now: time.Now(),
		Signers: func(uint64) []*pgp.Key { return nil }, Pinned: func(string) string { return "" },
	}
}

func open(t testing.TB, raw []byte, o decrypt.Options) *decrypt.Result {
	t.Helper()
	r, err := decrypt.Open(t.Context(), raw, mimetree.Parse(raw, mimetree.DefaultLimits()), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func symbols(r *decrypt.Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Symbol)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func make1(t testing.TB, kind, clear string, to, by *openpgp.Entity) []byte {
	t.Helper()
	m, err := sealing.Make(kind, []byte(clear), to, by)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A good letter is opened with any kind of key, compressed or not, and to a hidden recipient;
// the fields that its sender protected stand on top of it, what servers write does not.
func TestGoodLetters(t *testing.T) {
	for name, h := range holders(t) {
		for _, kind := range []string{"plain", "compressed", "hidden"} {
			raw := sealing.Mail(head, make1(t, kind, inner, h.public, nil))
			before := bytes.Clone(raw)
			r := open(t, raw, options(h.opener))
			if symbols(r) != decrypt.OpenedMsg || len(r.Letters) != 1 || !r.Letters[0].Whole || r.Letters[0].At != "2" {
				t.Errorf("%s %s: %+v", name, kind, r.Findings)
				continue
			}
			got := string(r.Letters[0].Raw)
			want := strings.Replace(head, "Subject: [...]\r\n", "", 1) + "Subject: =?utf-8?q?B=C3=AD_m=E1=BA=ADt?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nKính gửi, CHIM-YEN-1\r\n"
			if got != want {
				t.Errorf("%s %s:\n%s\nwant\n%s", name, kind, got, want)
			}
			if !bytes.Equal(raw, before) {
				t.Error("the letter itself was changed")
			}
			if len(r.Auth) != 1 || r.Auth[0].Method != "x-openpgp" || r.Auth[0].Status != "none" || r.Auth[0].Value != "a.test" {
				t.Errorf("%+v", r.Auth)
			}
		}
	}
}

// Every letter that somebody has meddled with is said to be so, by every kind of key, and no
// octet of it comes out.
func TestBadLetters(t *testing.T) {
	for name, h := range holders(t) {
		for _, kind := range slices.Sorted(maps.Keys(sealing.Kinds())) {
			want := sealing.Kinds()[kind]
			if h.public.PrimaryKey.Version == 6 && (kind == "no-integrity" || kind == "stripped-to-9" || kind == "mdc-stripped") {
				continue // there is no such message for a version 6 session key
			}
			r := open(t, sealing.Mail(head, make1(t, kind, inner, h.public, nil)), options(h.opener))
			if symbols(r) != want || len(r.Letters) != 0 || len(r.Auth) != 0 {
				t.Errorf("%s %s: %+v, %d letters", name, kind, r.Findings, len(r.Letters))
			}
		}
	}
}

// A message whose AEAD chunks lost their last one is broken, wherever it is cut.
func TestTruncatedAnywhere(t *testing.T) {
	for name, h := range holders(t) {
		whole := make1(t, "plain", inner+strings.Repeat("mot dong nua\r\n", 30_000), h.public, nil)
		if r := open(t, sealing.Mail(head, bytes.Clone(whole)), options(h.opener)); symbols(r) != decrypt.OpenedMsg {
			t.Fatalf("%s: %+v", name, r.Findings)
		}
		for cut := 1; cut < len(whole)-600; cut += len(whole) / 9 {
			r := open(t, sealing.Mail(head, bytes.Clone(whole[:len(whole)-cut])), options(h.opener))
			if symbols(r) != decrypt.Broken || len(r.Letters) > 0 {
				t.Errorf("%s, less %d octets: %+v", name, cut, r.Findings)
			}
		}
	}
}

// Any bit that is changed in a message is found out.
func TestAnyBitChanged(t *testing.T) {
	for name, h := range holders(t) {
		whole := make1(t, "plain", inner, h.public, nil)
		for i := range whole {
			bad := bytes.Clone(whole)
			bad[i] ^= 1 << (i % 8)
			r := open(t, sealing.Mail(head, bad), options(h.opener))
			if len(r.Letters) > 0 && !bytes.Contains(r.Letters[0].Raw, []byte("CHIM-YEN-1\r\n")) {
				t.Fatalf("%s, octet %d: %q", name, i, r.Letters[0].Raw)
			}
			if len(r.Letters) == 0 && len(r.Findings) == 0 {
				t.Fatalf("%s, octet %d: silence", name, i)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	hs := holders(t)
	mine, other := hs["v4 Cv25519"], hs["v4 RSA"]
	raw := sealing.Mail(head, make1(t, "plain", inner, mine.public, nil))
	hidden := sealing.Mail(head, make1(t, "hidden", inner, mine.public, nil))
	secret, _, err := pgp.ProtectSecret(bytes.Clone(mine.secret), nil, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	locked, err := pgp.ReadOpener(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		raw    []byte
		keys   []*pgp.Opener
		want   string
		locked bool
	}{
		{"no key", raw, nil, decrypt.Unscanned, false},
		{"another's key", raw, []*pgp.Opener{other.opener}, decrypt.Unscanned, false},
		{"hidden, another's key", hidden, []*pgp.Opener{other.opener}, decrypt.Unscanned, false},
		{"both keys", raw, []*pgp.Opener{other.opener, mine.opener}, decrypt.OpenedMsg, false},
		{"hidden, both keys", hidden, []*pgp.Opener{other.opener, mine.opener}, decrypt.OpenedMsg, false},
		{"locked", raw, []*pgp.Opener{locked}, "", true},
		{"hidden, locked", hidden, []*pgp.Opener{locked}, "", true},
		{"another's is locked", sealing.Mail(head, make1(t, "plain", inner, other.public, nil)), []*pgp.Opener{locked}, decrypt.Unscanned, false},
		{"locked beside one that opens", raw, []*pgp.Opener{locked, mine.opener}, decrypt.OpenedMsg, false},
	} {
		r, err := decrypt.Open(t.Context(), c.raw, mimetree.Parse(c.raw, mimetree.DefaultLimits()), options(c.keys...))
		if errors.Is(err, decrypt.ErrLocked) != c.locked || !c.locked && err != nil || symbols(r) != c.want {
			t.Errorf("%s: %v %+v", c.name, err, r.Findings)
		}
	}
	if err := locked.Unlock([]byte("sai-mat-khau")); err == nil || !locked.Locked() {
		t.Error("a wrong passphrase opens")
	}
	if err := locked.Unlock([]byte(passphrase)); err != nil || locked.Locked() {
		t.Errorf("the right one does not: %v", err)
	}
}

// Where the octets stand does not matter: armor in a text, with words around it, in an
// attached file, binary, below other parts, in UTF-16.
func TestWhere(t *testing.T) {
	h := holders(t)["v4 Cv25519"]
	text := make1(t, "plain", "Kinh gui, CHIM-YEN-2\n", h.public, nil)
	file := make1(t, "plain", "%PDF CHIM-YEN-2\n\x00\x01", h.public, nil)
	armored := string(sealing.Armor(text))
	mixed := "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nXin xem tep\r\n--m\r\n%s\r\n--m--\r\n"
	for _, c := range []struct {
		name, raw, at, has string
		whole              bool
	}{
		{"a whole text", head + "\r\n" + armored, "0", "\r\n\r\nKinh gui, CHIM-YEN-2\r\n", true},
		{"words around it", head + "\r\nChao anh\r\n" + armored + "het\r\n", "0", "CHIM-YEN-2", false},
		{"in a part", head + fmt.Sprintf(mixed, "\r\n"+armored), "2", "CHIM-YEN-2", false},
		{"an attached .asc", head + fmt.Sprintf(mixed, "Content-Type: application/octet-stream; name=\"k.pdf.asc\"\r\n\r\n"+string(sealing.Armor(file))), "2", "name=k.pdf\r\n", false},
		{"an attached .pgp", head + fmt.Sprintf(mixed, "Content-Type: application/octet-stream; name=k.pdf.pgp\r\nContent-Transfer-Encoding: base64\r\n\r\n"+encode(file)), "2", "filename=k.pdf\r\n", false},
		{"PGP/MIME that a server put into something else", head + "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nFooter\r\n--m\r\n" +
			strings.TrimPrefix(string(sealing.Mail("", make1(t, "plain", inner, h.public, nil))), "MIME-Version: 1.0\r\n") + "\r\n--m--\r\n", "2.2", "CHIM-YEN-1", false},
		{"in a base64 text", head + "Content-Transfer-Encoding: base64\r\n\r\n" + encode([]byte(armored)), "0", "CHIM-YEN-2", true},
		{"in an attached letter", head + fmt.Sprintf(mixed, "Content-Type: message/rfc822\r\n\r\n"+head+"\r\n"+armored), "2.0", "CHIM-YEN-2", false},
	} {
		r := open(t, []byte(c.raw), options(h.opener))
		if symbols(r) != decrypt.OpenedMsg || len(r.Letters) != 1 || !strings.HasPrefix(r.Letters[0].At, c.at[:1]) || r.Letters[0].Whole != c.whole {
			t.Errorf("%s: %+v %+v", c.name, r.Findings, r.Letters)
			continue
		}
		raw := r.Letters[0].Raw
		root := r.Letters[0].Root
		if !bytes.Contains(raw, []byte(c.has)) || strings.HasSuffix(c.has, "pdf\r\n") && !bytes.Equal(root.Decoded, []byte("%PDF CHIM-YEN-2\n\x00\x01")) {
			t.Errorf("%s:\n%s", c.name, raw)
		}
		if bytes.Contains(raw, []byte("Xin xem")) || bytes.Contains(raw, []byte("Chao anh")) {
			t.Errorf("%s: what stood beside it was joined to it", c.name)
		}
	}
}

func encode(b []byte) string {
	var out strings.Builder
	for c := range slices.Chunk(b, 57) {
		fmt.Fprintf(&out, "%s\r\n", base64.StdEncoding.EncodeToString(c))
	}
	return out.String()
}

// Encryption in encryption is opened so far and no further.
func TestNested(t *testing.T) {
	h := holders(t)["v4 Cv25519"]
	entity := inner
	for depth := 1; depth <= 100; depth++ {
		mail := sealing.Mail("", make1(t, "plain", entity, h.public, nil))
		r := open(t, append([]byte(head), mail...), options(h.opener))
		limit := strings.Contains(symbols(r), decrypt.Unscannable)
		if limit != (depth > 3) || len(r.Letters) != min(depth, 3) {
			t.Fatalf("depth %d: %d letters, %s", depth, len(r.Letters), symbols(r))
		}
		if depth > 6 && depth < 99 {
			depth = 98 // so deep for once
		}
		entity = string(mail)
		for range map[bool]int{true: 30}[depth == 98] {
			entity = string(sealing.Mail("", make1(t, "compressed", entity, h.public, nil)))
			if len(entity) > 1<<20 {
				break
			}
		}
	}
}

// The author inside is told of when it is not the one outside, and does not take its place.
func TestAuthorInside(t *testing.T) {
	h := holders(t)["v4 Cv25519"]
	for from, differs := range map[string]bool{"From: An <AN@a.test>": false, "From: Chu tich <chu-tich@gov.test>": true} {
		clear := strings.Replace(inner, "From: An <an@a.test>", from, 1)
		r := open(t, sealing.Mail(head, make1(t, "plain", clear, h.public, nil)), options(h.opener))
		if strings.Contains(symbols(r), decrypt.FromDiffers) != differs || !bytes.Contains(r.Letters[0].Raw, []byte("From: An <an@a.test>\r\n")) || bytes.Contains(r.Letters[0].Raw, []byte("chu-tich")) {
			t.Errorf("%s: %s\n%s", from, symbols(r), r.Letters[0].Raw)
		}
	}
}

// A letter that would cost too much is not opened, and the clock is looked at.
func TestLimits(t *testing.T) {
	h := holders(t)["v4 Cv25519"]
	random := make([]byte, 300<<10)
	_, _ = rand.Read(random)
	raw := sealing.Mail(head, make1(t, "plain", inner+string(random), h.public, nil))
	o := options(h.opener)
	o.Octets = 100 << 10
	if r := open(t, raw, o); symbols(r) != decrypt.Unscannable || r.Findings[0].Evidence != "unscannable:size" {
		t.Errorf("%+v", r.Findings)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := decrypt.Open(ctx, raw, mimetree.Parse(raw, mimetree.DefaultLimits()), options(h.opener))
	if err != nil || symbols(r) != decrypt.Unscannable || r.Findings[0].Evidence != "unscannable:time" {
		t.Errorf("%v %+v", err, r.Findings)
	}
}

// Text that speaks of armor is no encrypted letter to those who have no keys.
func TestTalkOfArmor(t *testing.T) {
	for text, want := range map[string]string{
		"Xin chao\r\n": "",
		"> -----BEGIN PGP MESSAGE-----\r\n> abc\r\n":                                                 "",
		"Dong -----BEGIN PGP MESSAGE----- la dong dau\r\n":                                           "",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nmQ==\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n": "",
	} {
		if r := open(t, []byte(head+"\r\n"+text), options()); symbols(r) != want {
			t.Errorf("%q: %s", text, symbols(r))
		}
	}
	smime := head + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CAMIACAQA=\r\n"
	if r := open(t, []byte(smime), options()); symbols(r) != decrypt.Unscanned || r.Findings[0].Evidence != "smime" {
		t.Errorf("%+v", r.Findings)
	}
}

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"congthu/internal/config"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
)

func testSigner(t testing.TB) *pgp.Signer {
	t.Helper()
	e, err := openpgp.NewEntity("So", "", "so@x.test", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		t.Fatal(err)
	}
	s, err := pgp.OpenSigner(b.Bytes(), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agrees: what is judged to be signable is signed, in the form in which it leaves, and what
// is not is never tried: else its sender would hear 451 for ever.
func agrees(t *testing.T, j *judge, by *pgp.Signer, raw []byte, d msg.Decision) (judged bool) {
	t.Helper()
	m := &msg.Message{ID: "T", Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	judged = j.signable(m, d)
	leaves := m
	if len(d.Strip) > 0 {
		less, err := j.strip(m, d)
		if err != nil {
			return judged
		}
		leaves = &msg.Message{ID: "T", Raw: less}
	}
	_, err := signOnly(by, j.stamp(leaves, d)[1:], time.Now())
	if (err == nil) != judged {
		t.Errorf("judged to be signable: %v; signed: %v\n%q", judged, err, raw)
	}
	return judged
}

const oddHead = "From: <a@x.test>\r\nSubject: x\r\n"

// oddLetters are letters whose stamped form differs from what came.
func oddLetters() map[string]bool {
	return map[string]bool{
		oddHead + "\r\nKinh gui\r\n": true,
		oddHead + "Content-Type: text/plain; charset=utf-8\r\n\r\nKính gửi\r\n":             true,
		"X-Congthu-Id: \xff\r\n" + oddHead + "\r\nKinh gui\r\n":                             true, // it is taken out
		"Authentication-Results: gw.test; x=\xc3\xad\r\n" + oddHead + "\r\nKinh gui\r\n":    true,
		"Authentication-Results: other.test; x=\xc3\xad\r\n" + oddHead + "\r\nKinh gui\r\n": false, // it stays
		"khong co phan dau\r\n":               true,
		"khong co phan dau \xff\r\n\r\nx\r\n": false,
		"\r\nkhong co phan dau\r\n":           true,
		"":                                    true,
		oddHead + "X: \xff\r\n\r\nx\r\n":      false,
		oddHead + "\r\nFrom here on\r\n":      true,
		oddHead + "\r\n" + strings.Repeat("x", 2000) + "\r\n":                                                                           true,
		oddHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\ntruoc \xff\r\n--b\r\n\r\nx\r\n--b--\r\n":                            false,
		oddHead + "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n": false,
		oddHead + "Content-Type: message/rfc822\r\n\r\nSubject: \xff\r\n\r\nx\r\n":                                                      false,
	}
}

func TestSignableAndSignAgree(t *testing.T) {
	j, by := &judge{cfg: config.Default()}, testSigner(t)
	j.cfg.Hostname = "gw.test"
	differ := 0
	for raw, want := range oddLetters() {
		if got := agrees(t, j, by, []byte(raw), msg.Decision{}); got != want {
			t.Errorf("signable: %v, want %v\n%q", got, want, raw)
		}
		if _, alone := pgp.Canonical([]byte(raw)); alone != want {
			differ++
		}
	}
	if differ == 0 {
		t.Error("the stamp makes no difference: the test sees nothing")
	}
}

// A part that is taken out takes what stood in the way with it, or leaves a notice that
// has to be encoded.
func TestSignableOfWhatIsLeft(t *testing.T) {
	j, by := &judge{cfg: config.Default()}, testSigner(t)
	raw := oddHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822; name=a.eml\r\n\r\nSubject: \xff\r\n\r\nx\r\n--b--\r\n"
	if agrees(t, j, by, []byte(raw), msg.Decision{}) {
		t.Error("the whole letter has eight bits in a header")
	}
	d := msg.Decision{Strip: []msg.Finding{{Symbol: "ATTACH_TYPE", Part: "2", Type: "eml"}}}
	if !agrees(t, j, by, []byte(raw), d) {
		t.Error("what is left can be signed")
	}
}

func FuzzSignable(f *testing.F) {
	for raw := range oddLetters() {
		f.Add([]byte(raw))
	}
	j, by := &judge{cfg: config.Default()}, testSigner(f)
	j.cfg.Hostname = "gw.test"
	f.Fuzz(func(t *testing.T, raw []byte) { agrees(t, j, by, raw, msg.Decision{}) })
}

package e2e_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"congthu/internal/dns/fake"
	"congthu/internal/e2e"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/sig"
	"congthu/internal/mimetree"
	"congthu/internal/peer"
	"congthu/internal/sink"
)

// file writes a file for a program to read.
func file(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func crlf(text string) []byte {
	return []byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))
}

const signedHead = "From: Van thu <%[1]s>\nTo: <mat@gov.test>\nSubject: Thong bao\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <%[2]s@a.test>\nMIME-Version: 1.0\n"

// part is what is signed: with a space at a line's end and dots, which the way must not touch.
const part = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nK=C3=ADnh g=E1=BB=ADi V=C4=83n ph=C3=B2ng, \n.\n..\n-- =20\nVan thu\n"

// protected makes letters that are signed or encrypted by real programs.
func protected(t *testing.T, dir string, gpg func([]byte, ...string) []byte) map[string]string {
	t.Helper()
	gpg(nil, "--quick-generate-key", "Van thu <van-thu@a.test>", "future-default", "default")
	file(t, dir, "part", crlf(part))
	key, cert := filepath.Join(dir, "smime.key"), filepath.Join(dir, "smime.pem")
	peer.Run(t, nil, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=Van thu/emailAddress=van-thu@a.test", "-addext", "extendedKeyUsage=emailProtection")
	cms := func(args ...string) string {
		out := peer.Run(t, crlf(part), "openssl", append([]string{"cms"}, args...)...)
		return strings.ReplaceAll(strings.TrimPrefix(string(bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n"))), "MIME-Version: 1.0\n"), "\r", "")
	}
	signature := string(gpg(crlf(part), "--armor", "--detach-sign"))
	message := string(gpg(crlf(part), "--armor", "--encrypt", "-r", "van-thu@a.test"))
	mime := "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=e\n\n--e\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--e\nContent-Type: application/octet-stream\n\n" + message + "\n--e--\n"
	enveloped := cms("-encrypt", "-aes256", cert)
	return map[string]string{
		"pgp-signed":          "Content-Type: multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"; boundary=s\n\nThis is a signed message.\n--s\n" + part + "\n--s\nContent-Type: application/pgp-signature\n\n" + signature + "\n--s--\n",
		"pgp-clearsigned":     "Content-Type: text/plain\n\n" + string(gpg(crlf("Kinh gui,\n- gach dau dong\n"), "--clear-sign")),
		"smime-signed":        cms("-sign", "-signer", cert, "-inkey", key),
		"smime-opaque":        cms("-sign", "-nodetach", "-signer", cert, "-inkey", key),
		"smime-enveloped":     enveloped,
		"pgp-encrypted":       mime,
		"pgp-inline":          "Content-Type: text/plain\n\n" + message,
		"pgp-in-mixed":        "Content-Type: multipart/mixed; boundary=m\n\n--m\n" + mime + "\n--m\nContent-Type: text/plain\n\nCuoi thu cua danh sach\n--m--\n",
		"pgp-broken-by-relay": "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\n\n--m\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--m\nContent-Type: application/octet-stream\n\n" + message + "\n--m--\n",
		"inline-in-second":    "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nXem duoi\n--m\nContent-Type: text/plain\n\n" + message + "\n--m--\n",
		"smime-in-mixed":      "Content-Type: multipart/mixed; boundary=m\n\n--m\n" + enveloped + "\n--m\nContent-Type: text/plain\n\nCuoi thu\n--m--\n",
	}
}

// TestProtectedMailStays: what is signed or encrypted end to end goes through the gateway,
// inward and outward, to a recipient with a key and under a rule that signs, octet for octet,
// and the programs that made it still say that it is good.
func TestProtectedMailStays(t *testing.T) {
	peer.Need(t, "gpg", "openssl")
	dir, gpg := t.TempDir(), peer.GnuPG(t, peer.Home(t))
	bodies := protected(t, dir, gpg)
	names := slices.Sorted(maps.Keys(bodies))
	c := signedCase()
	public, letters := dkimLetter(t)
	c.Zone["k._domainkey.a.test"] = append(c.Zone["k._domainkey.a.test"], fake.TXT(public))
	for name, raw := range letters {
		c.Messages[name] = raw
	}
	for _, n := range names {
		c.Messages[n] = crlf(fmt.Sprintf(signedHead, "van-thu@a.test", n) + bodies[n])
		c.Messages[n+"-out"] = crlf(fmt.Sprintf(signedHead, "van-thu@so.gov.test", n) + bodies[n])
		c.Dialogue = append(c.Dialogue,
			"LETTER "+n+" from=van-thu@a.test to=mat@gov.test ip=192.0.2.1 helo=mx.a.test => 250",
			"LETTER "+n+"-out from=van-thu@so.gov.test to=mat@xa.test => 250")
	}
	names = append(names, "dkim")
	c.Dialogue = append(c.Dialogue, "LETTER dkim from=van-thu@a.test to=khong-khoa@gov.test ip=192.0.2.1 helo=mx.a.test => 250",
		"LETTER dkim-out from=van-thu@so.gov.test to=khong-khoa@xa.test => 250")
	g, err := build(t).Start(t.Context(), c, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Stop() }()
	if err := g.Play(c); err != nil {
		t.Fatalf("%v\n%s", err, g.Log())
	}
	delivered(t, g, 2*len(names))
	got := g.Sink.Deliveries()
	for i, n := range names {
		for j, name := range []string{n, n + "-out"} {
			d, raw := got[2*i+j], c.Messages[name]
			if !bytes.HasSuffix(d.Data, raw) || sha256.Sum256(d.Data[len(d.Data)-len(raw):]) != sha256.Sum256(raw) {
				t.Errorf("%s: the octets are not those that came:\n%.600s", name, d.Data)
				continue
			}
			stillGood(t, dir, gpg, n, d)
		}
	}
	verifyDKIM(t, c.Zone, got[len(got)-2:])
}

// stillGood asks the programs about what was delivered.
func stillGood(t *testing.T, dir string, gpg func([]byte, ...string) []byte, name string, d sink.Delivery) {
	t.Helper()
	root := mimetree.Parse(d.Data, mimetree.DefaultLimits())
	switch name {
	case "pgp-signed":
		first := root.Children[0]
		if sha256.Sum256(d.Data[first.Start:first.End]) != sha256.Sum256(crlf(part)) {
			t.Errorf("the signed part is another: %q", d.Data[first.Start:first.End])
		}
		gpg(nil, "--verify", file(t, dir, "sig", root.Children[1].Decoded), file(t, dir, "signed", d.Data[first.Start:first.End]))
	case "pgp-clearsigned":
		gpg(root.Decoded, "--verify")
	case "smime-signed", "smime-opaque":
		peer.Run(t, d.Data, "openssl", "cms", "-verify", "-CAfile", filepath.Join(dir, "smime.pem"), "-purpose", "any")
	case "smime-enveloped":
		peer.Run(t, d.Data, "openssl", "cms", "-decrypt", "-recip", filepath.Join(dir, "smime.pem"), "-inkey", filepath.Join(dir, "smime.key"))
	case "pgp-encrypted", "pgp-inline":
		i := bytes.Index(d.Data, []byte("-----BEGIN PGP MESSAGE"))
		if out := gpg(d.Data[i:], "--decrypt"); !bytes.Equal(out, crlf(part)) {
			t.Errorf("%s opens to %q", name, out)
		}
	}
}

// signedCase is a gateway with a recipient who has a key, and a rule that signs whatever
// leaves.
func signedCase() *e2e.Case {
	return &e2e.Case{
		Config: "[inspect]\nskip = [\"attach\", \"classify\"]\n[pgp]\npassphrase_file = \"${DIR}/pass\"\n[[route]]\ndomains = [\"gov.test\", \"*.gov.test\"]\nnext_hop = \"${SINK}\"\n[[route]]\ndomains = [\"*\"]\nnext_hop = \"${SINK}\"\n",
		Zone: fake.Zone{
			"a.test": {fake.TXT("v=spf1 ip4:192.0.2.1 -all")}, "_dmarc.a.test": {fake.TXT("v=DMARC1; p=reject")},
			"mx.a.test": {fake.TXT("v=spf1 ip4:192.0.2.1 -all")},
		},
		Messages: map[string][]byte{},
		Files:    map[string][]byte{"pass": []byte("mot mat khau dai\n")},
		Dialogue: []string{
			"EDIT rules/policy.toml # sign = true => [[encrypt.rule]]\\nsign = true", "RUN rules reload => 0",
			"KEYPAIR mat@gov.test", "RUN keys import ${DIR}/mat@gov.test.asc => 0",
			"KEYPAIR mat@xa.test", "RUN keys import ${DIR}/mat@xa.test.asc => 0",
			"KEYPAIR so@so.gov.test", "RUN keys sign so.gov.test ${DIR}/so@so.gov.test.sec.asc => 0",
		},
	}
}

// dkimLetter is a letter that its sender has signed, and the record of the key. The one that
// goes out is by a sender whose agency signs nothing itself.
func dkimLetter(t *testing.T) (record string, letters map[string][]byte) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	public, _ := key.Public().(ed25519.PublicKey)
	letters = map[string][]byte{}
	for name, from := range map[string]string{"dkim": "van-thu@a.test", "dkim-out": "van-thu@khac.gov.test"} {
		raw := crlf(fmt.Sprintf(signedHead, from, name) + part)
		s, err := msgauth.NewSigner(&msgauth.SignOptions{Domain: "a.test", Selector: "k", Signer: key})
		if err != nil {
			t.Fatal(err)
		}
		_, werr := s.Write(raw)
		if err := s.Close(); err != nil || werr != nil {
			t.Fatal(err, werr)
		}
		letters[name] = append([]byte(s.Signature()), raw...)
	}
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), letters
}

func verifyDKIM(t *testing.T, zone fake.Zone, got []sink.Delivery) {
	t.Helper()
	for _, d := range got {
		rep := dkim.Verify(context.Background(), zone, sig.Open(d.Data))
		if len(rep.Signatures) != 1 || rep.Signatures[0].Status != dkim.Pass {
			t.Errorf("the DKIM signature: %+v", rep.Signatures)
		}
	}
}

// TestBcc: three recipients, one of them a Bcc that the sender's program has even left in
// the header. Each copy is encrypted to its recipient alone, and says nothing of the Bcc.
func TestBcc(t *testing.T) {
	peer.Need(t, "gpg")
	gpg := peer.GnuPG(t, peer.Home(t))
	people := []string{"mot@gov.test", "hai@gov.test", "kin@gov.test"}
	c := &e2e.Case{
		Config: "[inspect]\nskip = [\"attach\"]\n",
		Messages: map[string][]byte{"a": crlf("From: <van-thu@so.gov.test>\nTo: <mot@gov.test>, <hai@gov.test>\nBcc: <kin@gov.test>\nResent-Bcc: <kin@gov.test>\nSubject: Thong bao\n" +
			"Date: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@so.gov.test>\n\nNoi dung mat.\n")},
		Files: map[string][]byte{},
	}
	ids := map[string]string{} // of the encryption subkey
	for i, a := range people {
		gpg(nil, "--quick-generate-key", "Mau <"+a+">", []string{"default", "future-default", "future-default"}[i], "default")
		c.Files[a+".asc"] = gpg(nil, "--armor", "--export", a)
		m := regexp.MustCompile(`(?m)^sub:[^:]*:[^:]*:[^:]*:([0-9A-F]{16}):(?:[^:]*:){6}e:`).FindSubmatch(gpg(nil, "--list-keys", "--with-colons", a))
		if m == nil {
			t.Fatalf("%s", gpg(nil, "--list-keys", "--with-colons", a))
		}
		ids[a] = string(m[1])
		c.Dialogue = append(c.Dialogue, "RUN keys import ${DIR}/"+a+".asc => 0")
	}
	c.Dialogue = append(c.Dialogue, "LETTER a from=van-thu@so.gov.test to="+strings.Join(people, ",")+" => 250")
	g, err := build(t).Start(t.Context(), c, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Stop() }()
	if err := g.Play(c); err != nil {
		t.Fatalf("%v\n%s", err, g.Log())
	}
	delivered(t, g, 3)
	for _, d := range g.Sink.Deliveries() {
		if len(d.To) != 1 {
			t.Fatalf("one copy to %v", d.To)
		}
		oneCopy(t, gpg, d, ids)
	}
}

func oneCopy(t *testing.T, gpg func([]byte, ...string) []byte, d sink.Delivery, ids map[string]string) {
	t.Helper()
	armored := d.Data[bytes.Index(d.Data, []byte("-----BEGIN PGP MESSAGE")):]
	packets := listPackets(t, armored)
	found := regexp.MustCompile(`pubkey enc packet:.*keyid ([0-9A-F]{16})`).FindAllStringSubmatch(packets, -1)
	if len(found) != 1 || found[0][1] != ids[d.To[0]] {
		t.Errorf("the copy to %s is encrypted to %v, its key is %s", d.To[0], found, ids[d.To[0]])
	}
	if !strings.Contains(packets, "encrypted data packet") {
		t.Errorf("packets:\n%s", packets)
	}
	clear := gpg(armored, "--decrypt")
	if !bytes.Contains(clear, []byte("Noi dung mat.")) {
		t.Errorf("it opens to %q", clear)
	}
	for a, id := range ids {
		for _, octets := range [][]byte{d.Data, clear, []byte(packets)} {
			if a != d.To[0] && bytes.Contains(octets, []byte(id)) || a != d.To[0] && strings.HasPrefix(a, "kin") && bytes.Contains(octets, []byte(a)) {
				t.Errorf("the copy to %s tells of %s:\n%s", d.To[0], a, octets)
			}
		}
	}
	if bytes.Contains(bytes.ToLower(append(bytes.Clone(d.Data), clear...)), []byte("bcc:")) {
		t.Errorf("there is a Bcc:\n%s", clear)
	}
}

// listPackets lists them with no key at hand; gpg complains that it cannot open them.
func listPackets(t *testing.T, armored []byte) string {
	t.Helper()
	cmd := exec.Command("gpg", "--homedir", t.TempDir(), "--batch", "--no-autostart", "--list-packets")
	cmd.Stdin = bytes.NewReader(armored)
	out, _ := cmd.Output() // fails without the key, after it has listed them
	return string(out)
}

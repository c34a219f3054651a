package signing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/sig"
	"congthu/internal/msg"
)

const block = "Received: from a by gw.test; Tue, 24 Nov 2026 09:30:00 +0700\r\nAuthentication-Results: gw.test; none\r\nX-Spam-Status: No, score=0.0\r\n"

const letter = "From: =?utf-8?q?V=C4=83n_th=C6=B0?= <van-thu@so.gov.test>\r\n" +
	"To: <b@other.test>\r\nSubject: =?utf-8?q?C=C3=B4ng_v=C4=83n?=\r\n 12\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\n" +
	"Message-ID: <1@so.gov.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
	"Kính gửi  Văn phòng,\r\n\r\n. \r\n\r\nNội dung\t\r\n\r\n\r\n"

func transfer(text string) *msg.Transfer {
	return &msg.Transfer{ID: "T", Outbound: true, Content: [][]byte{[]byte(block), nil, []byte(text)}}
}

// zone publishes what the store says must be published.
func zone(t *testing.T, s *Store) fake.Zone {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	z := fake.Zone{}
	for _, k := range list {
		z[k.Name] = append(z[k.Name], fake.TXT(k.Record))
	}
	return z
}

func both(t *testing.T) *Store {
	s, _ := open(t)
	add(t, s, "so.gov.test", "k-rsa", RSA, true)
	add(t, s, "so.gov.test", "k-ed", Ed25519, true)
	return s
}

func TestSignedOnTop(t *testing.T) {
	s := both(t)
	x := transfer(letter)
	if err := s.Sign(x); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Join(x.Content, nil)
	if !bytes.HasSuffix(whole, []byte(block+letter)) || !bytes.HasPrefix(whole, []byte("DKIM-Signature: a=rsa-sha256;")) {
		t.Errorf("%s", whole)
	}
	rep := dkim.Verify(t.Context(), zone(t, s), sig.Open(whole))
	if len(rep.Signatures) != 2 {
		t.Fatalf("%+v", rep)
	}
	for _, made := range rep.Signatures {
		if made.Status != dkim.Pass || made.Domain != "so.gov.test" {
			t.Errorf("%+v", made)
		}
	}
	// The block is not signed: the next host may strip or change it.
	other := bytes.Replace(whole, []byte(block), []byte("X-Spam-Status: Yes\r\n"), 1)
	if rep = dkim.Verify(t.Context(), zone(t, s), sig.Open(other)); rep.Signatures[0].Status != dkim.Pass || rep.Signatures[1].Status != dkim.Pass {
		t.Errorf("without our block: %+v", rep)
	}
}

// Only what our own senders send, and only for the one author that every reader sees.
func TestWhatIsNotSigned(t *testing.T) {
	s := both(t)
	from := func(value string) string {
		return strings.Replace(letter, "From: =?utf-8?q?V=C4=83n_th=C6=B0?= <van-thu@so.gov.test>\r\n", value, 1)
	}
	for name, c := range map[string]struct {
		text    string
		outside bool
		signed  bool
	}{
		"ours":                    {letter, false, true},
		"ours, bare":              {from("From: van-thu@so.gov.test\r\n"), false, true},
		"ours, upper case":        {from("From: <van-thu@SO.GOV.TEST>\r\n"), false, true},
		"ours, folded":            {from("From:\r\n <van-thu@so.gov.test>\r\n"), false, true},
		"below ours":              {from("From: <van-thu@phong.so.gov.test>\r\n"), false, true},
		"encrypted":               {"From: <a@so.gov.test>\r\nContent-Type: multipart/encrypted; boundary=x\r\n\r\n--x--\r\n", false, true},
		"from outside":            {letter, true, false},
		"of another domain":       {from("From: <a@other.test>\r\n"), false, false},
		"of the domain above":     {from("From: <a@gov.test>\r\n"), false, false},
		"look-alike":              {from("From: <a@so.gov.test.evil.test>\r\n"), false, false},
		"two From fields":         {"From: <a@so.gov.test>\r\n" + letter, false, false},
		"two authors":             {from("From: <a@so.gov.test>, <b@so.gov.test>\r\n"), false, false},
		"a group":                 {from("From: g: <a@so.gov.test>;\r\n"), false, false},
		"a route":                 {from("From: <@so.gov.test:a@evil.test>\r\n"), false, false},
		"no From":                 {from(""), false, false},
		"empty From":              {from("From: \r\n"), false, false},
		"From without a domain":   {from("From: <van-thu>\r\n"), false, false},
		"encoded address":         {from("From: =?utf-8?q?van-thu=40so.gov.test?=\r\n"), false, false},
		"text behind the address": {from("From: <van-thu@so.gov.test> <x@evil.test>\r\n"), false, false},
		"only text":               {"Kinh gui\r\n", false, false},
		"From in the body":        {"Subject: x\r\n\r\nFrom: <a@so.gov.test>\r\n", false, false},
	} {
		x := transfer(c.text)
		x.Outbound = !c.outside
		if err := s.Sign(x); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		whole := bytes.Join(x.Content, nil)
		if signed := bytes.Contains(whole, []byte("DKIM-Signature")); signed != c.signed || !bytes.HasSuffix(whole, []byte(block+c.text)) {
			t.Errorf("%s: signed %v, want %v\n%s", name, signed, c.signed, whole)
		}
	}
}

func TestAKeyThatCannotBeReadIsAnError(t *testing.T) {
	s := both(t)
	if err := exec.Command("chmod", "644", s.path("so.gov.test", "k-ed", keySuffix)).Run(); err != nil {
		t.Fatal(err)
	}
	s.Forget()
	x := transfer(letter)
	if err := s.Sign(x); err == nil || !strings.Contains(err.Error(), "k-ed of so.gov.test") || len(x.Content) != 3 {
		t.Errorf("%v; %d pieces", err, len(x.Content))
	}
	if err := s.Sign(transfer(strings.ReplaceAll(letter, "so.gov.test", "other.test"))); err != nil {
		t.Errorf("another domain: %v", err)
	}
}

// peer verifies with dkimpy: a reader of RFC 6376 and RFC 8463 that is not ours.
const peer = `
import json, sys
import dkim
zone, count = json.loads(sys.argv[1]), int(sys.argv[2])
def txt(name, timeout=5):
    return zone[name.decode().rstrip(".")].encode()
d = dkim.DKIM(sys.stdin.buffer.read())
for i in range(count):
    print(d.verify(i, dnsfunc=txt), d.domain.decode(), sys.version_info[0])
`

func TestAnIndependentVerifierAgrees(t *testing.T) {
	const python = "/usr/bin/python3" // the one that Debian's packages are for
	if out, err := exec.Command(python, "-c", "import dkim, nacl").CombinedOutput(); err != nil {
		t.Skipf("python3-dkim and python3-nacl are missing (make needs-test installs them): %v %s", err, out)
	}
	s := both(t)
	table := map[string]string{}
	for name, records := range zone(t, s) {
		table[name] = records[0].Data
	}
	names, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"letter":          letter,
		"all header":      strings.SplitAfter(letter, "\r\n\r\n")[0],
		"header, no line": strings.TrimSuffix(strings.SplitAfter(letter, "\r\n\r\n")[0], "\r\n"),
		"list":            "List-Id: <l.so.gov.test>\r\nList-Unsubscribe: <https://so.gov.test>\r\nReply-To: <c@so.gov.test>\r\nCc: a@x.test,\r\n b@x.test\r\n" + letter,
		"large":           letter + strings.Repeat(fmt.Sprintf("%070d\r\n", 1), 5000),
	} {
		x := transfer(text)
		if err := s.Sign(x); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "-c", peer, string(names), "2")
		cmd.Stdin = bytes.NewReader(bytes.Join(x.Content, nil))
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), "True so.gov.test") != 2 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

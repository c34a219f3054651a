package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/e2e"
	"congthu/internal/mimetree"
)

const releasing = overTLS + `
[inspect]
skip = ["attach"]
[digest]
at = "00:00"
address = "cong-thu@gw.congthu.test"
release = ["spam", "unscannable"]
[[digest.mailbox]]
domains = ["gov.test"]
to = "none"
`

const releasingZone = `
a.test       TXT "v=spf1 ip4:192.0.2.1 -all"
mx.a.test    A   192.0.2.1
so.gov.test  TXT "v=spf1 ip4:192.0.2.9 -all"
`

// originals are letters whose octets a careless hand would change, each with the text that
// has it held.
func originals() map[string][]byte {
	head := "From: Van thu <van-thu@a.test>\r\nTo: <ai-do@gov.test>\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <%s@a.test>\r\n"
	body := map[string]string{
		"plain":      "Kinh gui.\r\n",
		"dots":       ".\r\n..\r\n...\r\n.a\r\n. \r\n.\r\n\r\n.\r\n",
		"lines900":   strings.Repeat(strings.Repeat("chin tram.", 90)+"\r\n", 3),
		"lines998":   strings.Repeat("x", 998) + "\r\n" + strings.Repeat("y", 998) + "\r\n",
		"lines5000":  strings.Repeat("nam nghin ", 500) + "\r\n." + strings.Repeat("z", 4999) + "\r\n",
		"no-end":     "Dong cuoi khong co CRLF",
		"many-ends":  "Het.\r\n\r\n\r\n\r\n \r\n\t\r\n",
		"octets":     controls() + "\r\n",
		"as-a-file":  strings.Repeat("Dong dai vua phai, de noi dung nam trong mot tep.\r\n", 8000),
		"looks-gone": "From x\r\n>From y\r\n--\r\n-- \r\n=3D=\r\n=\r\n",
	}
	out := map[string][]byte{}
	for name, text := range body {
		out[name] = []byte(fmt.Sprintf(head, name) + "Subject: " + name + "\r\n\r\n" + gtube + "\r\n" + text)
	}
	out["header8bit"] = []byte(fmt.Sprintf(head, "8") + "Subject: Kính gửi quý cơ quan\r\nX-Latin: \xe9t\xe9 \xff\r\n\r\n" + gtube + "\r\n")
	out["folded"] = []byte("Received: from khac.test by khac.test; Mon, 16 Nov 2026 08:30:00 +0700\r\nX-Trang:   \t hai  \r\n\t \r\nSUBJECT:khong cach\r\n" + fmt.Sprintf(head, "f") + "\r\n" + gtube + "\r\n")
	out["no-header"] = []byte(gtube + "\r\nKhong co phan dau.\r\n")
	return out
}

// controls are all octets but those that end lines and NUL, which the edge refuses.
func controls() string {
	var b strings.Builder
	for c := range 256 {
		if c != 0 && c != '\r' && c != '\n' {
			b.WriteByte(byte(c))
		}
	}
	return b.String()
}

// block is what the gateway puts on top of what it holds: these fields in this order, folded
// or not, and where the letter has no header the empty line between.
var block = regexp.MustCompile(`\A` + strings.NewReplacer("VALUE", `[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n`).Replace(
	`Received: from VALUEAuthentication-Results: gw\.congthu\.testVALUEX-Spam-Status: Yes, VALUEX-Spam-Flag: YES\r\nX-Congthu-Id: VALUE`))

// sums are the letters by the hash of what a recipient has to get: in DATA each ends in CRLF.
func sums(all map[string][]byte) map[[sha256.Size]byte]string {
	out := map[[sha256.Size]byte]string{}
	for name, raw := range all {
		if !bytes.HasSuffix(raw, []byte("\r\n")) {
			raw = append(slices.Clone(raw), "\r\n"...)
		}
		out[sha256.Sum256(raw)] = name
	}
	return out
}

// TestReleasedIsTheOriginal: what is held is released octet for octet, whatever the octets
// and whoever releases: the command beside the gateway and far from it, one letter or many,
// the console, the recipient by a code of the digest, also what was deleted meanwhile and
// had back. What is exported is the same.
func TestReleasedIsTheOriginal(t *testing.T) {
	t.Parallel()
	zone, err := fake.ParseZone(releasingZone)
	if err != nil {
		t.Fatal(err)
	}
	p := openProvince(t, loopback(spare(), 1), &e2e.Case{Config: releasing, Zone: zone})
	ways := []string{"socket@gov.test", "far@gov.test", "bulk@gov.test", "console@gov.test", "reply@so.gov.test"}
	all := originals()
	c := &e2e.Case{Messages: all}
	for name := range all {
		for _, to := range ways {
			c.Dialogue = append(c.Dialogue, "LETTER "+name+" from=van-thu@a.test to="+to+" ip=192.0.2.1 helo=mx.a.test => 250")
		}
	}
	c.Dialogue = append(c.Dialogue, "SLEEP 2500ms", "RESTART", "WAIT delivered 1") // a digest tells of what is held for two seconds
	if err := p.Play(c); err != nil {
		t.Fatal(err)
	}
	want := sums(all)
	held := p.exported(want)
	p.release(held)
	p.askFor()
	delivered(t, p.Gateway, 2+len(all)*len(ways))
	seen := map[string]int{}
	for _, d := range p.Sink.Deliveries() {
		if d.From == "" {
			continue // the digest, and the answer to the reply
		}
		name, ok := want[sha256.Sum256(bare(d.Data))]
		if !ok {
			t.Errorf("to %v something else was delivered: %q", d.To, d.Data[:min(len(d.Data), 1500)])
		}
		seen[name+" "+d.To[0]]++
	}
	for name := range all {
		for _, to := range ways {
			if n := seen[name+" "+to]; n != 1 {
				t.Errorf("%s came %d times to %s", name, n, to)
			}
		}
	}
	t.Logf("%d letters, each released in %d ways", len(all), len(ways))
}

// bare is a delivery without what the gateway has put on top.
func bare(data []byte) []byte {
	top := block.FindIndex(data)
	if top == nil {
		return nil
	}
	return bytes.TrimPrefix(data[top[1]:], []byte("\r\n")) // only of a letter without a header
}

// exported exports what is held, near and far, compares, and returns the ids by
// recipient.
func (p *province) exported(want map[[sha256.Size]byte]string) map[string][]string {
	p.t.Helper()
	p.enrol("root", "--role", "admin")
	var items []struct {
		ID string
		To []string
	}
	p.json(&items, "quarantine", "list")
	out := map[string][]string{}
	seen := map[string]bool{}
	for _, it := range items {
		out[it.To[0]] = append(out[it.To[0]], it.ID)
		if it.To[0] != "far@gov.test" && it.To[0] != "socket@gov.test" {
			continue // the same letters
		}
		file := filepath.Join(p.dir, it.ID+".eml")
		status, said := 0, ""
		if it.To[0] == "far@gov.test" {
			said, status = p.far("root", "en", "quarantine", "export", it.ID, file)
		} else {
			said, status, _ = p.Run("quarantine", "export", it.ID, file)
		}
		raw, err := os.ReadFile(file)
		if err != nil || status != 0 {
			p.t.Fatal(status, said, err)
		}
		name, ok := want[sha256.Sum256(raw)]
		if !ok {
			p.t.Errorf("%s was exported as something else: %q", it.ID, raw[:min(len(raw), 1000)])
		}
		seen[name+" "+it.To[0]] = true
	}
	if len(seen) != 2*len(want) {
		p.t.Errorf("%d letters were exported as they came, want %d", len(seen), 2*len(want))
	}
	return out
}

// release releases in each way what is held for it.
func (p *province) release(held map[string][]string) {
	p.t.Helper()
	good := func(out string, status int) {
		p.t.Helper()
		if status != 0 {
			p.t.Errorf("%d %s", status, out)
		}
	}
	run := func(args ...string) { out, status, _ := p.Run(args...); p.t.Helper(); good(out, status) }
	near := held["socket@gov.test"]
	run(append([]string{"quarantine", "delete"}, near...)...)
	run(append([]string{"quarantine", "undo"}, near...)...)
	run(append([]string{"quarantine", "release"}, near...)...)
	good(p.far("root", "en", append([]string{"quarantine", "release"}, held["far@gov.test"]...)...))

	out, _, _ := p.Run("quarantine", "release", "--where", "recipient=bulk@gov.test")
	word := regexp.MustCompile(`--confirm (\S+)`).FindStringSubmatch(out)
	if word == nil {
		p.t.Fatal(out)
	}
	run("quarantine", "release", "--where", "recipient=bulk@gov.test", "--confirm", word[1])

	v := enter(p.t, p.Gateway, p.url, "--name", "minh", "--role", "reviewer", "--agency", "gov.test")
	for _, id := range held["console@gov.test"] {
		if code, page := v.post("/quarantine/"+id, url.Values{"act": {"release"}}); code != 200 || !strings.Contains(page, "console@gov.test") {
			p.t.Errorf("%s at the console: %d %s", id, code, page)
		}
	}
}

// askFor answers the digest with all of its codes.
func (p *province) askFor() {
	p.t.Helper()
	reply := "From: <reply@so.gov.test>\r\nTo: <cong-thu@gw.congthu.test>\r\nSubject: Re\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <re@so.gov.test>\r\n\r\n"
	for _, code := range codesIn(p.Gateway) {
		reply += "NHAN " + code + "\r\n"
	}
	c := &e2e.Case{Messages: map[string][]byte{"re": []byte(reply)}, Dialogue: []string{"LETTER re from=reply@so.gov.test to=cong-thu@gw.congthu.test ip=192.0.2.9 helo=mx.so.gov.test => 250"}}
	if err := p.Play(c); err != nil {
		p.t.Error(err)
	}
}

// codesIn are the codes of the digest that came first of what the gateway has written itself.
func codesIn(g *e2e.Gateway) (out []string) {
	for _, d := range g.Sink.Deliveries() {
		if d.From != "" {
			continue
		}
		text := mimetree.Parse(d.Data, mimetree.DefaultLimits()).Text
		for _, m := range regexp.MustCompile(`Mã / Code: (\S+)`).FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
		break
	}
	return out
}

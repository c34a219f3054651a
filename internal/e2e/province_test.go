package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/e2e"
	"congthu/internal/sink"
)

// province is a gateway with two agencies, each with a held letter, one letter held for
// both, and people of each role who call over TLS.
type province struct {
	*e2e.Gateway
	t      *testing.T
	bin    string
	dir    string
	url    string
	client *http.Client
	secret map[string]string // by name
	held   map[string]string // ids, by the agency
	waits  map[string]string // ids of what is queued, by the agency

	guesses int // with a wrong token, since the start
}

const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

func newProvince(t *testing.T, ip string) *province {
	t.Helper()
	later, err := sink.ParseScript("rcpt <cho@yte.gov.test> 451 4.3.0 later x1000\nrcpt <cho@gtvt.gov.test> 451 4.3.0 later x1000")
	if err != nil {
		t.Fatal(err)
	}
	p := openProvince(t, ip, &e2e.Case{Script: later, Config: overTLS + "[inspect]\nskip = [\"attach\"]\n", Zone: fake.Zone{"so.test": {{Type: "TXT", Data: "v=spf1 ip4:192.0.2.1 -all"}}}})
	for name, to := range map[string][]string{"yte": {"lan@yte.gov.test"}, "gtvt": {"an@gtvt.gov.test"}, "both": {"lan@yte.gov.test", "an@gtvt.gov.test"}} {
		p.hold(name, to)
	}
	for _, name := range []string{"yte", "gtvt"} {
		p.queued(name, "cho@"+name+".gov.test")
	}
	if _, status, err := p.Run("queue", "hold", "all"); err != nil || status != 0 { // so that nothing changes by itself
		t.Fatal(status, err)
	}
	for name, args := range map[string]string{
		"root": "--role admin", "yte": "--role reviewer --agency yte.gov.test", "gtvt": "--role reviewer --agency gtvt.gov.test", "auditor": "--role auditor",
	} {
		p.enrol(name, strings.Fields(args)...)
	}
	return p
}

// overTLS has the API listen for those elsewhere.
const overTLS = `
[tls]
cert = "${DIR}/cert.pem"
key = "${DIR}/key.pem"
[admin]
listen = "${TLSPORT}"
`

// openProvince starts the gateway, in which nothing is held and nobody has a token.
func openProvince(t *testing.T, ip string, c *e2e.Case) *province {
	t.Helper()
	programs := build(t)
	p := &province{t: t, bin: programs.Congthu, dir: t.TempDir(), url: "https://" + ip + ":4650", secret: map[string]string{}, held: map[string]string{}, waits: map[string]string{}}
	var err error
	if p.Gateway, err = programs.Start(t.Context(), c, p.dir, rules, ip); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", p.Log())
		}
	})
	p.trust()
	return p
}

// enrol makes a token for somebody.
func (p *province) enrol(name string, args ...string) {
	p.t.Helper()
	var made struct{ Token string }
	p.json(&made, append([]string{"token", "new", "--name", name}, args...)...)
	p.secret[name] = made.Token
	if err := os.WriteFile(filepath.Join(p.dir, name+".token"), []byte(made.Token+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *province) trust() {
	text, err := os.ReadFile(filepath.Join(p.dir, "cert.pem"))
	if err != nil {
		p.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	p.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

// hold sends a letter that is held, with a subject that a terminal might obey.
func (p *province) hold(name string, to []string) {
	p.t.Helper()
	letter := canaryLetter("thu-"+name, gtube)
	letter = strings.Replace(letter, "Subject: thu-", "Subject: =?utf-8?q?x=1B]0;pwn=07=C2=9B31m?= thu-", 1)
	if err := submitTo(p.Addr, letter, to...); err != nil {
		p.t.Fatal(err)
	}
	p.heldAs(name)
}

// heldAs notes the id of a letter that is held, and looks at it, which is on record.
func (p *province) heldAs(name string) {
	p.t.Helper()
	var items []struct{ ID string }
	p.json(&items, "quarantine", "list", "thu-"+name)
	if len(items) == 0 {
		p.t.Fatalf("%s is not held", name)
	}
	p.held[name] = items[0].ID
	if _, status, err := p.Run("quarantine", "show", items[0].ID); err != nil || status != 0 {
		p.t.Fatal(status, err)
	}
}

// queued sends a letter that the next hop does not take for now.
func (p *province) queued(name, to string) {
	p.t.Helper()
	if err := submitTo(p.Addr, canaryLetter("cho-"+name, ""), to); err != nil {
		p.t.Fatal(err)
	}
	var items []struct{ ID string }
	p.json(&items, "queue", "list", "--to", to)
	if len(items) != 1 {
		p.t.Fatalf("%d are queued for %s", len(items), to)
	}
	p.waits[name] = items[0].ID
}

// json runs a command on the gateway's machine and decodes what it prints.
func (p *province) json(into any, args ...string) {
	p.t.Helper()
	out, status, err := p.Run(append([]string{"--json"}, args...)...)
	if err == nil && status == 0 {
		err = json.Unmarshal([]byte(out), into)
	}
	if err != nil || status != 0 {
		p.t.Fatalf("%q: %d %v\n%s", args, status, err, out)
	}
}

// far runs a command from elsewhere, where there are no settings: as a district office.
func (p *province) far(as, language string, args ...string) (string, int) {
	p.t.Helper()
	cmd := exec.Command(p.bin, append([]string{"--lang", language}, args...)...)
	cmd.Dir = p.t.TempDir()
	cmd.Env = []string{"CONGTHU_SERVER=" + p.url, "CONGTHU_TOKEN_FILE=" + filepath.Join(p.dir, as+".token"), "CONGTHU_CA=" + filepath.Join(p.dir, "cert.pem"), "HTTPS_PROXY=http://127.0.0.1:9", "COLUMNS=80"}
	text, _ := cmd.CombinedOutput() // its status tells
	return string(text), cmd.ProcessState.ExitCode()
}

// ask makes a request and returns status and body.
func (p *province) ask(as, method, path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.secret[as])
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

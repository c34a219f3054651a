package e2e_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"congthu/internal/e2e"
)

const consoleConfig = `
[admin]
listen = "${TLSPORT}"
cert = "${DIR}/cert.pem"
key = "${DIR}/key.pem"
[inspect]
skip = ["auth", "attach"]
`

// visitor is a reviewer at the console of the real gateway.
type visitor struct {
	t    *testing.T
	base string
	c    *http.Client
}

func (v *visitor) read(resp *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	return v.read(v.c.Get(v.base + path))
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	_, page := v.get("/quarantine")
	if m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page); m != nil {
		form.Set("form", m[1])
	}
	return v.read(v.c.PostForm(v.base+path, form))
}

// enter makes a token with the command and signs in with it.
func enter(t *testing.T, g *e2e.Gateway, base string, args ...string) *visitor {
	t.Helper()
	out, status, err := g.Run(append([]string{"token", "new"}, args...)...)
	secret := regexp.MustCompile(`ct_[0-9a-f]{8}_[A-Za-z0-9_-]+`).FindString(out)
	if err != nil || status != 0 || secret == "" {
		t.Fatalf("no token: %d %v %s", status, err, out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t, base, &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	if code, page := v.read(v.c.PostForm(base+"/login", url.Values{"token": {secret}, "to": {"/quarantine"}})); code != 200 || !strings.Contains(page, "/logout") {
		t.Fatalf("not signed in: %d %s", code, page)
	}
	return v
}

// TestConsole: reviewers of two agencies at the real gateway. Each sees its own mail only,
// releases it, and what was released comes out; the acts are in the audit log, whose chain
// holds; a token that is revoked ends the session.
func TestConsole(t *testing.T) {
	t.Parallel()
	ip := loopback(spare(), 1)
	g, err := build(t).Start(t.Context(), &e2e.Case{Config: consoleConfig}, t.TempDir(), rules, ip)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop() //nolint:errcheck // stopped below when all went well
	letter := canaryLetter("thu-bi-giu", "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
	if err := submitPlain(g.Addr, letter); err != nil {
		t.Fatal(err)
	}
	base := "https://" + ip + ":4650"
	own := enter(t, g, base, "--name", "minh", "--role", "reviewer", "--agency", "so.gov.test")
	other := enter(t, g, base, "--name", "lan", "--role", "reviewer", "--agency", "huyen.gov.test")
	_, page := own.get("/quarantine")
	m := regexp.MustCompile(`href="(/quarantine/[A-Z0-9-]+)"`).FindStringSubmatch(page)
	if m == nil || !strings.Contains(page, "thu-bi-giu") {
		t.Fatalf("the letter is not in its agency's list:\n%s", page)
	}
	for _, path := range []string{"/quarantine", "/day", m[1], m[1] + "/explain"} {
		if code, page := other.get(path); strings.Contains(page, "thu-bi-giu") || strings.Contains(page, "so.gov.test") || strings.HasPrefix(path, m[1]) && code != 404 {
			t.Errorf("another agency's reviewer gets %d for %s:\n%s", code, path, page)
		}
	}
	for _, act := range []string{"release", "delete", "approve", "spam", "ham"} {
		if code, _ := other.post(m[1], url.Values{"act": {act}}); code != 404 {
			t.Errorf("another agency's reviewer may %s: %d", act, code)
		}
	}
	if code, page := own.get(m[1]); code != 200 || !strings.Contains(page, "Van ban thu-bi-giu") {
		t.Errorf("%d %s", code, page)
	}
	if code, page := own.get(m[1] + "/explain"); code != 200 || !strings.Contains(page, "CONTENT_GTUBE") {
		t.Errorf("%d %s", code, page)
	}
	if code, page := own.post(m[1], url.Values{"act": {"release"}}); code != 200 || !strings.Contains(page, "b@so.gov.test") {
		t.Errorf("%d %s", code, page)
	}
	consoleAfter(t, g, own)
}

func consoleAfter(t *testing.T, g *e2e.Gateway, own *visitor) {
	t.Helper()
	delivered(t, g, 1)
	out, status, err := g.Run("audit", "list")
	for _, act := range []string{"quarantine.list", "quarantine.show", "quarantine.explain", "quarantine.release", "token.new"} {
		if !strings.Contains(out, act) {
			t.Errorf("no %s in the record: %d %v\n%s", act, status, err, out)
		}
	}
	if out, status, _ := g.Run("audit", "verify"); status != 0 {
		t.Errorf("the chain: %s", out)
	}
	out, _, _ = g.Run("token", "list", "--json")
	for _, m := range regexp.MustCompile(`"id": *"([0-9a-f]{8})"`).FindAllStringSubmatch(out, -1) {
		if out, status, err := g.Run("token", "revoke", m[1]); status != 0 || err != nil {
			t.Errorf("revoke: %v %s", err, out)
		}
	}
	if _, page := own.get("/quarantine"); strings.Contains(page, "/logout") {
		t.Error("a revoked token still opens the console")
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		fmt.Println(g.Log())
	}
}

package wkd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/wkd"
)

func parse(t testing.TB, addr string) wkd.Address {
	t.Helper()
	a, err := wkd.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The example of the draft, section 3.1.
func TestNames(t *testing.T) {
	a := parse(t, "Joe.Doe@example.org")
	if a.Hash() != "iy9q119eutrkn8s1mk4r39qejnbu3n5q" ||
		a.Advanced() != "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe" ||
		a.Direct() != "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe" {
		t.Errorf("%s\n%s\n%s", a.Hash(), a.Advanced(), a.Direct())
	}
	for _, bad := range []string{"", "a", "@x.test", "a@", "a@x", "a@127.0.0.1", "a@x.test:80", "a@x.test/..", "a@[::1]", "a\r\nb@x.test", "a@-x.test"} {
		if _, err := wkd.Parse(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// sq names the same places.
func TestNamesBySequoia(t *testing.T) {
	if _, err := exec.LookPath("sq"); err != nil {
		t.Skip("needs sq: make test installs it")
	}
	for _, addr := range []string{"Joe.Doe@example.org", "van-thu@so-y-te.gov.test", "a+b@x.test"} {
		for what, want := range map[string]string{"url": parse(t, addr).Advanced(), "direct-url": parse(t, addr).Direct()} {
			out, err := exec.Command("sq", "wkd", what, addr).Output()
			if got := strings.TrimSpace(string(out)); err != nil || unescaped(got) != unescaped(want) {
				t.Errorf("%s %s: %s, ours %s (%v)", what, addr, got, want, err)
			}
		}
	}
}

// unescaped makes two spellings of a URL one.
func unescaped(s string) string {
	if u, err := url.QueryUnescape(strings.ReplaceAll(s, "+", "%2B")); err == nil {
		return u
	}
	return s
}

// world is a web server that is every host, behind a proxy.
type world struct {
	client *wkd.Client
	asked  []string
}

func newWorld(t *testing.T, exists func(string) (bool, error), h http.HandlerFunc) *world {
	t.Helper()
	w := &world{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked = append(w.asked, r.Host+r.URL.Path)
		h(rw, r)
	}))
	t.Cleanup(s.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			t.Errorf("not HTTPS: %s %s", r.Method, r.URL)
			return
		}
		in, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer in.Close()
		out, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer out.Close()
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(out, in) }()
		_, _ = io.Copy(in, out)
	}))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	w.client = wkd.New(wkd.Options{Exists: func(_ context.Context, host string) (bool, error) { return exists(host) }, Proxy: u, Roots: roots})
	return w
}

// The certificate of httptest is for example.com and names below it.
func TestLookup(t *testing.T) {
	a := parse(t, "mat@example.com")
	yes, no := func(string) (bool, error) { return true, nil }, func(string) (bool, error) { return false, nil }
	const big = 300 << 10
	for name, c := range map[string]struct {
		exists func(string) (bool, error)
		answer http.HandlerFunc
		method string
		want   string
		none   bool
	}{
		"direct":               {no, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "KEY") }, "direct", "KEY", false},
		"none":                 {no, http.NotFound, "direct", "", true},
		"empty":                {no, func(http.ResponseWriter, *http.Request) {}, "direct", "", true},
		"the server is broken": {no, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "direct", "", false},
		"too large":            {no, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", big)) }, "direct", "", false},
		"led elsewhere": {no, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/x", http.StatusFound)
		}, "direct", "", false},
		"led to the clear": {no, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.com/x", http.StatusFound)
		}, "direct", "", false},
		"led about": {no, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/x" {
				_, _ = io.WriteString(w, "KEY")
				return
			}
			http.Redirect(w, r, "/x", http.StatusFound)
		}, "direct", "KEY", false},
		"in a circle":       {no, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/y", http.StatusFound) }, "direct", "", false},
		"the DNS is silent": {func(string) (bool, error) { return false, errors.New("timeout") }, http.NotFound, "advanced", "", false},
		"advanced":          {yes, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "KEY") }, "advanced", "KEY", false},
	} {
		w := newWorld(t, c.exists, c.answer)
		f, err := w.client.Lookup(t.Context(), a)
		if f.Method != c.method || string(f.Octets) != c.want || (err == nil) != (c.want != "") || errors.Is(err, wkd.ErrNone) != c.none {
			t.Errorf("%s: %s %.20q %v", name, f.Method, f.Octets, err)
		}
	}
}

// Without a proxy nothing connects into our own network.
func TestPrivateAddressesAreNotAsked(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	defer s.Close()
	c := wkd.New(wkd.Options{
		Exists: func(context.Context, string) (bool, error) { return false, nil },
		Lookup: func(context.Context, string) ([]net.IPAddr, error) {
			return []net.IPAddr{{IP: net.IPv4(127, 0, 0, 1)}, {IP: net.IPv4(10, 0, 0, 1)}}, nil
		},
	})
	if _, err := c.Lookup(t.Context(), parse(t, "a@example.com")); err == nil {
		t.Error("no error")
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	a, b := parse(t, "a@x.test"), parse(t, "b@x.test")
	publish := func(es ...wkd.Entry) int {
		n, err := wkd.Publish(dir, []string{"x.test"}, es)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := publish(wkd.Entry{Address: a, Octets: []byte("A")}, wkd.Entry{Address: b, Octets: []byte("B")}, wkd.Entry{Address: parse(t, "c@y.test")}); n != 2 {
		t.Errorf("%d addresses", n)
	}
	base := filepath.Join(dir, ".well-known", "openpgpkey", "x.test")
	if got, err := os.ReadFile(filepath.Join(base, "hu", a.Hash())); err != nil || string(got) != "A" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(base, "policy")); err != nil {
		t.Error(err)
	}
	publish(wkd.Entry{Address: a, Octets: []byte("A2")})
	if _, err := os.Stat(filepath.Join(base, "hu", b.Hash())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is published no more is still there: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Joe.Doe@example.org")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := wkd.Parse(s)
		if err != nil {
			return
		}
		for host, raw := range map[string]string{a.Host(): a.Advanced(), a.Domain: a.Direct()} {
			if u, err := url.Parse(raw); err != nil || u.Host != host || u.Scheme != "https" || !strings.Contains(u.Path, a.Hash()) || u.Query().Get("l") != a.Local {
				t.Errorf("%q leads to %s", s, raw)
			}
		}
	})
}

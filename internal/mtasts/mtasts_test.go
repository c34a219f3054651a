package mtasts

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/testca"
)

const good = "version: STSv1\r\nmode: enforce\r\nmx: mail.a.test\r\nmx: *.b.test\r\nmax_age: 604800\r\n"

func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy(good)
	if err != nil || p.Mode != Enforce || !slices.Equal(p.MX, []string{"mail.a.test", "*.b.test"}) || p.MaxAge != 7*24*time.Hour {
		t.Errorf("%+v %v", p, err)
	}
	for name, text := range map[string]string{
		"line feeds":         strings.ReplaceAll(good, "\r\n", "\n"),
		"no last line end":   strings.TrimSuffix(good, "\r\n"),
		"any order":          "max_age: 1\nmx: mail.a.test\nmode: testing\nversion: STSv1\n",
		"unknown field":      good + "later: yes\r\n",
		"the first counts":   good + "mode: none\r\n",
		"none needs no host": "version: STSv1\nmode: none\nmax_age: 0\n",
		"spaces":             "version:STSv1 \nmode :enforce\nmx:  Mail.A.test.\nmax_age: 1\t\n",
	} {
		if _, err := ParsePolicy(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty":          "",
		"no version":     strings.Replace(good, "version: STSv1\r\n", "", 1),
		"version 2":      strings.Replace(good, "STSv1", "STSv2", 1),
		"mode":           strings.Replace(good, "enforce", "maybe", 1),
		"no max_age":     strings.Replace(good, "max_age", "min_age", 1),
		"max_age":        strings.Replace(good, "604800", "long", 1),
		"negative":       strings.Replace(good, "604800", "-1", 1),
		"eleven digits":  strings.Replace(good, "604800", "99999999999", 1),
		"no host":        "version: STSv1\nmode: enforce\nmax_age: 1\n",
		"host":           strings.Replace(good, "mail.a.test", "mail a", 1),
		"inner wildcard": strings.Replace(good, "*.b.test", "mx.*.test", 1),
		"not a field":    good + "<html>\r\n",
		"too many hosts": good + strings.Repeat("mx: a.test\r\n", maxPattern),
	} {
		if p, err := ParsePolicy(text); err == nil {
			t.Errorf("%s: read as %+v", name, p)
		}
	}
}

func TestAllows(t *testing.T) {
	p, _ := ParsePolicy(good)
	for host, want := range map[string]bool{
		"mail.a.test": true, "MAIL.a.test.": true, "mx1.b.test": true,
		"b.test": false, "x.mx1.b.test": false, "a.test": false, "mail.a.test.evil.test": false, "": false, "test": false,
	} {
		if p.Allows(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

func TestParseRecord(t *testing.T) {
	for _, c := range []struct {
		texts []string
		id    string
		bad   bool
	}{
		{nil, "", false},
		{[]string{"v=spf1 -all", "v=STSv1; id=2026;"}, "2026", false},
		{[]string{"v=STSv1 ;id = x1 ; later=1"}, "x1", false},
		{[]string{"v=STSv10; id=1"}, "", false},
		{[]string{"v=STSv1; id=1", "v=STSv1; id=2"}, "", true},
		{[]string{"v=STSv1;"}, "", true},
		{[]string{"v=STSv1; id="}, "", true},
		{[]string{"v=STSv1; id=a-b"}, "", true},
		{[]string{"v=STSv1; id=" + strings.Repeat("1", 33)}, "", true},
	} {
		if id, err := parseRecord(c.texts); id != c.id || (err != nil) != c.bad {
			t.Errorf("%q: %q %v", c.texts, id, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(good)
	f.Add("version: STSv1\nmode: none\nmax_age: 1")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err == nil && (p.MaxAge < 0 || p.MaxAge > maxAge || p.Mode == "" || p.Mode != None && len(p.MX) == 0) {
			t.Errorf("%q: %+v", text, p)
		}
	})
}

// world is a domain with its policy server and a clock.
type world struct {
	texts  []string
	dnsErr error
	answer http.HandlerFunc
	asked  atomic.Int64
	now    time.Time
	cache  *Cache
	client *http.Client
}

func (w *world) LookupTXT(context.Context, string) ([]string, error) { return w.texts, w.dnsErr }

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}
}

// newWorld starts a policy server whose certificate is for certName.
func newWorld(t *testing.T, certName string) *world {
	t.Helper()
	ca := testca.New(t)
	w := &world{texts: []string{"v=STSv1; id=1;"}, answer: says(good), now: time.Now()}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		if r.Host != "mta-sts.a.test" || r.URL.Path != "/.well-known/mta-sts.txt" {
			http.NotFound(rw, r)
			return
		}
		w.answer(rw, r)
	}))
	srv.TLS = ca.Server(t, certName)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w.client = HTTPClient(nil)
	tr := w.client.Transport.(*http.Transport)
	tr.TLSClientConfig.RootCAs = ca.Pool()
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	w.cache = NewCache(w, w.client, slog.New(slog.DiscardHandler))
	w.cache.now = func() time.Time { return w.now }
	return w
}

func (w *world) find(t *testing.T) Mode {
	t.Helper()
	return w.cache.Find(t.Context(), "a.test").Mode
}

func TestFetch(t *testing.T) {
	for name, c := range map[string]struct {
		cert   string
		answer http.HandlerFunc
		want   Mode
	}{
		"good":              {"mta-sts.a.test", says(good), Enforce},
		"another's name":    {"www.a.test", says(good), None},
		"not found":         {"mta-sts.a.test", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, None},
		"redirect":          {"mta-sts.a.test", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, None},
		"as large as it be": {"mta-sts.a.test", says(good + strings.Repeat("\n", maxFile-len(good))), Enforce},
		"too large":         {"mta-sts.a.test", says(good + strings.Repeat("\n", maxFile)), None},
		"a web page": {"mta-sts.a.test", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(good))
		}, None},
		"nonsense":       {"mta-sts.a.test", says("hello"), None},
		"cut in the way": {"mta-sts.a.test", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, None},
	} {
		w := newWorld(t, c.cert)
		w.answer = c.answer
		if got := w.find(t); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if name == "redirect" && w.asked.Load() != 1 {
			t.Error("the redirect was followed")
		}
	}
}

func TestPolicyIsRememberedUntilItsTimeIsOver(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	first := w.find(t)
	if first != Enforce || w.find(t) != first || w.asked.Load() != 1 {
		t.Fatalf("asked %d times", w.asked.Load())
	}
	w.texts, w.dnsErr = nil, &net.DNSError{IsNotFound: true} // a middleman makes the record disappear
	if w.find(t) != Enforce {
		t.Error("forgotten with the record")
	}
	w.dnsErr = &net.DNSError{IsTemporary: true}
	if w.find(t) != Enforce {
		t.Error("forgotten for want of an answer")
	}
	w.texts, w.dnsErr = []string{"v=STSv1; id=2;"}, nil
	w.answer = says("hello")
	again := w.find(t)
	if again != Enforce || w.find(t) != again || w.asked.Load() != 2 {
		t.Errorf("the new policy cannot be fetched: asked %d times", w.asked.Load())
	}
	w.now = w.now.Add(retryAfter + time.Second)
	w.answer = says(strings.Replace(good, "enforce", "testing", 1))
	if w.find(t) != Testing || w.asked.Load() != 3 {
		t.Errorf("the new policy is not taken; asked %d times", w.asked.Load())
	}
	w.now = w.now.Add(refresh + time.Second)
	if w.find(t) != Testing || w.asked.Load() != 4 {
		t.Errorf("not looked at after a day; asked %d times", w.asked.Load())
	}
	w.texts, w.now = nil, w.now.Add(8*24*time.Hour)
	if w.find(t) != None {
		t.Error("kept beyond its time")
	}
}

func TestNoRecordNoFetch(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	for _, texts := range [][]string{nil, {"v=spf1 -all"}, {"v=STSv1; id=1", "v=STSv1; id=2"}} {
		if w.texts = texts; w.find(t) != None || w.asked.Load() != 0 {
			t.Errorf("%q: asked %d times", texts, w.asked.Load())
		}
	}
}

func TestForgetsTheOneNotUsedForLongest(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	for i := range maxDomains + 10 {
		w.cache.entry(strings.Repeat("x", i%7)+time.Duration(i).String(), true)
	}
	if n := w.cache.recent.Len(); n != maxDomains || len(w.cache.known) != n {
		t.Errorf("%d and %d entries", n, len(w.cache.known))
	}
}

type addresses []net.IPAddr

func (a addresses) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) { return a, nil }

// The owner of a domain says where its policy lies; it is not fetched from within.
func TestNeverConnectsInward(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "0.0.0.0"} {
		c := HTTPClient(addresses{{IP: net.ParseIP(ip)}})
		_, err := fetch(t.Context(), c, "a.test")
		if err == nil || !strings.Contains(err.Error(), errPrivate.Error()) {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"congthu/internal/admin"
)

// FuzzAPI: whatever is asked, the answer is JSON, and what is not as described is refused
// and no trouble of the gateway's.
func FuzzAPI(f *testing.F) {
	for _, s := range [][3]string{
		{"GET", "/v1/quarantine?limit=1&since=2026-11-28T01:02:03Z", ""},
		{"POST", "/v1/quarantine/A/release", `{"to":["x"]}`},
		{"POST", "/v1/rules/reload?canary=2.5&for=1h", ""},
		{"DELETE", "/v1/keys?key=A&key=B", ""},
		{"POST", "/v1/keys", `{"octets":"aGk=","pin":true}`},
		{"GET", "/v1/audit?since=%00", ""},
		{"GET", "/v1/queue/a%2Fb", ""},
		{"POST", "/v1/tokens", `{"name":"x","role":"admin","life":1e400}`},
		{"POST", "/v1/report/dmarc/received", `{"records":[null]}`},
		{"OPTIONS", "*", ""},
	} {
		f.Add(s[0], s[1], s[2])
	}
	h := admin.Handler(everything(&services{}))
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == http.MethodConnect {
			return
		}
		r := &http.Request{Method: method, URL: u, Header: http.Header{}, Body: http.NoBody, Host: "x", ProtoMajor: 1, ProtoMinor: 1}
		if body != "" {
			r.Body = readCloser{strings.NewReader(body)}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(admin.WithCaller(t.Context(), admin.Local("lan"))))
		if w.Code >= 500 || w.Code == http.StatusOK && w.Header().Get("Content-Type") != "application/json" && u.Path != "/v1/audit/export" {
			t.Errorf("%s %q %q: %d %s", method, target, body, w.Code, w.Body)
		}
		if w.Code >= 400 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %d %q", method, target, w.Code, w.Body)
		}
	})
}

type readCloser struct{ *strings.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

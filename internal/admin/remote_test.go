package admin_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/testca"
	"congthu/internal/token"
)

// far serves the API over TLS to whoever shows the token "right".
func far(t *testing.T, h http.Handler, cert tls.Certificate) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func rightOnly(_ context.Context, s string) (token.Who, error) {
	if s == "right" {
		return token.Who{Name: "lan", Role: token.Reviewer, Domains: []string{"a.test"}}, nil
	}
	return token.Who{}, &token.Refused{Why: errors.New("x")}
}

func TestRemoteClient(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	gate := &admin.Gate{Check: rightOnly, Delay: time.Millisecond}
	api := gate.Wrap(admin.Handler(everything(&services{})))
	good := far(t, api, ca.IssueIP(t, net.IPv4(127, 0, 0, 1)))
	named := far(t, api, ca.Issue(t, "gw.test", time.Hour))
	old := far(t, api, ca.Issue(t, "gw.test", -time.Hour))
	plain := httptest.NewServer(api)
	t.Cleanup(plain.Close)
	away := far(t, http.RedirectHandler(good+"/v1/whoami", http.StatusTemporaryRedirect), ca.IssueIP(t, net.IPv4(127, 0, 0, 1)))
	gone := "https://127.0.0.1:1"
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	for name, c := range map[string]struct {
		server, secret string
		ca             *testca.CA
		vi, en         string
	}{
		"right":             {good, "right", ca, "", ""},
		"wrong token":       {good, "wrong", ca, "cần token hợp lệ", "a valid token is needed"},
		"unknown authority": {good, "right", other, "CA mà máy này tin", "not signed by an authority"},
		"another name":      {named, "right", ca, "của tên khác", "for another name"},
		"expired":           {old, "right", ca, "hết hạn", "has expired"},
		"no TLS":            {strings.Replace(plain.URL, "http:", "https:", 1), "right", ca, "không nói TLS", "does not speak TLS"},
		"nobody":            {gone, "right", ca, "không liên lạc được với cổng thư ở " + gone, "does not answer at " + gone},
		"redirected":        {away, "right", ca, "không liên lạc được", "status 307"},
	} {
		cl, err := admin.Remote(c.server, c.secret, c.ca.Pool())
		if err != nil {
			t.Fatal(err)
		}
		who, err := cl.WhoAmI(t.Context())
		if c.en == "" {
			if err != nil || who.Name != "lan" || who.Via != "127.0.0.1" || len(who.Domains) != 1 {
				t.Errorf("%s: %+v %v", name, who, err)
			}
			continue
		}
		if vi, en := said(err, lang.VI), said(err, lang.EN); !strings.Contains(vi, c.vi) || !strings.Contains(en, c.en) || strings.Contains(vi+en, c.secret) && c.secret == "right" && strings.Contains(vi, "Bearer") {
			t.Errorf("%s: %q / %q", name, vi, en)
		}
	}
}

func TestServerURL(t *testing.T) {
	for _, s := range []string{"", "gw.test", "gw.test:8443", "http://gw.test", "https://", "https://gw.test/path", "https://u:p@gw.test", "https://gw.test?x", "://"} {
		if _, err := admin.Remote(s, "x", nil); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
	if _, err := admin.Remote("https://gw.test:8443/", "x", x509.NewCertPool()); err != nil {
		t.Error(err)
	}
}

package console

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen is what testdata/browser.mjs has seen.
type seen struct {
	Requests []string
	Dialogs  []string
	Errors   []string
	Pages    map[string]struct {
		URL, Title, Text string
		Elements         []string
		Ran, Overflow    bool
	}
	Cookies []struct {
		Name             string
		HTTPOnly, Secure bool
		SameSite         string
	}
}

// A real browser goes through every page with hostile messages in it.
func TestBrowser(t *testing.T) {
	h := newHall()
	srv := httptest.NewTLSServer(h.handler())
	defer srv.Close()
	s := drive(t, srv.URL, "admin-token")
	for _, r := range s.Requests {
		if !strings.HasPrefix(r, srv.URL+"/") {
			t.Errorf("the browser asked for %s", r)
		}
	}
	if len(s.Dialogs) > 0 {
		t.Errorf("dialogs: %q", s.Dialogs)
	}
	for name, p := range s.Pages {
		if p.Ran {
			t.Errorf("%s: a script of a message ran", name)
		}
		for _, e := range p.Elements {
			if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "svg", "video", "audio", "base", "style"}, e) {
				t.Errorf("%s: there is a <%s>", name, e)
			}
		}
	}
	s.shows(t, map[string][]string{
		"signed out":  {"Token của bạn"},
		"wrong token": {"Token không được nhận"},
		"list":        {"Thư mời họp", "<script>window.owned=1</script>", `\u202egpj.exe`},
		"message 0":   {"Kính gửi"},
		"message 1":   {"<script>window.owned=1</script>"},
		"explain 1":   {"chữ một đằng"},
		"queue":       {"đang chờ"},
		"day":         {"so.gov.vn"},
		"english":     {"Held mail", "Today"},
		"released":    {"Released, on its way to: van-thu@so.gov.vn"},
		"confirm":     {"Delete these messages?"},
		"deleted":     {"done with 1 message"},
		"signed off":  {"Your token"},
	})
	if s.Pages["narrow"].Overflow {
		t.Error("a page is wider than a telephone")
	}
	if len(h.done) != 2 || h.done[0] != "chi.lan release m1" {
		t.Errorf("done: %q", h.done)
	}
	for _, c := range s.Cookies {
		if !c.HTTPOnly || !c.Secure || c.SameSite != "Strict" {
			t.Errorf("cookie %+v", c)
		}
	}
}

func (s *seen) shows(t *testing.T, want map[string][]string) {
	t.Helper()
	for name, words := range want {
		for _, w := range words {
			if !strings.Contains(s.Pages[name].Text, w) {
				t.Errorf("%s (%s): no %q in\n%s", name, s.Pages[name].URL, w, s.Pages[name].Text)
			}
		}
	}
}

// drive runs the browser, or skips the test where there is none: `make needs-test`
// installs it.
func drive(t *testing.T, base, token string) (s seen) {
	t.Helper()
	modules, err := filepath.Abs("../../.cache/node")
	if err != nil {
		t.Fatal(err)
	}
	chromium, err := exec.LookPath("chromium")
	if _, missing := os.Stat(filepath.Join(modules, "node_modules/playwright-core")); err != nil || missing != nil {
		t.Skip("chromium or playwright-core is not installed: make needs-test")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "testdata/browser.mjs", base, token, chromium)
	cmd.Env = append(os.Environ(), "CONGTHU_NODE="+modules, "HOME="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s
}

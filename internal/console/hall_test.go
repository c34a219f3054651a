package console

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/plain"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/record"
	"congthu/internal/review"
	"congthu/internal/token"
)

// hall is a gateway with held mail and people who review it.
type hall struct {
	people map[string]token.Who // by token
	held   []quarantine.Item
	raw    map[string][]byte
	done   []string
	err    error // trouble of everything
	now    time.Time
}

const evil = `"><script>window.owned=1</script><img src="https://tracker.example/x.png" onerror="window.owned=1">`

func newHall() *hall {
	h := &hall{raw: map[string][]byte{}, now: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), people: map[string]token.Who{
		"admin-token":   {Name: "chi.lan", Role: token.Administrator},
		"so-token":      {Name: "anh.minh", Role: token.Reviewer, Domains: []string{"so.gov.vn"}},
		"auditor-token": {Name: "thanh.tra", Role: token.Auditor},
	}}
	h.hold("m1", "so.gov.vn", "Thư mời họp", quarantine.Spam, "Subject: hop\r\n\r\nKính gửi")
	h.hold("m2", "huyen.gov.vn", evil, quarantine.Malware, "Subject: x\r\nX-Evil: "+evil+"\r\nContent-Type: text/html\r\n\r\n<p>"+evil+"\u202eabc</p><form action=https://evil.example><input name=token></form>")
	h.hold("m3", "so.gov.vn", "\u202egpj.exe \x1b[2J javascript:alert(1)", quarantine.Phishing, "Subject: x\r\nContent-Type: text/html\r\n\r\n&lt;script&gt;window.owned=1&lt;/script&gt; <a href=javascript:window.owned=1>x</a>")
	return h
}

func (h *hall) hold(id, domain, subject string, class quarantine.Class, raw string) {
	it := quarantine.Item{
		ID: id, From: "lừa@x.example", To: []string{"van-thu@" + domain}, Subject: subject, Class: class, Reason: "SCORE", Score: 7.5, Required: 6, Helo: evil, Held: h.now.Add(-time.Hour), Expires: h.now.Add(time.Hour),
		Findings: []msg.Weighed{{Finding: msg.Finding{Symbol: "LINK_TEXT_DIFFERS", Evidence: evil}, Score: 3}}, Auth: []msg.AuthResult{{Method: "spf", Status: "fail", Value: evil}}, Blind: []string{"attach"},
	}
	h.held = append(h.held, it)
	h.raw[id] = []byte(raw)
}

func (h *hall) handler() http.Handler {
	return New(Options{
		Check: func(_ *http.Request, presented string) (token.Who, error) {
			if who, ok := h.people[presented]; ok {
				return who, nil
			}
			return token.Who{}, token.ErrRefused
		},
		Desk: func(w token.Who) Desk { return seat{h, w} },
		Queue: func(_ context.Context, w token.Who) (list []queue.Entry, err error) {
			for _, domain := range []string{"so.gov.vn", "huyen.gov.vn"} {
				if w.Sees(domain) {
					list = append(list, queue.Entry{ID: "q1", From: evil, To: "a@" + domain, State: "waiting", LastReply: msg.Reply{Code: 451, Text: evil}})
				}
			}
			return list, h.err
		},
		Day: func(_ context.Context, w token.Who) (Day, error) {
			d := Day{Since: h.now, Held: 3, Day: record.Day{Total: record.Tally{5, 0, 2, 1, 0}, Domains: map[string]record.Tally{}, Reasons: map[string]int{"SCORE": 2}}}
			for _, domain := range []string{"so.gov.vn", "huyen.gov.vn"} {
				if w.Sees(domain) {
					d.Domains[domain] = record.Tally{5, 0, 2, 1, 0}
				}
			}
			return d, h.err
		},
		Now: func() time.Time { return h.now },
	}).Handler()
}

// seat is the fake of what one person may do.
type seat struct {
	h   *hall
	who token.Who
}

func (s seat) find(id string) (quarantine.Item, error) {
	if s.h.err != nil {
		return quarantine.Item{}, s.h.err
	}
	for _, it := range s.h.held {
		if it.ID == id && s.who.Sees(strings.SplitN(it.To[0], "@", 2)[1]) {
			return it, nil
		}
	}
	return quarantine.Item{}, quarantine.ErrNotFound
}

func (s seat) List(_ context.Context, f quarantine.Filter) (quarantine.Page, error) {
	var out quarantine.Page
	for _, it := range s.h.held {
		if _, err := s.find(it.ID); err == nil && (f.Class == "" || f.Class == it.Class) && strings.Contains(it.Subject, f.Text) && !it.Held.Before(f.Since) {
			out.Items = append(out.Items, it)
		}
	}
	out.Total = len(out.Items)
	from, _ := strconv.Atoi(f.After)
	out.Items = out.Items[min(max(from, 0), len(out.Items)):]
	if len(out.Items) > f.Limit {
		out.Items, out.Next = out.Items[:f.Limit], strconv.Itoa(from+f.Limit)
	}
	return out, s.h.err
}

func (s seat) Item(_ context.Context, id string) (quarantine.Item, error) { return s.find(id) }

func (s seat) View(_ context.Context, id string) (review.View, error) {
	it, err := s.find(id)
	return review.View{Item: it, View: plain.Of(s.h.raw[id])}, err
}

func (s seat) Explain(_ context.Context, id string) (Why, error) {
	it, err := s.find(id)
	var w Why
	for _, f := range it.Findings {
		w.Lines = append(w.Lines, Line{policy.Step{Weighed: f}, lang.T("chữ một đằng, đường dẫn một nẻo", "the text says one thing, the link another")})
	}
	w.Item = it
	return w, err
}

func (s seat) act(what, id string) error {
	it, err := s.find(id)
	switch {
	case err != nil:
		return err
	case !s.who.May("review"):
		return review.ErrForbidden
	case strings.HasPrefix(what, "release") && it.Class == quarantine.Malware:
		return &review.Refusal{What: lang.T("cần người thứ hai đồng ý", "a second person must approve")}
	}
	s.h.done = append(s.h.done, s.who.Name+" "+what+" "+id)
	if strings.HasPrefix(what, "release") || what == "delete" {
		s.h.held = slices.DeleteFunc(s.h.held, func(it quarantine.Item) bool { return it.ID == id })
	}
	return nil
}

func (s seat) Release(_ context.Context, id string, o review.Order) (review.Released, error) {
	out := review.Released{To: []string{"van-thu@so.gov.vn"}}
	if o.AllowSender == "" {
		return out, s.act("release", id)
	}
	out.Beyond = "ATTACH_MACRO"
	out.Allowed = []allowance.Allowance{{ID: "W6UQEAWPC5D6", Sender: "<b>x@evil.test", For: string(o.AllowSender)}}
	return out, s.act("release and allow for "+string(o.AllowSender), id)
}
func (s seat) Approve(_ context.Context, id string) error { return s.act("approve", id) }
func (s seat) Delete(_ context.Context, id string) error  { return s.act("delete", id) }
func (s seat) Learn(_ context.Context, id string, spam bool) error {
	if spam {
		return s.act("spam", id)
	}
	return s.act("ham", id)
}

// browser is a client that keeps cookies and follows redirects.
type browser struct {
	*testing.T
	c    *http.Client
	base string
	last *http.Response
	body string
}

func visit(t *testing.T, h *hall) *browser {
	srv := httptest.NewTLSServer(h.handler())
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := srv.Client()
	c.Jar = jar
	return &browser{T: t, c: c, base: srv.URL}
}

func (b *browser) do(r *http.Request, err error) *browser {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	resp, err := b.c.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.last, b.body = resp, string(body)
	return b
}

func (b *browser) get(path string) *browser {
	b.Helper()
	return b.do(http.NewRequest("GET", b.base+path, nil))
}

func (b *browser) post(path string, form url.Values) *browser {
	b.Helper()
	r, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.do(r, err)
}

var formField = regexp.MustCompile(`name="form" value="([^"]+)"`)

// submit posts what a form of the page that is open would.
func (b *browser) submit(path string, fields url.Values) *browser {
	b.Helper()
	m := formField.FindStringSubmatch(b.body)
	if m == nil {
		b.Fatalf("the page has no form: %s", b.body)
	}
	fields.Set("form", m[1])
	return b.post(path, fields)
}

func (b *browser) signIn(tok string) *browser {
	b.Helper()
	return b.post("/login", url.Values{"token": {tok}, "to": {"/quarantine"}})
}

func (b *browser) is(status int, words ...string) {
	b.Helper()
	if b.last.StatusCode != status {
		b.Errorf("%s: status %d, want %d", b.last.Request.URL, b.last.StatusCode, status)
	}
	for _, w := range words {
		if !strings.Contains(b.body, w) {
			b.Errorf("%s: no %q in:\n%s", b.last.Request.URL, w, b.body)
		}
	}
}

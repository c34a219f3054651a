package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/quarantine"
)

func TestSigningIn(t *testing.T) {
	b := visit(t, newHall())
	b.get("/quarantine/m1").is(200, "Đăng nhập", "/quarantine/m1")
	b.signIn("wrong").is(403, "Token không được nhận")
	b.signIn("admin-token").is(200, "Thư mời họp", "chi.lan")
	b.submit("/logout", url.Values{}).is(200, "Đăng nhập")
	b.get("/quarantine").is(200, "Đăng nhập")
}

func TestARevokedTokenEndsAtOnce(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("so-token").is(200, "Thư mời họp")
	delete(h.people, "so-token")
	b.get("/quarantine").is(200, "Đăng nhập")
}

func TestSessionsEnd(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("so-token")
	h.now = h.now.Add(idle)
	b.get("/quarantine").is(200, "Đăng nhập")
	b.signIn("so-token")
	for range 17 {
		h.now = h.now.Add(idle - time.Second)
		b.get("/quarantine")
	}
	b.is(200, "Đăng nhập")
}

func TestSessionsAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	k := newBook(func() time.Time { return now })
	first := k.begin("a")
	for range sessions {
		now = now.Add(time.Second)
		k.begin("b")
	}
	if _, ok := k.find(first); ok || len(k.byID) != sessions {
		t.Errorf("%d sessions, the first is there: %v", len(k.byID), ok)
	}
}

func TestWhereToGoAfterSigningIn(t *testing.T) {
	for to, want := range map[string]string{
		"/quarantine?text=x": "/quarantine?text=x", "//evil.example/": "/", "https://evil.example/": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "": "/", "/a\r\nSet-Cookie: x=y": "/",
	} {
		if got := local(to); got != want {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}

func TestReviewing(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("so-token")
	b.get("/quarantine/m1").is(200, "Kính gửi", "Thả")
	b.submit("/quarantine/m1", url.Values{"act": {"ham"}}).is(200, "Đã ghi bài học")
	b.submit("/quarantine/m1", url.Values{"act": {"release"}}).is(200, "Đã thả, đang giao cho: van-thu@so.gov.vn")
	b.get("/quarantine/m3/explain").is(200, "LINK_TEXT_DIFFERS", "chữ một đằng", "không xem được")
	b.submit2(t, "/quarantine/m3", "delete").is(200, "congthu quarantine undo m3")
	want := []string{"anh.minh ham m1", "anh.minh release m1", "anh.minh delete m3"}
	if !slices.Equal(h.done, want) {
		t.Errorf("done %q, want %q", h.done, want)
	}
}

// submit2 opens a message and does something to it.
func (b *browser) submit2(t *testing.T, path, act string) *browser {
	t.Helper()
	return b.get(path).submit(path, url.Values{"act": {act}})
}

// With a release its sender may be allowed; where that cannot be there is nothing to choose.
func TestAllowingASender(t *testing.T) {
	for scope, want := range map[string]string{"recipient": "release and allow for recipient", "agency": "release and allow for agency", "": "release"} {
		h := newHall()
		b := visit(t, h)
		b.signIn("so-token")
		b.get("/quarantine/m1").is(200, `<select name="allow">`, "cho phép người gửi tới cả cơ quan")
		b.submit("/quarantine/m1", url.Values{"act": {"release"}, "allow": {scope}}).is(200, "Đã thả, đang giao cho: van-thu@so.gov.vn")
		if scope != "" {
			b.is(200, "thư đã xác thực của &lt;b&gt;x@evil.test được gửi tới "+scope, "congthu quarantine disallow W6UQEAWPC5D6", "vẫn sẽ bị giữ vì ATTACH_MACRO")
		}
		if !slices.Equal(h.done, []string{"anh.minh " + want + " m1"}) {
			t.Errorf("%q: done %q", scope, h.done)
		}
	}
	b := visit(t, newHall())
	b.signIn("admin-token")
	b.get("/quarantine/m2").is(200, "mã độc")
	if strings.Contains(b.body, `name="allow"`) {
		t.Error("the sender of malware can be allowed")
	}
}

func TestMalwareNeedsASecondPerson(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("admin-token")
	b.submit2(t, "/quarantine/m2", "release").is(409, "cần người thứ hai đồng ý")
	b.submit2(t, "/quarantine/m2", "approve").is(200, "ý kiến đồng ý")
	if len(h.held) != 3 {
		t.Error("it is gone")
	}
}

func TestSeveralAtOnce(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("admin-token")
	b.submit("/quarantine", url.Values{"act": {"release"}}).is(200, "hãy chọn ít nhất một thư")
	ids := []string{"m1", "m2", "gone"}
	b.submit("/quarantine", url.Values{"act": {"release"}, "id": ids}).is(200, "Thả những thư này?", "Thư mời họp")
	if len(h.done) != 0 {
		t.Errorf("done unconfirmed: %q", h.done)
	}
	b.submit("/quarantine", url.Values{"act": {"release"}, "id": ids, "confirm": {"yes"}}).is(200, "đã làm xong với 1 thư", "m2: cần người thứ hai", "gone: không có thư nào")
	if want := []string{"chi.lan release m1"}; !slices.Equal(h.done, want) {
		t.Errorf("done %q", h.done)
	}
}

// Another agency's mail is not there, by list, by id, by act, by several at once; and for
// the answer it makes no difference whether an id exists.
func TestAnotherAgencysMail(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("so-token").is(200, "Thư mời họp")
	if strings.Contains(b.body, "huyen.gov.vn") {
		t.Error("the list shows it")
	}
	form := formField.FindStringSubmatch(b.body)[1]
	for _, id := range []string{"m2", "does-not-exist"} {
		for _, path := range []string{"/quarantine/" + id, "/quarantine/" + id + "/explain"} {
			b.get(path).is(404, "không có thư nào mang mã này")
		}
		for _, act := range []string{"release", "delete", "approve", "spam", "ham"} {
			b.post("/quarantine/"+id, url.Values{"act": {act}, "form": {form}}).is(404, "không có thư nào mang mã này")
			b.post("/quarantine", url.Values{"act": {act}, "form": {form}, "id": {id}, "confirm": {"yes"}})
			if strings.Contains(b.body, "huyen") {
				t.Errorf("%s %s tells of it", act, id)
			}
		}
	}
	b.get("/queue").is(200, "a@so.gov.vn")
	if strings.Contains(b.body, "huyen") {
		t.Error("the queue tells of it")
	}
	b.get("/day").is(200, "so.gov.vn")
	if strings.Contains(b.body, "huyen.gov.vn") {
		t.Error("the day's figures tell of it")
	}
	if len(h.done) != 0 || len(h.held) != 3 {
		t.Errorf("done: %q", h.done)
	}
}

func TestAnAuditorOnlyReads(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("auditor-token").is(200, "Thư mời họp")
	if strings.Contains(b.body, `name="act"`) {
		t.Error("there are buttons")
	}
	form := formField.FindStringSubmatch(b.body)[1]
	for _, act := range []string{"release", "delete", "approve", "spam", "ham"} {
		b.post("/quarantine/m1", url.Values{"act": {act}, "form": {form}}).is(403, "không được làm việc này")
	}
	b.get("/queue").is(200, "đang chờ")
	if len(h.done) != 0 {
		t.Errorf("done: %q", h.done)
	}
}

func TestFormsOfOtherSites(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("admin-token")
	b.post("/quarantine/m1", url.Values{"act": {"release"}}).is(403, "biểu mẫu này đã cũ")
	b.post("/quarantine/m1", url.Values{"act": {"release"}, "form": {"guess"}}).is(403)
	r, err := http.NewRequest("POST", b.base+"/quarantine/m1", strings.NewReader("act=release"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	b.do(r, err).is(403)
	b.post("/quarantine/m1", url.Values{"act": {strings.Repeat("x", maxForm)}})
	if b.last.StatusCode < 400 {
		t.Errorf("a form without bounds: %d", b.last.StatusCode)
	}
	if len(h.done) != 0 {
		t.Errorf("done: %q", h.done)
	}
}

// Every answer says what a browser must not do, and no page has a script, a frame, a
// picture or an address of elsewhere in it, whatever the messages say.
func TestHostileMessages(t *testing.T) {
	b := visit(t, newHall())
	b.signIn("admin-token")
	for _, path := range []string{"/quarantine", "/quarantine/m2", "/quarantine/m2/explain", "/quarantine/m3", "/queue", "/day", "/quarantine?text=" + url.QueryEscape(evil), "/nowhere" + url.PathEscape(evil), "/quarantine/" + url.PathEscape(evil)} {
		b.get(path)
		for name, want := range answerHeader() {
			if got := b.last.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		for _, bad := range []string{"<script", "<img", "<iframe", "onerror=\"", "<form action=https", "javascript:window.owned=1\"", "\u202e", "\x1b"} {
			if strings.Contains(b.body, bad) {
				t.Errorf("%s: %q is in the page", path, bad)
			}
		}
	}
	for _, c := range b.last.Cookies() {
		t.Errorf("a page sets cookie %s", c.Name)
	}
}

func TestCookies(t *testing.T) {
	b := visit(t, newHall())
	b.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.signIn("admin-token").is(303)
	cs := b.last.Cookies()
	if len(cs) != 1 || !cs[0].HttpOnly || !cs[0].Secure || cs[0].SameSite != http.SameSiteStrictMode || cs[0].Path != "/" || cs[0].Domain != "" {
		t.Errorf("%+v", cs)
	}
}

func TestLanguages(t *testing.T) {
	b := visit(t, newHall())
	b.signIn("admin-token").is(200, `<html lang="vi">`, "Thư bị giữ", "lừa đảo")
	b.post("/lang", url.Values{"lang": {"en"}, "to": {"/quarantine"}}).is(200, `<html lang="en">`, "Held mail", "phishing")
	b.post("/lang", url.Values{"lang": {"vi"}, "to": {"//evil.example"}}).is(200, `<html lang="vi">`)
}

func TestListPages(t *testing.T) {
	h := newHall()
	for i := range 120 {
		h.hold("x"+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)), "so.gov.vn", "Trang", quarantine.Spam, "")
	}
	b := visit(t, h)
	b.signIn("admin-token")
	n := 0
	for path := "/quarantine?text=Trang&class=spam&since=24h"; path != ""; {
		b.get(path).is(200)
		n += strings.Count(b.body, `type="checkbox"`)
		path = ""
		if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(b.body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if n != 120 {
		t.Errorf("%d of 120 by turning pages", n)
	}
	b.get("/quarantine?after=-5&since=xx&class=none").is(200, "Không có thư nào như vậy")
}

func TestTroubleSaysNothingInside(t *testing.T) {
	h := newHall()
	b := visit(t, h)
	b.signIn("admin-token")
	h.err = errors.New("disk /var/lib/secret")
	for _, path := range []string{"/quarantine", "/quarantine/m1", "/quarantine/m1/explain", "/queue", "/day"} {
		b.get(path).is(500, "trục trặc")
		if strings.Contains(b.body, "secret") {
			t.Errorf("%s tells", path)
		}
	}
}

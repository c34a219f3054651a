package console

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/token"
)

// The cookies. The prefix makes a browser refuse one that does not come over TLS from this
// very host (RFC 6265bis section 4.1.3.2).
const (
	sessionCookie = "__Host-congthu"
	langCookie    = "__Host-congthu-lang"
)

// caller is who asks for a page, and in which session.
type caller struct {
	who  token.Who
	id   string
	form string
	lang lang.Lang
}

// signedIn serves those who have signed in; all others get the page where one does. A
// form must carry what the session's pages gave it.
func (c *Console) signedIn(serve func(http.ResponseWriter, *http.Request, caller)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by, err := c.caller(r)
		switch {
		case errors.Is(err, token.ErrRefused):
			http.Redirect(w, r, "/login?to="+url.QueryEscape(target(r)), http.StatusSeeOther)
		case err != nil:
			c.trouble(w, r, caller{lang: langOf(r)}, err)
		case r.Method == http.MethodPost && subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(by.form)) != 1:
			c.problem(w, r, by, http.StatusForbidden, lang.T("biểu mẫu này đã cũ; hãy mở lại trang và làm lại", "this form is out of date; open the page again and repeat"))
		default:
			serve(w, r, by)
		}
	})
}

func (c *Console) caller(r *http.Request) (caller, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return caller{}, token.ErrRefused
	}
	s, ok := c.book.find(cookie.Value)
	if !ok {
		return caller{}, token.ErrRefused
	}
	who, err := c.o.Check(r, s.token)
	if err != nil {
		if errors.Is(err, token.ErrRefused) {
			c.book.end(cookie.Value)
		}
		return caller{}, err
	}
	return caller{who: who, id: cookie.Value, form: s.form, lang: langOf(r)}, nil
}

// target is where to go after signing in: the page that was asked for, if it was asked
// for by a link.
func target(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	return r.URL.RequestURI()
}

// local keeps a target on this host: "//other" and "/\other" are other hosts to a browser.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, "login", http.StatusOK, caller{lang: langOf(r)}, loginView{To: local(r.URL.Query().Get("to"))})
}

type loginView struct {
	To  string
	Bad lang.Text
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	by := caller{lang: langOf(r)}
	presented := strings.TrimSpace(r.PostFormValue("token"))
	to := local(r.PostFormValue("to"))
	who, err := c.o.Check(r, presented)
	switch {
	case errors.Is(err, token.ErrRefused):
		c.render(w, r, "login", http.StatusForbidden, by, loginView{To: to, Bad: lang.T(
			"Token không được nhận: sai, hết hạn, bị thu hồi hoặc đang bị khoá. Quản trị viên tạo token mới bằng: congthu token new",
			"The token was refused: it is wrong, expired, revoked or locked. An administrator makes a new one with: congthu token new")})
		return
	case err != nil:
		c.trouble(w, r, by, err)
		return
	}
	c.o.Log.Info("console: signed in", "who", who.Name, "role", who.Role, "remote", r.RemoteAddr)
	setCookie(w, sessionCookie, c.book.begin(presented), longest)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request, by caller) {
	c.book.end(by.id)
	setCookie(w, sessionCookie, "", -time.Second)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(life.Seconds())})
}

// chooseLang keeps the language for a year.
func (c *Console) chooseLang(w http.ResponseWriter, r *http.Request) {
	if l := r.PostFormValue("lang"); l == string(lang.EN) || l == string(lang.VI) {
		setCookie(w, langCookie, l, 365*24*time.Hour)
	}
	http.Redirect(w, r, local(r.PostFormValue("to")), http.StatusSeeOther)
}

// langOf is the language somebody has chosen, or that the browser asks for; Vietnamese
// unless English is what it wants first.
func langOf(r *http.Request) lang.Lang {
	if cookie, err := r.Cookie(langCookie); err == nil {
		return lang.Choose(cookie.Value, func(string) string { return "" })
	}
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	return lang.Choose(strings.TrimSpace(first), func(string) string { return "" })
}

// Package console is the web pages for those who review held mail in a browser: the list,
// one message as text, why it is held, release and delete, the queue, the day's figures.
//
// The pages are made on the gateway and work without scripts; the policy that goes with
// each of them lets a browser run none and load nothing but our own style sheet, so that
// no message can do there what the gateway kept it from doing in a mailbox. What a message
// says is shown as text, escaped by html/template, after what could mislead the eye has
// been made visible.
//
// Whoever signs in does so with a token, and may do through these pages what the token
// may do through the API: both ask the same package.
package console

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"congthu/internal/queue"
	"congthu/internal/token"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/style.css
var static embed.FS

// Options are the parts of the console.
type Options struct {
	// Check returns whose the presented token is. token.ErrRefused says that it is nobody's;
	// any other error is trouble.
	Check func(r *http.Request, presented string) (token.Who, error)
	Desk  func(token.Who) Desk
	Queue func(context.Context, token.Who) ([]queue.Entry, error)
	Day   func(context.Context, token.Who) (Day, error)
	Now   func() time.Time // nil: the clock
	Log   *slog.Logger
}

// Console is the pages.
type Console struct {
	o     Options
	book  *book
	pages map[string]page
}

// New returns the console.
func New(o Options) *Console {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Console{o: o, book: newBook(o.Now), pages: parse()}
}

// maxForm bounds what a form may carry, in octets: the ids of a whole page.
const maxForm = 64 << 10

// Handler serves the pages.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	style, _ := fs.Sub(static, "static") // the name is right at compile time
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(style)))
	mux.HandleFunc("GET /login", c.loginPage)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /lang", c.chooseLang)
	mux.Handle("POST /logout", c.signedIn(c.logout))
	mux.Handle("GET /{$}", http.RedirectHandler("/quarantine", http.StatusSeeOther))
	mux.Handle("GET /quarantine", c.signedIn(c.list))
	mux.Handle("POST /quarantine", c.signedIn(c.several))
	mux.Handle("GET /quarantine/{id}", c.signedIn(c.show))
	mux.Handle("GET /quarantine/{id}/explain", c.signedIn(c.explain))
	mux.Handle("POST /quarantine/{id}", c.signedIn(c.act))
	mux.Handle("GET /queue", c.signedIn(c.queue))
	mux.Handle("GET /day", c.signedIn(c.day))
	mux.HandleFunc("/", c.notFound)
	return guarded(mux)
}

// guarded adds what every answer carries, bounds what a request may bring, and refuses
// forms that another site's page sends.
func guarded(h http.Handler) http.Handler {
	h = http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, v := range answerHeader() {
			w.Header().Set(name, v)
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// answerHeader is what keeps a browser from running, loading, framing, guessing, keeping
// or telling anything.
func answerHeader() map[string]string {
	return map[string]string{
		"Content-Security-Policy":      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-forms allow-same-origin",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security":    "max-age=31536000",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	}
}

package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/review"
)

// page is one page in both languages.
type page map[lang.Lang]*template.Template

// parse reads the templates. They are compiled in, so a mistake in one fails the first
// test that makes a console.
func parse() map[string]page {
	out := map[string]page{}
	for _, name := range []string{"login", "list", "several", "show", "explain", "queue", "day", "problem"} {
		out[name] = page{}
		for _, l := range []lang.Lang{lang.VI, lang.EN} {
			out[name][l] = template.Must(template.New("frame.html").Funcs(words(l)).ParseFS(templates, "templates/frame.html", "templates/"+name+".html"))
		}
	}
	return out
}

// words is what templates may call. Text of a message goes through safe: html/template
// escapes the markup, safe shows what is invisible or turns the direction of reading.
func words(l lang.Lang) template.FuncMap {
	return template.FuncMap{
		"t":     func(vi, en string) string { return lang.T(vi, en).In(l) },
		"say":   func(t lang.Text) string { return t.In(l) },
		"safe":  lang.Safe,
		"join":  func(s []string) string { return strings.Join(s, ", ") },
		"lines": func(s []string) string { return strings.Join(s, "\n") },
		"when":  func(t time.Time) string { return t.Local().Format("02/01/2006 15:04") },
		"score": func(f float64) string { return fmt.Sprintf("%.1f", f) },
		"size":  size,
		"state": func(s string) string { return stateWord(s).In(l) },
		"class": func(c quarantine.Class) string { return classWord(c).In(l) },
	}
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// frame is what every page has around what is its own.
type frame struct {
	Lang lang.Lang
	Name string // of the page
	Who  string // "": nobody has signed in
	Role string
	Form string
	Here string // for the switch of languages
	Note note
	Page any
}

func (c *Console) render(w http.ResponseWriter, r *http.Request, name string, status int, by caller, own any) {
	f := frame{Lang: by.lang, Name: name, Who: by.who.Name, Role: string(by.who.Role), Form: by.form, Here: target(r), Page: own}
	if by.id != "" {
		f.Note = c.book.heard(by.id)
	}
	var out bytes.Buffer
	if err := c.pages[name][by.lang].Execute(&out, f); err != nil {
		c.o.Log.Error("console: page", "page", name, "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(by.lang))
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // who asked has gone when this fails
}

func (c *Console) problem(w http.ResponseWriter, r *http.Request, by caller, status int, what lang.Text) {
	c.render(w, r, "problem", status, by, what)
}

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	c.problem(w, r, caller{lang: langOf(r)}, http.StatusNotFound, lang.T("không có trang này", "there is no such page"))
}

// trouble answers for what is wrong inside. The page says no more than that; the log does.
func (c *Console) trouble(w http.ResponseWriter, r *http.Request, by caller, err error) {
	c.o.Log.Error("console", "path", r.URL.Path, "who", by.who.Name, "error", err)
	c.problem(w, r, by, http.StatusInternalServerError, lang.T("cổng thư đang gặp trục trặc; hãy thử lại sau, chi tiết có trong nhật ký của cổng", "the gateway is in trouble; try again later, its log has the details"))
}

// refusal is an error that a person can mend or must know of, with its HTTP status; ok is
// false for all others.
func refusal(err error) (status int, what lang.Text, ok bool) {
	var refused *review.Refusal
	switch {
	case errors.Is(err, review.ErrNotFound):
		return http.StatusNotFound, lang.T("không có thư nào mang mã này; có thể thư đã được thả, xoá hoặc hết hạn", "there is no message with this id; it may have been released, deleted or expired"), true
	case errors.Is(err, review.ErrForbidden):
		return http.StatusForbidden, lang.T("token của bạn không được làm việc này", "your token may not do this"), true
	case errors.As(err, &refused):
		return http.StatusConflict, lang.T(refused.In(lang.VI), refused.In(lang.EN)), true
	}
	what, ok = review.NoRoom(err)
	return http.StatusInsufficientStorage, what, ok
}

// fail answers for an error on a page of its own.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, by caller, err error) {
	if status, what, ok := refusal(err); ok {
		c.problem(w, r, by, status, what)
		return
	}
	c.trouble(w, r, by, err)
}

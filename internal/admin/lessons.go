package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"congthu/internal/lang"
	"congthu/internal/lessons"
)

// Lessons is what the API needs of what the classifier is taught. The letter travels as
// its octets.
type Lessons interface {
	Teach(ctx context.Context, raw []byte, spam bool, actor, source string) (lessons.Lesson, error)
	Undo(ctx context.Context, id, actor string) error
	List(ctx context.Context, limit int) ([]lessons.Lesson, error)
}

// lessonsPath is where letters are taught: requests there may be as large as letters.
const (
	lessonsPath = "/v1/lessons"
	maxLetter   = 50 << 20
)

// bodyLimit is what a request may carry.
func bodyLimit(r *http.Request) int64 {
	if r.URL.Path == lessonsPath {
		return maxLetter
	}
	return maxBody
}

func (s Services) lessonRoutes(mux *http.ServeMux) {
	if s.Lessons == nil {
		return
	}
	mux.HandleFunc("GET "+lessonsPath, s.lessonsList)
	mux.HandleFunc("POST "+lessonsPath, s.lessonsTeach)
	mux.HandleFunc("DELETE "+lessonsPath+"/{id}", s.lessonsUndo)
}

func (s Services) lessonsList(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 100000 {
		s.fail(w, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")})
		return
	}
	list, err := s.Lessons.List(r.Context(), limit)
	s.answer(w, orEmpty(list), err)
}

func (s Services) lessonsTeach(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	spam, err := strconv.ParseBool(q.Get("spam"))
	if err != nil {
		s.fail(w, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")})
		return
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		s.fail(w, &Problem{http.StatusRequestEntityTooLarge, lang.T("thư quá lớn để dạy", "the letter is too large to be taught")})
		return
	}
	x, err := s.Lessons.Teach(r.Context(), raw, spam, q.Get("actor"), q.Get("source"))
	s.answer(w, x, err)
}

func (s Services) lessonsUndo(w http.ResponseWriter, r *http.Request) {
	err := s.Lessons.Undo(r.Context(), r.PathValue("id"), r.URL.Query().Get("actor"))
	switch {
	case errors.Is(err, lessons.ErrNotFound):
		err = &Problem{http.StatusNotFound, lang.T("không có bài học nào mang mã này; xem congthu learn list", "there is no lesson with this id; see congthu learn list")}
	case errors.Is(err, lessons.ErrUndone):
		err = &Problem{http.StatusConflict, lang.T("bài học này đã được rút lại trước đó", "this lesson was taken back already")}
	}
	s.answer(w, Count{1}, err)
}

// Lessons returns what the running gateway is taught.
func (c *Client) Lessons() Lessons { return lessonsClient{c} }

type lessonsClient struct{ *Client }

// Teach implements Lessons.
func (c lessonsClient) Teach(ctx context.Context, raw []byte, spam bool, actor, source string) (lessons.Lesson, error) {
	q := url.Values{"spam": {strconv.FormatBool(spam)}, "actor": {actor}, "source": {source}}
	return ask[lessons.Lesson](ctx, c.Client, "POST", lessonsPath+"?"+q.Encode(), bytes.NewReader(raw))
}

// Undo implements Lessons.
func (c lessonsClient) Undo(ctx context.Context, id, actor string) error {
	_, err := ask[Count](ctx, c.Client, "DELETE", lessonsPath+"/"+url.PathEscape(id)+"?actor="+url.QueryEscape(actor), nil)
	return err
}

// List implements Lessons.
func (c lessonsClient) List(ctx context.Context, limit int) ([]lessons.Lesson, error) {
	return ask[[]lessons.Lesson](ctx, c.Client, "GET", lessonsPath+"?limit="+strconv.Itoa(limit), nil)
}

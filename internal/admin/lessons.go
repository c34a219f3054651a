package admin

import (
	"context"
	"errors"
	"net/http"

	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/token"
)

// Lessons is what the API needs of what the classifier is taught. The letter travels as
// its octets.
type Lessons interface {
	// Teach records what is said of a letter; Trusted is found out, whatever the report says.
	Teach(ctx context.Context, raw []byte, r lessons.Report) (lessons.Lesson, error)
	Undo(ctx context.Context, id, actor string) error
	List(ctx context.Context, limit int) ([]lessons.Lesson, error)
}

// maxLetter is how large a letter may be that is taught, in octets.
const maxLetter = 50 << 20

type (
	lessonList struct {
		Limit int `query:"limit" required:"true" min:"1" max:"100000"`
	}
	lesson struct {
		Spam   bool   `query:"spam" required:"true"`
		Source string `query:"source"`
		Bulk   bool   `query:"bulk"` // an import by the administrator: outside the bounds of a day
	}
)

func (q lesson) about() (object, detail string) {
	detail = "ham"
	if q.Spam {
		detail = "spam"
	}
	if q.Bulk {
		detail += ", bulk"
	}
	return q.Source, detail
}

// Whoever teaches letters that are not held teaches for all agencies: that is the
// administrator's. A reviewer teaches by the letters that are held for its own.
func (s Services) lessonRoutes() []Route {
	teach := act("POST", "/v1/lessons", token.Manage, "lesson.teach", lang.T("dạy bộ phân loại bằng một thư", "teach the classifier with a letter"), on(func(ctx context.Context, w token.Who, q lesson, raw Raw) (lessons.Lesson, error) {
		return s.Lessons.Teach(ctx, raw, lessons.Report{Spam: q.Spam, Actor: w.Name, Source: q.Source, Bulk: q.Bulk})
	}))
	teach.Limit = maxLetter
	return []Route{
		teach,
		get("/v1/lessons", token.Oversee, lang.T("các bài đã dạy", "what was taught"), on(func(ctx context.Context, _ token.Who, q lessonList, _ none) ([]lessons.Lesson, error) {
			return orEmpty(s.Lessons.List(ctx, q.Limit))
		})),
		act("DELETE", "/v1/lessons/{id}", token.Manage, "lesson.undo", lang.T("rút lại bài học", "take a lesson back"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (Count, error) {
			return Count{1}, lessonError(s.Lessons.Undo(ctx, p.ID, w.Name))
		})),
	}
}

func lessonError(err error) error {
	switch {
	case errors.Is(err, lessons.ErrNotFound):
		return &Problem{http.StatusNotFound, lang.T("không có bài học nào mang mã này; xem congthu learn list", "there is no lesson with this id; see congthu learn list")}
	case errors.Is(err, lessons.ErrUndone):
		return &Problem{http.StatusConflict, lang.T("bài học này đã được rút lại trước đó", "this lesson was taken back already")}
	}
	return err
}

// Lessons returns what the running gateway is taught.
func (c *Client) Lessons() Lessons { return lessonsClient{c} }

type lessonsClient struct{ *Client }

// Teach implements Lessons. Who teaches is who calls.
func (c lessonsClient) Teach(ctx context.Context, raw []byte, r lessons.Report) (lessons.Lesson, error) {
	return ask[lessons.Lesson](ctx, c.Client, "POST", "/v1/lessons", lesson{r.Spam, r.Source, r.Bulk}, Raw(raw))
}

// Undo implements Lessons.
func (c lessonsClient) Undo(ctx context.Context, id, _ string) error {
	_, err := c.count(ctx, "DELETE", "/v1/lessons/{id}", oneID{id}, none{})
	return err
}

// List implements Lessons.
func (c lessonsClient) List(ctx context.Context, limit int) ([]lessons.Lesson, error) {
	return ask[[]lessons.Lesson](ctx, c.Client, "GET", "/v1/lessons", lessonList{limit}, none{})
}

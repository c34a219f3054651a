package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"congthu/internal/lang"
	"congthu/internal/queue"
)

// queueLimit is how many entries are listed when nothing is said.
const queueLimit = 1000

func (s Services) queueList(w http.ResponseWriter, r *http.Request) {
	f, err := queueFilter(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	entries, err := s.Queue.List(r.Context(), f)
	s.answer(w, orEmpty(entries), err)
}

func queueFilter(r *http.Request) (queue.Filter, error) {
	q := r.URL.Query()
	f := queue.Filter{Hop: q.Get("hop"), From: q.Get("from"), To: q.Get("to"), State: q.Get("state")}
	var err error
	if v := q.Get("limit"); v != "" {
		f.Limit, err = strconv.Atoi(v)
	}
	if err != nil || f.Limit < 0 || f.State != "" && !slices.Contains(queue.States(), f.State) {
		return f, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")}
	}
	if f.Limit == 0 {
		f.Limit = queueLimit
	}
	return f, nil
}

func (s Services) queueShow(w http.ResponseWriter, r *http.Request) {
	d, err := s.Queue.Show(r.Context(), r.PathValue("id"))
	s.answer(w, d, err)
}

// queueAct serves what is done to one id, or to all.
func (s Services) queueAct(do func(context.Context, string) (int, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := do(r.Context(), r.PathValue("id"))
		s.answer(w, Count{n}, err)
	}
}

package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/tomlfile"
)

// maxBody bounds what a request may carry; keys are the largest thing.
const maxBody = 2 << 20

// Handler serves the API under /v1/.
func Handler(s Services) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/quarantine", s.quarantineList)
	mux.HandleFunc("GET /v1/quarantine/{id}", s.quarantineShow)
	mux.HandleFunc("POST /v1/quarantine/{id}/release", s.quarantineRelease)
	mux.HandleFunc("DELETE /v1/quarantine/{id}", s.quarantineDelete)
	mux.HandleFunc("GET /v1/queue", s.queueList)
	mux.HandleFunc("GET /v1/queue/{id}", s.queueShow)
	mux.HandleFunc("POST /v1/queue/{id}/hold", s.queueAct(s.Queue.Hold))
	mux.HandleFunc("POST /v1/queue/{id}/release", s.queueAct(s.Queue.Release))
	mux.HandleFunc("POST /v1/queue/{id}/retry", s.queueAct(s.Queue.Retry))
	mux.HandleFunc("DELETE /v1/queue/{id}", s.queueAct(s.Queue.Drop))
	mux.HandleFunc("POST /v1/report/dmarc/send", s.reportSend)
	mux.HandleFunc("POST /v1/report/dmarc/received", s.reportImport)
	mux.HandleFunc("GET /v1/report/dmarc/received", s.reportShow)
	s.ruleRoutes(mux)
	s.accountRoutes(mux)
	s.lessonRoutes(mux)
	s.keyRoutes(mux)
	mux.HandleFunc("GET /v1/health", s.health)
	return bounded(mux)
}

func bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit(r))
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s Services) quarantineList(w http.ResponseWriter, r *http.Request) {
	f, err := filter(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	items, err := s.Quarantine.List(r.Context(), f)
	s.answer(w, orEmpty(items), err)
}

func filter(r *http.Request) (quarantine.Filter, error) {
	q := r.URL.Query()
	f := quarantine.Filter{Text: q.Get("text")}
	var err error
	if v := q.Get("limit"); v != "" {
		f.Limit, err = strconv.Atoi(v)
	}
	if v := q.Get("offset"); v != "" && err == nil {
		f.Offset, err = strconv.Atoi(v)
	}
	if v := q.Get("since"); v != "" && err == nil {
		f.Since, err = time.Parse(time.RFC3339, v)
	}
	if err != nil || f.Limit < 0 || f.Offset < 0 {
		return f, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")}
	}
	return f, nil
}

func (s Services) quarantineShow(w http.ResponseWriter, r *http.Request) {
	item, raw, err := s.Quarantine.Show(r.Context(), r.PathValue("id"))
	s.answer(w, Held{Item: item, Raw: raw}, err)
}

func (s Services) quarantineRelease(w http.ResponseWriter, r *http.Request) {
	var req Release
	if !s.read(w, r, &req) {
		return
	}
	to, err := s.Quarantine.Release(r.Context(), r.PathValue("id"), req.To, req.Actor)
	s.answer(w, Released{to}, err)
}

func (s Services) quarantineDelete(w http.ResponseWriter, r *http.Request) {
	s.answer(w, Count{1}, s.Quarantine.Delete(r.Context(), r.PathValue("id"), r.URL.Query().Get("actor")))
}

func (s Services) health(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, Health{s.Health()}, nil)
}

// orEmpty keeps an empty list a list in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s Services) answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		s.fail(w, err)
		return
	}
	write(w, http.StatusOK, v)
}

// bilingual is an error that can speak both languages.
type bilingual interface{ In(lang.Lang) string }

// fail answers with what the operator can use. The socket is the operator's own, so
// an inner error's text may be shown.
func (s Services) fail(w http.ResponseWriter, err error) {
	var p *Problem
	var ps tomlfile.Problems
	var b bilingual
	switch {
	case errors.As(err, &p):
		write(w, p.Status, p)
	case errors.As(err, &ps):
		write(w, http.StatusUnprocessableEntity, struct {
			Problem
			Problems tomlfile.Problems `json:"problems"`
		}{Problem{http.StatusUnprocessableEntity, lang.T("tệp quy tắc có lỗi; quy tắc cũ vẫn dùng", "the rule files have mistakes; the rules in use stay")}, ps})
	case s.NotFound != nil && s.NotFound(err):
		write(w, http.StatusNotFound, Problem{http.StatusNotFound, lang.T("không có mã này", "there is no such id")})
	case errors.As(err, &b):
		write(w, http.StatusUnprocessableEntity, Problem{http.StatusUnprocessableEntity, lang.T(b.In(lang.VI), b.In(lang.EN))})
	default:
		write(w, http.StatusInternalServerError, Problem{http.StatusInternalServerError, lang.T("lỗi bên trong: "+err.Error(), "internal error: "+err.Error())})
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

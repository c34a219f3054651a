package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// maxBody bounds what a request may carry; keys are the largest thing but for letters.
const maxBody = 2 << 20

// answerTime is how long a request may take as a whole.
const answerTime = time.Minute

// Handler serves the API under /v1/. Who calls stands in the context of each request:
// WithPeer puts it there for the socket, Gate for TLS.
func Handler(s Services) http.Handler {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	routes := s.routes()
	for _, r := range routes {
		mux.HandleFunc(r.Method+" "+r.Path, s.guard(r))
	}
	s.serveDescription(mux, routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" {
			s.fail(w, r, astray(mux, w, r))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serveDescription serves the description, to whoever may call anything.
func (s Services) serveDescription(mux *http.ServeMux, routes []Route) {
	description := describe(routes)
	mux.HandleFunc("GET /v1/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		if err := allowed(Caller(r.Context()), token.Read); err != nil {
			s.fail(w, r, err)
			return
		}
		write(w, http.StatusOK, description)
	})
}

// astray says what is wrong with a request that no route takes: the path, or the method,
// and then which methods there are (RFC 9110 section 15.5.6).
func astray(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := mux.Handler(other); pattern != "" {
			methods = append(methods, m)
		}
	}
	if methods == nil {
		return &Problem{http.StatusNotFound, lang.T("không có địa chỉ này; xem /v1/openapi.json", "there is no such address; see /v1/openapi.json")}
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return &Problem{http.StatusMethodNotAllowed, lang.T("địa chỉ này không nhận phương thức ấy", "this address does not take that method")}
}

// guard serves a route: who calls may do it, the request is as described, the act is on
// record; only then it is done.
func (s Services) guard(route Route) http.HandlerFunc {
	limit := route.Limit
	if limit == 0 {
		limit = maxBody
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		who := Caller(ctx)
		if err := allowed(who, route.Right); err != nil {
			s.fail(w, r, err)
			return
		}
		c, err := route.decode(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		out, err := s.do(ctx, route, who, c)
		s.answer(w, r, out, err)
	}
}

// allowed tells why a caller may not do such a thing; nil: it may.
func allowed(who token.Who, right string) error {
	switch {
	case who.Role == "":
		return unauthorized
	case !who.May(right):
		return &Problem{http.StatusForbidden, lang.T("vai trò "+string(who.Role)+" không được làm việc này", "the role "+string(who.Role)+" may not do this")}
	}
	return nil
}

// unauthorized is said to all who are not known, whatever the reason.
var unauthorized = &Problem{http.StatusUnauthorized, lang.T("cần token hợp lệ", "a valid token is needed")}

// do puts an act on record and does it. That it came to nothing is recorded too.
func (s Services) do(ctx context.Context, route Route, who token.Who, c call) (any, error) {
	if route.Act == "" || route.itself || s.Record == nil {
		return route.serve(ctx, who, c)
	}
	e := Entry(who, route.Act)
	e.Object, e.Detail = c.about()
	if err := s.Record(ctx, e); err != nil {
		return nil, err
	}
	out, err := route.serve(ctx, who, c)
	o, news := out.(outcome)
	switch {
	case err != nil:
		e.Detail = "failed: " + lang.Safe(err.Error(), 200)
	case news:
		e.Object, e.Detail = o.outcome()
	default:
		return out, nil
	}
	if err := s.Record(context.WithoutCancel(ctx), e); err != nil {
		s.Log.Error("audit: what came of an act is not on record", "act", e.Act, "object", e.Object, "error", err)
	}
	return out, err
}

// outcome is an answer that says for the record what could not be known before the act.
type outcome interface {
	outcome() (object, detail string)
}

// Entry is the beginning of an entry about an act of a caller.
func Entry(who token.Who, act string) audit.Entry {
	return audit.Entry{Actor: who.Name, Person: who.Stated(), Role: string(who.Role), Via: who.Via, Act: act}
}

func (s Services) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if stream, ok := v.(Stream); ok {
		w.Header().Set("Content-Type", "application/x-ndjson")
		if err := stream(w); err != nil { // it has begun: all that is left is to cut it off
			s.Log.Error("admin: an answer was cut off", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler)
		}
		return
	}
	write(w, http.StatusOK, v)
}

func write(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked has gone
}

// orEmpty keeps an empty list a list in JSON.
func orEmpty[T any](list []T, err error) ([]T, error) {
	if list == nil && err == nil {
		return []T{}, nil
	}
	return list, err
}

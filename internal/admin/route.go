package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"

	"congthu/internal/lang"
	"congthu/internal/token"
)

// Route is one thing that the API does. The table of routes is all there is: the server,
// what callers may do, what is put on record and the description are made from it.
type Route struct {
	Method, Path string
	Right        string // that the caller needs, as token.Who.May names it
	Act          string // as the audit log calls it; "": it is not recorded here
	Summary      lang.Text
	Limit        int64 // octets of a request; 0 is maxBody

	itself bool // whoever does it puts it on record, together with the act

	params, body, answer reflect.Type
	decode               func(*http.Request) (call, error)
	serve                func(context.Context, token.Who, call) (any, error)
}

// call is a request, decoded.
type call struct{ params, body any }

// subject is what params and bodies of an act say for the record: what it is done to, and
// what else is to be known of it. No secrets.
type subject interface {
	about() (object, detail string)
}

// about says what the act of a call is about.
func (c call) about() (object, detail string) {
	for _, v := range []any{c.params, c.body} {
		s, ok := v.(subject)
		if !ok {
			continue
		}
		o, d := s.about()
		if o != "" {
			object = o
		}
		if d != "" {
			detail = d
		}
	}
	return object, detail
}

// none stands for parameters or a body that there are not.
type none struct{}

// Raw is a body that is octets and not JSON: a letter.
type Raw []byte

// Stream is an answer of JSON lines, written as they come.
type Stream func(io.Writer) error

// on makes the part of a route that does something. P are the parameters of path and
// query, B is the body, both none where there are none; R is the answer.
func on[P, B, R any](do func(context.Context, token.Who, P, B) (R, error)) Route {
	return Route{
		params: reflect.TypeFor[P](), body: reflect.TypeFor[B](), answer: reflect.TypeFor[R](),
		decode: func(r *http.Request) (call, error) {
			var p P
			var b B
			if err := readParams(r, &p); err != nil {
				return call{}, err
			}
			err := readBody(r, &b)
			return call{p, b}, err
		},
		serve: func(ctx context.Context, w token.Who, c call) (any, error) {
			return do(ctx, w, c.params.(P), c.body.(B))
		},
	}
}

// get, post and del make routes of what on made.
func get(path, right string, summary lang.Text, r Route) Route {
	r.Method, r.Path, r.Right, r.Summary = http.MethodGet, path, right, summary
	return r
}

func act(method, path, right, act string, summary lang.Text, r Route) Route {
	r.Method, r.Path, r.Right, r.Act, r.Summary = method, path, right, act, summary
	return r
}

// recorded marks a route whose act is put on record by who does it.
func recorded(r Route) Route {
	r.itself = true
	return r
}

// readBody decodes a body strictly: one JSON value, no member that is unknown, nothing
// after it; and nothing at all where nothing is wanted.
func readBody(r *http.Request, into any) error {
	switch v := into.(type) {
	case *none:
		if n, err := io.ReadFull(r.Body, make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			return bad("yêu cầu này không có nội dung kèm theo", "this request has no body")
		}
		return nil
	case *Raw:
		data, err := io.ReadAll(r.Body)
		*v = data
		return tooLarge(err)
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(err)
	}
	if err != nil {
		return bad("yêu cầu không phải JSON như mô tả: "+lang.Safe(err.Error(), 200), "the request is not JSON as described: "+lang.Safe(err.Error(), 200))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("sau JSON còn nội dung khác", "there is more after the JSON")
	}
	return nil
}

func tooLarge(err error) error {
	if err == nil {
		return nil
	}
	return &Problem{http.StatusRequestEntityTooLarge, lang.T("yêu cầu quá lớn, hoặc bị cắt", "the request is too large, or was cut off")}
}

// bad is what is wrong with a request.
func bad(vi, en string) error { return &Problem{http.StatusBadRequest, lang.T(vi, en)} }

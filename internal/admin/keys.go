package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"congthu/internal/keyring"
)

// Keys is what the API needs of the keys.
type Keys interface {
	List(ctx context.Context) ([]keyring.Entry, error)
	Show(ctx context.Context, name string) (keyring.Entry, error)
	Export(ctx context.Context, names []string) ([]byte, error)
	Import(ctx context.Context, in keyring.Import) ([]keyring.Imported, error)
	Pin(ctx context.Context, in keyring.Pinning) ([]keyring.Pin, error)
	Unpin(ctx context.Context, subjects []string, actor string) error
	Delete(ctx context.Context, names []string, actor string) error
	Calendar(ctx context.Context, within time.Duration) ([]keyring.Due, error)
	SetSecret(ctx context.Context, in keyring.NewSecret) (keyring.Secret, error)
}

// exported is armored keys.
type exported struct {
	Octets []byte `json:"octets"`
}

func (s Services) keyRoutes(mux *http.ServeMux) {
	if s.Keys == nil {
		return
	}
	mux.HandleFunc("GET /v1/keys", func(w http.ResponseWriter, r *http.Request) {
		list, err := s.Keys.List(r.Context())
		s.answer(w, orEmpty(list), err)
	})
	mux.HandleFunc("GET /v1/keys/show", func(w http.ResponseWriter, r *http.Request) {
		e, err := s.Keys.Show(r.Context(), r.URL.Query().Get("key"))
		s.answer(w, e, err)
	})
	mux.HandleFunc("GET /v1/keys/export", func(w http.ResponseWriter, r *http.Request) {
		data, err := s.Keys.Export(r.Context(), r.URL.Query()["key"])
		s.answer(w, exported{data}, err)
	})
	mux.HandleFunc("GET /v1/keys/calendar", s.keysCalendar)
	mux.HandleFunc("POST /v1/keys", taking(s, func(ctx context.Context, in keyring.Import) (any, error) { return s.Keys.Import(ctx, in) }))
	mux.HandleFunc("POST /v1/keys/pins", taking(s, func(ctx context.Context, in keyring.Pinning) (any, error) { return s.Keys.Pin(ctx, in) }))
	mux.HandleFunc("POST /v1/keys/signing", taking(s, func(ctx context.Context, in keyring.NewSecret) (any, error) { return s.Keys.SetSecret(ctx, in) }))
	mux.HandleFunc("DELETE /v1/keys", s.keysDelete)
	mux.HandleFunc("DELETE /v1/keys/pins", s.keysUnpin)
}

// taking is a handler whose request is a T in JSON.
func taking[T any](s Services, do func(context.Context, T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		if !s.read(w, r, &in) {
			return
		}
		out, err := do(r.Context(), in)
		s.answer(w, out, err)
	}
}

func (s Services) keysCalendar(w http.ResponseWriter, r *http.Request) {
	within, err := time.ParseDuration(r.URL.Query().Get("within"))
	if err != nil {
		s.fail(w, err)
		return
	}
	due, err := s.Keys.Calendar(r.Context(), within)
	s.answer(w, orEmpty(due), err)
}

func (s Services) keysDelete(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.answer(w, Count{len(q["key"])}, s.Keys.Delete(r.Context(), q["key"], q.Get("actor")))
}

func (s Services) keysUnpin(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.answer(w, Count{len(q["subject"])}, s.Keys.Unpin(r.Context(), q["subject"], q.Get("actor")))
}

// Keys returns the keys of the running gateway.
func (c *Client) Keys() Keys { return keysClient{c} }

type keysClient struct{ *Client }

// List implements Keys.
func (c keysClient) List(ctx context.Context) ([]keyring.Entry, error) {
	return ask[[]keyring.Entry](ctx, c.Client, "GET", "/v1/keys", nil)
}

// Show implements Keys.
func (c keysClient) Show(ctx context.Context, name string) (keyring.Entry, error) {
	return ask[keyring.Entry](ctx, c.Client, "GET", "/v1/keys/show?"+url.Values{"key": {name}}.Encode(), nil)
}

// Export implements Keys.
func (c keysClient) Export(ctx context.Context, names []string) ([]byte, error) {
	out, err := ask[exported](ctx, c.Client, "GET", "/v1/keys/export?"+url.Values{"key": names}.Encode(), nil)
	return out.Octets, err
}

// Import implements Keys.
func (c keysClient) Import(ctx context.Context, in keyring.Import) ([]keyring.Imported, error) {
	return send[[]keyring.Imported](ctx, c.Client, "/v1/keys", in)
}

// Pin implements Keys.
func (c keysClient) Pin(ctx context.Context, in keyring.Pinning) ([]keyring.Pin, error) {
	return send[[]keyring.Pin](ctx, c.Client, "/v1/keys/pins", in)
}

// Unpin implements Keys.
func (c keysClient) Unpin(ctx context.Context, subjects []string, actor string) error {
	_, err := ask[Count](ctx, c.Client, "DELETE", "/v1/keys/pins?"+url.Values{"subject": subjects, "actor": {actor}}.Encode(), nil)
	return err
}

// Delete implements Keys.
func (c keysClient) Delete(ctx context.Context, names []string, actor string) error {
	_, err := ask[Count](ctx, c.Client, "DELETE", "/v1/keys?"+url.Values{"key": names, "actor": {actor}}.Encode(), nil)
	return err
}

// Calendar implements Keys.
func (c keysClient) Calendar(ctx context.Context, within time.Duration) ([]keyring.Due, error) {
	return ask[[]keyring.Due](ctx, c.Client, "GET", "/v1/keys/calendar?"+url.Values{"within": {within.String()}}.Encode(), nil)
}

// SetSecret implements Keys.
func (c keysClient) SetSecret(ctx context.Context, in keyring.NewSecret) (keyring.Secret, error) {
	return send[keyring.Secret](ctx, c.Client, "/v1/keys/signing", in)
}

// send posts v and reads the answer.
func send[T any](ctx context.Context, c *Client, path string, v any) (T, error) {
	body, err := json.Marshal(v)
	if err != nil {
		var none T
		return none, err
	}
	return ask[T](ctx, c, "POST", path, bytes.NewReader(body))
}

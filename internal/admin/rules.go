package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"congthu/internal/lang"
	"congthu/internal/rulebook"
)

// Rules is what the API needs to change rule sets. Their history is read from the store.
type Rules interface {
	// Reload takes the rules directory into use, for a share of the letters (in a
	// hundred) when canary is not 0.
	Reload(ctx context.Context, canary float64, long time.Duration, actor string) error
	Promote(ctx context.Context, actor string) error
	Abort(ctx context.Context, actor string) error
	Rollback(ctx context.Context, hash, actor string) (RolledBack, error)
	Status(ctx context.Context) (rulebook.Status, error)
}

// RolledBack is the set that is in use after a rollback.
type RolledBack struct {
	Hash    string `json:"hash"`
	Written bool   `json:"written"` // the rules directory holds it
}

func (s Services) ruleRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/reload", s.rulesReload)
	mux.HandleFunc("GET /v1/rules/status", s.rulesStatus)
	mux.HandleFunc("POST /v1/rules/promote", s.rulesAct(Rules.Promote))
	mux.HandleFunc("POST /v1/rules/abort", s.rulesAct(Rules.Abort))
	mux.HandleFunc("POST /v1/rules/rollback", s.rulesRollback)
}

func (s Services) rulesReload(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var share float64
	var long time.Duration
	var err error
	if v := q.Get("canary"); v != "" {
		share, err = strconv.ParseFloat(v, 64)
	}
	if v := q.Get("for"); v != "" && err == nil {
		long, err = time.ParseDuration(v)
	}
	if err != nil {
		s.fail(w, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")})
		return
	}
	s.answer(w, Count{1}, s.Rules.Reload(r.Context(), share, long, Who(r)))
}

func (s Services) rulesAct(act func(Rules, context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, Count{1}, act(s.Rules, r.Context(), Who(r)))
	}
}

func (s Services) rulesRollback(w http.ResponseWriter, r *http.Request) {
	done, err := s.Rules.Rollback(r.Context(), r.URL.Query().Get("hash"), Who(r))
	s.answer(w, done, err)
}

func (s Services) rulesStatus(w http.ResponseWriter, r *http.Request) {
	status, err := s.Rules.Status(r.Context())
	s.answer(w, status, err)
}

// Reload takes edited rule files into use, as a canary when share (in a hundred) is not 0.
func (c *Client) Reload(ctx context.Context, share float64, long time.Duration) error {
	q := url.Values{}
	if share != 0 {
		q.Set("canary", strconv.FormatFloat(share, 'f', -1, 64))
		q.Set("for", long.String())
	}
	_, err := ask[Count](ctx, c, "POST", "/v1/reload?"+q.Encode(), nil)
	return err
}

// Promote makes the canary the set in use.
func (c *Client) Promote(ctx context.Context) error {
	_, err := ask[Count](ctx, c, "POST", "/v1/rules/promote", nil)
	return err
}

// Abort ends the canary.
func (c *Client) Abort(ctx context.Context) error {
	_, err := ask[Count](ctx, c, "POST", "/v1/rules/abort", nil)
	return err
}

// Rollback goes back to a kept set; "" is the one before.
func (c *Client) Rollback(ctx context.Context, hash string) (RolledBack, error) {
	return ask[RolledBack](ctx, c, "POST", "/v1/rules/rollback?hash="+url.QueryEscape(hash), nil)
}

// RulesStatus says what is in use and how a trial does.
func (c *Client) RulesStatus(ctx context.Context) (rulebook.Status, error) {
	return ask[rulebook.Status](ctx, c, "GET", "/v1/rules/status", nil)
}

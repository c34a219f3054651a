package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"congthu/internal/account"
	"congthu/internal/lang"
)

// Accounts is what the API needs of the accounts. What travels is the hash of a
// password; the command makes it.
type Accounts interface {
	List(ctx context.Context) ([]account.Account, error)
	Show(ctx context.Context, name string) (account.Detail, error)
	Add(ctx context.Context, a account.Account, hash, actor string) error
	SetHash(ctx context.Context, name, hash, actor string) error
	SetDisabled(ctx context.Context, name string, disabled bool, actor string) error
	Delete(ctx context.Context, name, actor string) error
	SetHold(ctx context.Context, name string, held bool, why, actor string) error
	Holds(ctx context.Context) ([]account.Hold, error)
}

// newAccount asks for an account.
type newAccount struct {
	Account account.Account `json:"account"`
	Hash    string          `json:"hash"`
	Actor   string          `json:"actor"`
}

// accountChange asks for a change of one; what it leaves out stays.
type accountChange struct {
	Hash     string `json:"hash,omitempty"`
	Disabled *bool  `json:"disabled,omitempty"`
	Held     *bool  `json:"held,omitempty"` // its mail is held
	Why      string `json:"why,omitempty"`
	Actor    string `json:"actor"`
}

func (s Services) accountRoutes(mux *http.ServeMux) {
	if s.Accounts == nil {
		return
	}
	mux.HandleFunc("GET /v1/accounts", s.accountsList)
	mux.HandleFunc("GET /v1/accounts/{name}", s.accountsShow)
	mux.HandleFunc("POST /v1/accounts", s.accountsAdd)
	mux.HandleFunc("POST /v1/accounts/{name}", s.accountsChange)
	mux.HandleFunc("GET /v1/holds", s.holdsList)
	mux.HandleFunc("DELETE /v1/accounts/{name}", s.accountsDelete)
}

func (s Services) accountsList(w http.ResponseWriter, r *http.Request) {
	all, err := s.Accounts.List(r.Context())
	s.answer(w, orEmpty(all), err)
}

func (s Services) accountsShow(w http.ResponseWriter, r *http.Request) {
	a, err := s.Accounts.Show(r.Context(), r.PathValue("name"))
	s.answer(w, a, err)
}

func (s Services) accountsAdd(w http.ResponseWriter, r *http.Request) {
	var req newAccount
	if !s.read(w, r, &req) {
		return
	}
	s.answer(w, Count{1}, s.Accounts.Add(r.Context(), req.Account, req.Hash, req.Actor))
}

func (s Services) accountsChange(w http.ResponseWriter, r *http.Request) {
	var req accountChange
	if !s.read(w, r, &req) {
		return
	}
	name := r.PathValue("name")
	var err error
	if req.Hash != "" {
		err = s.Accounts.SetHash(r.Context(), name, req.Hash, req.Actor)
	}
	if req.Disabled != nil && err == nil {
		err = s.Accounts.SetDisabled(r.Context(), name, *req.Disabled, req.Actor)
	}
	if req.Held != nil && err == nil {
		err = s.Accounts.SetHold(r.Context(), name, *req.Held, req.Why, req.Actor)
	}
	s.answer(w, Count{1}, err)
}

func (s Services) holdsList(w http.ResponseWriter, r *http.Request) {
	all, err := s.Accounts.Holds(r.Context())
	s.answer(w, orEmpty(all), err)
}

func (s Services) accountsDelete(w http.ResponseWriter, r *http.Request) {
	s.answer(w, Count{1}, s.Accounts.Delete(r.Context(), r.PathValue("name"), r.URL.Query().Get("actor")))
}

// read decodes a request, or answers that it is none.
func (s Services) read(w http.ResponseWriter, r *http.Request, v any) bool {
	if json.NewDecoder(r.Body).Decode(v) == nil {
		return true
	}
	s.fail(w, &Problem{http.StatusBadRequest, lang.T("yêu cầu không phải JSON", "the request is not JSON")})
	return false
}

// Accounts returns the accounts of the running gateway.
func (c *Client) Accounts() Accounts { return accountsClient{c} }

type accountsClient struct{ *Client }

// List implements Accounts.
func (c accountsClient) List(ctx context.Context) ([]account.Account, error) {
	return ask[[]account.Account](ctx, c.Client, "GET", "/v1/accounts", nil)
}

// Show implements Accounts.
func (c accountsClient) Show(ctx context.Context, name string) (account.Detail, error) {
	return ask[account.Detail](ctx, c.Client, "GET", "/v1/accounts/"+url.PathEscape(name), nil)
}

// Add implements Accounts.
func (c accountsClient) Add(ctx context.Context, a account.Account, hash, actor string) error {
	return c.post(ctx, "", newAccount{a, hash, actor})
}

// SetHash implements Accounts.
func (c accountsClient) SetHash(ctx context.Context, name, hash, actor string) error {
	return c.post(ctx, "/"+url.PathEscape(name), accountChange{Hash: hash, Actor: actor})
}

// SetDisabled implements Accounts.
func (c accountsClient) SetDisabled(ctx context.Context, name string, disabled bool, actor string) error {
	return c.post(ctx, "/"+url.PathEscape(name), accountChange{Disabled: &disabled, Actor: actor})
}

// SetHold implements Accounts.
func (c accountsClient) SetHold(ctx context.Context, name string, held bool, why, actor string) error {
	return c.post(ctx, "/"+url.PathEscape(name), accountChange{Held: &held, Why: why, Actor: actor})
}

// Holds implements Accounts.
func (c accountsClient) Holds(ctx context.Context) ([]account.Hold, error) {
	return ask[[]account.Hold](ctx, c.Client, "GET", "/v1/holds", nil)
}

// Delete implements Accounts.
func (c accountsClient) Delete(ctx context.Context, name, actor string) error {
	_, err := ask[Count](ctx, c.Client, "DELETE", "/v1/accounts/"+url.PathEscape(name)+"?actor="+url.QueryEscape(actor), nil)
	return err
}

func (c accountsClient) post(ctx context.Context, path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = ask[Count](ctx, c.Client, "POST", "/v1/accounts"+path, bytes.NewReader(body))
	return err
}

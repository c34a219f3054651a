package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/token"
)

// Tokens is what the API needs of the tokens.
type Tokens interface {
	Make(ctx context.Context, w token.Wanted) (token.Token, string, error)
	List(ctx context.Context) ([]token.Token, error)
	Revoke(ctx context.Context, id string) error
}

// NewToken is a token with what its user presents, which is shown this once.
type NewToken struct {
	token.Token
	Secret string `json:"token"`
}

func (t NewToken) outcome() (object, detail string) { return t.ID, "made for " + t.Of() }

type wantedToken struct{ token.Wanted }

func (w wantedToken) about() (object, detail string) {
	return w.Name, strings.Join(slices.Concat([]string{string(w.Role)}, w.Domains, w.ofPerson(), []string{"for", w.Life.String()}), " ")
}

func (w wantedToken) ofPerson() []string {
	if w.Person == "" {
		return nil
	}
	return []string{"of " + w.Person}
}

func (s Services) tokenRoutes() []Route {
	return []Route{
		get("/v1/tokens", token.Oversee, lang.T("liệt kê token", "list the tokens"), on(func(ctx context.Context, _ token.Who, _, _ none) ([]token.Token, error) {
			return orEmpty(s.Tokens.List(ctx))
		})),
		act("POST", "/v1/tokens", token.Manage, "token.new", lang.T("cấp token; chỉ hiện một lần", "make a token, which is shown once"), on(func(ctx context.Context, _ token.Who, _ none, in wantedToken) (NewToken, error) {
			t, secret, err := s.Tokens.Make(ctx, in.Wanted)
			return NewToken{t, secret}, err
		})),
		act("DELETE", "/v1/tokens/{id}", token.Manage, "token.revoke", lang.T("thu hồi token", "revoke a token"), on(func(ctx context.Context, _ token.Who, p oneID, _ none) (Count, error) {
			err := s.Tokens.Revoke(ctx, p.ID)
			if errors.Is(err, token.ErrNotFound) {
				err = &Problem{http.StatusNotFound, lang.T("không có token này; xem congthu token list", "there is no such token; see congthu token list")}
			}
			return Count{1}, err
		})),
	}
}

// NewToken makes a token.
func (c *Client) NewToken(ctx context.Context, w token.Wanted) (NewToken, error) {
	return ask[NewToken](ctx, c, "POST", "/v1/tokens", none{}, w)
}

// Tokens lists the tokens.
func (c *Client) Tokens(ctx context.Context) ([]token.Token, error) {
	return ask[[]token.Token](ctx, c, "GET", "/v1/tokens", none{}, none{})
}

// Revoke ends a token.
func (c *Client) Revoke(ctx context.Context, id string) error {
	_, err := c.count(ctx, "DELETE", "/v1/tokens/{id}", oneID{id}, none{})
	return err
}

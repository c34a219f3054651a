package admin

import (
	"context"

	"congthu/internal/allowance"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// A sender is allowed with the release of a letter (review.Order); here is what has been
// allowed, and how it is taken back.
func (s Services) allowedRoutes() []Route {
	return []Route{
		get("/v1/quarantine/allowed", token.Read, lang.T("người gửi được cho phép", "senders that are allowed"), on(func(ctx context.Context, w token.Who, _, _ none) ([]allowance.Allowance, error) {
			return orEmpty(s.Review(w).Allowed(ctx))
		})),
		recorded(act("DELETE", "/v1/quarantine/allowed/{id}", token.Review, "sender.disallow", lang.T("thôi cho phép một người gửi", "take back that a sender is allowed"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (Count, error) {
			return one(s.Review(w).Disallow(ctx, p.ID))
		}))),
	}
}

// Allowed lists the senders that are allowed.
func (c *Client) Allowed(ctx context.Context) ([]allowance.Allowance, error) {
	return ask[[]allowance.Allowance](ctx, c, "GET", "/v1/quarantine/allowed", none{}, none{})
}

// Disallow takes back that a sender is allowed.
func (c *Client) Disallow(ctx context.Context, id string) error {
	_, err := c.count(ctx, "DELETE", "/v1/quarantine/allowed/{id}", oneID{id}, none{})
	return err
}

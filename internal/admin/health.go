package admin

import (
	"context"

	"congthu/internal/lang"
	"congthu/internal/token"
)

func (s Services) healthRoutes() []Route {
	return []Route{
		get("/v1/health", token.Read, lang.T("cổng thư có khoẻ không", "how the gateway is"), on(func(context.Context, token.Who, none, none) (Health, error) {
			return Health{s.Health()}, nil
		})),
		get("/v1/whoami", token.Read, lang.T("tôi là ai", "who am I"), on(func(_ context.Context, w token.Who, _, _ none) (token.Who, error) {
			return w, nil
		})),
	}
}

// Health asks how the gateway is.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return ask[Health](ctx, c, "GET", "/v1/health", none{}, none{})
}

// WhoAmI asks how the gateway knows the caller.
func (c *Client) WhoAmI(ctx context.Context) (token.Who, error) {
	return ask[token.Who](ctx, c, "GET", "/v1/whoami", none{}, none{})
}

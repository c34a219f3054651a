package admin

import (
	"context"
	"fmt"
	"time"

	"congthu/internal/lang"
	"congthu/internal/rulebook"
	"congthu/internal/token"
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

type reloadQuery struct {
	Canary float64       `query:"canary" min:"0" max:"100"`
	For    time.Duration `query:"for"`
}

func (q reloadQuery) about() (object, detail string) {
	if q.Canary == 0 {
		return "", ""
	}
	return "", fmt.Sprintf("canary %g%% for %v", q.Canary, q.For)
}

type rollbackQuery struct {
	Hash string `query:"hash"`
}

func (q rollbackQuery) about() (object, detail string) { return q.Hash, "" }

func (s Services) ruleRoutes() []Route {
	return []Route{
		act("POST", "/v1/rules/reload", token.Manage, "rules.reload", lang.T("đưa tệp quy tắc vào dùng", "take the rule files into use"), on(func(ctx context.Context, w token.Who, q reloadQuery, _ none) (Count, error) {
			return Count{1}, s.Rules.Reload(ctx, q.Canary, q.For, w.Name)
		})),
		get("/v1/rules/status", token.Oversee, lang.T("bộ quy tắc nào đang dùng", "which rule set is in use"), on(func(ctx context.Context, _ token.Who, _, _ none) (rulebook.Status, error) {
			return s.Rules.Status(ctx)
		})),
		act("POST", "/v1/rules/promote", token.Manage, "rules.promote", lang.T("dùng bộ đang thử cho mọi thư", "use the set on trial for all letters"), on(func(ctx context.Context, w token.Who, _, _ none) (Count, error) {
			return Count{1}, s.Rules.Promote(ctx, w.Name)
		})),
		act("POST", "/v1/rules/abort", token.Manage, "rules.abort", lang.T("thôi thử", "end the trial"), on(func(ctx context.Context, w token.Who, _, _ none) (Count, error) {
			return Count{1}, s.Rules.Abort(ctx, w.Name)
		})),
		act("POST", "/v1/rules/rollback", token.Manage, "rules.rollback", lang.T("quay về một bộ quy tắc đã lưu", "go back to a kept set"), on(func(ctx context.Context, w token.Who, q rollbackQuery, _ none) (RolledBack, error) {
			return s.Rules.Rollback(ctx, q.Hash, w.Name)
		})),
	}
}

// Reload takes edited rule files into use, as a canary when share (in a hundred) is not 0.
func (c *Client) Reload(ctx context.Context, share float64, long time.Duration) error {
	q := reloadQuery{Canary: share}
	if share != 0 {
		q.For = long
	}
	_, err := c.count(ctx, "POST", "/v1/rules/reload", q, none{})
	return err
}

// Promote makes the canary the set in use.
func (c *Client) Promote(ctx context.Context) error {
	_, err := c.count(ctx, "POST", "/v1/rules/promote", none{}, none{})
	return err
}

// Abort ends the canary.
func (c *Client) Abort(ctx context.Context) error {
	_, err := c.count(ctx, "POST", "/v1/rules/abort", none{}, none{})
	return err
}

// Rollback goes back to a kept set; "" is the one before.
func (c *Client) Rollback(ctx context.Context, hash string) (RolledBack, error) {
	return ask[RolledBack](ctx, c, "POST", "/v1/rules/rollback", rollbackQuery{hash}, none{})
}

// RulesStatus says what is in use and how a trial does.
func (c *Client) RulesStatus(ctx context.Context) (rulebook.Status, error) {
	return ask[rulebook.Status](ctx, c, "GET", "/v1/rules/status", none{}, none{})
}

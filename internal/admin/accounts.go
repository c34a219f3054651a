package admin

import (
	"context"
	"strings"

	"congthu/internal/account"
	"congthu/internal/lang"
	"congthu/internal/token"
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

type accountName struct {
	Name string `path:"name"`
}

func (p accountName) about() (object, detail string) { return p.Name, "" }

// newAccount asks for an account.
type newAccount struct {
	Name    string   `json:"name"`
	Agency  string   `json:"agency,omitempty"`
	Domains []string `json:"domains,omitempty"`
	Hash    string   `json:"hash"` // of the password, as internal/account makes it
}

func (in newAccount) about() (object, detail string) {
	return in.Name, strings.TrimSpace(in.Agency + " " + strings.Join(in.Domains, " "))
}

type (
	newPassword struct {
		Hash string `json:"hash"`
	}
	newState struct {
		Disabled bool `json:"disabled"`
	}
	newHold struct {
		Held bool   `json:"held"` // its mail is held
		Why  string `json:"why,omitempty"`
	}
)

func (in newState) about() (object, detail string) { return "", onOff(in.Disabled, "disabled") }

func (in newHold) about() (object, detail string) {
	return "", strings.TrimSuffix(onOff(in.Held, "held")+": "+in.Why, ": ")
}

func onOff(on bool, word string) string {
	if on {
		return word
	}
	return "not " + word
}

func (s Services) accountRoutes() []Route {
	return append([]Route{
		get("/v1/accounts", token.Oversee, lang.T("liệt kê tài khoản gửi thư", "list the accounts that send"), on(func(ctx context.Context, _ token.Who, _, _ none) ([]account.Account, error) {
			return orEmpty(s.Accounts.List(ctx))
		})),
		get("/v1/accounts/{name}", token.Oversee, lang.T("xem tài khoản", "show an account"), on(func(ctx context.Context, _ token.Who, p accountName, _ none) (account.Detail, error) {
			return s.Accounts.Show(ctx, p.Name)
		})),
		get("/v1/holds", token.Oversee, lang.T("những ai đang bị giữ thư", "whose mail is held"), on(func(ctx context.Context, _ token.Who, _, _ none) ([]account.Hold, error) {
			return orEmpty(s.Accounts.Holds(ctx))
		})),
	}, s.accountChanges()...)
}

func (s Services) accountChanges() []Route {
	return []Route{
		act("POST", "/v1/accounts", token.Manage, "account.add", lang.T("thêm tài khoản", "add an account"), on(func(ctx context.Context, w token.Who, _ none, in newAccount) (Count, error) {
			return Count{1}, s.Accounts.Add(ctx, account.Account{Name: in.Name, Agency: in.Agency, Domains: in.Domains}, in.Hash, w.Name)
		})),
		accountChange("/password", "account.passwd", lang.T("đổi mật khẩu", "give it another password"), func(ctx context.Context, w token.Who, name string, in newPassword) error {
			if in.Hash == "" {
				return bad("thiếu hash", "the hash is missing")
			}
			return s.Accounts.SetHash(ctx, name, in.Hash, w.Name)
		}),
		accountChange("/state", "account.state", lang.T("khoá hoặc mở", "let it send no more, or again"), func(ctx context.Context, w token.Who, name string, in newState) error {
			return s.Accounts.SetDisabled(ctx, name, in.Disabled, w.Name)
		}),
		accountChange("/hold", "account.hold", lang.T("giữ thư của tài khoản, hoặc thôi giữ", "hold its mail, or no more"), func(ctx context.Context, w token.Who, name string, in newHold) error {
			return s.Accounts.SetHold(ctx, name, in.Held, in.Why, w.Name)
		}),
		act("DELETE", "/v1/accounts/{name}", token.Manage, "account.delete", lang.T("xoá tài khoản", "delete an account"), on(func(ctx context.Context, w token.Who, p accountName, _ none) (Count, error) {
			return Count{1}, s.Accounts.Delete(ctx, p.Name, w.Name)
		})),
	}
}

// accountChange is a route that changes one thing of an account.
func accountChange[B any](what, name string, summary lang.Text, do func(context.Context, token.Who, string, B) error) Route {
	return act("POST", "/v1/accounts/{name}"+what, token.Manage, name, summary, on(func(ctx context.Context, w token.Who, p accountName, in B) (Count, error) {
		return Count{1}, do(ctx, w, p.Name, in)
	}))
}

// Accounts returns the accounts of the running gateway. Who acts is who calls: the actors
// that are handed in are not sent.
func (c *Client) Accounts() Accounts { return accountsClient{c} }

type accountsClient struct{ *Client }

// List implements Accounts.
func (c accountsClient) List(ctx context.Context) ([]account.Account, error) {
	return ask[[]account.Account](ctx, c.Client, "GET", "/v1/accounts", none{}, none{})
}

// Show implements Accounts.
func (c accountsClient) Show(ctx context.Context, name string) (account.Detail, error) {
	return ask[account.Detail](ctx, c.Client, "GET", "/v1/accounts/{name}", accountName{name}, none{})
}

// Add implements Accounts.
func (c accountsClient) Add(ctx context.Context, a account.Account, hash, _ string) error {
	_, err := c.count(ctx, "POST", "/v1/accounts", none{}, newAccount{a.Name, a.Agency, a.Domains, hash})
	return err
}

// SetHash implements Accounts.
func (c accountsClient) SetHash(ctx context.Context, name, hash, _ string) error {
	return c.change(ctx, "password", name, newPassword{hash})
}

// SetDisabled implements Accounts.
func (c accountsClient) SetDisabled(ctx context.Context, name string, disabled bool, _ string) error {
	return c.change(ctx, "state", name, newState{disabled})
}

// SetHold implements Accounts.
func (c accountsClient) SetHold(ctx context.Context, name string, held bool, why, _ string) error {
	return c.change(ctx, "hold", name, newHold{held, why})
}

// Holds implements Accounts.
func (c accountsClient) Holds(ctx context.Context) ([]account.Hold, error) {
	return ask[[]account.Hold](ctx, c.Client, "GET", "/v1/holds", none{}, none{})
}

// Delete implements Accounts.
func (c accountsClient) Delete(ctx context.Context, name, _ string) error {
	_, err := c.count(ctx, "DELETE", "/v1/accounts/{name}", accountName{name}, none{})
	return err
}

func (c accountsClient) change(ctx context.Context, what, name string, v any) error {
	_, err := c.count(ctx, "POST", "/v1/accounts/{name}/"+what, accountName{name}, v)
	return err
}

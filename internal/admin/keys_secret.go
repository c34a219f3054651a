package admin

import (
	"context"
	"strings"

	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// SecretKeys is what the API needs of the secret keys. What goes over it is encrypted: the
// passphrase is the gateway's own.
type SecretKeys interface {
	AddOpener(ctx context.Context, in keyring.NewOpener) (keyring.Secret, error)
	Secrets(ctx context.Context) ([]keyring.Secret, error)
	DeleteSecrets(ctx context.Context, names []string, actor string) ([]keyring.Secret, error)
}

// keyOpener is a key that opens letters, with what is said of it on record.
type keyOpener struct{ keyring.NewOpener }

func (in keyOpener) about() (object, detail string) { return in.Domain, "" }

// secretNames name secret keys: domains, fingerprints and the ends of some.
type secretNames struct {
	Key []string `query:"key" required:"true"`
}

func (q secretNames) about() (object, detail string) { return strings.Join(q.Key, " "), "secret" }

func (s Services) secretRoutes() []Route {
	return []Route{
		get("/v1/keys/secret", token.Oversee, lang.T("có những khoá bí mật nào", "which secret keys there are"), on(func(ctx context.Context, _ token.Who, _, _ none) ([]keyring.Secret, error) {
			return orEmpty(s.Keys.Secrets(ctx))
		})),
		act("POST", "/v1/keys/opening", token.Manage, "key.open", lang.T("thêm khoá giải mã của một tên miền", "add a key that opens the letters of a domain"), on(func(ctx context.Context, w token.Who, _ none, in keyOpener) (keyring.Secret, error) {
			in.Actor = w.Name
			return s.Keys.AddOpener(ctx, in.NewOpener)
		})),
		act("DELETE", "/v1/keys/secret", token.Manage, "key.delete", lang.T("xoá khoá bí mật", "delete secret keys"), on(func(ctx context.Context, w token.Who, q secretNames, _ none) ([]keyring.Secret, error) {
			return orEmpty(s.Keys.DeleteSecrets(ctx, q.Key, w.Name))
		})),
	}
}

// AddOpener implements Keys.
func (c keysClient) AddOpener(ctx context.Context, in keyring.NewOpener) (keyring.Secret, error) {
	return ask[keyring.Secret](ctx, c.Client, "POST", "/v1/keys/opening", none{}, in)
}

// Secrets implements Keys.
func (c keysClient) Secrets(ctx context.Context) ([]keyring.Secret, error) {
	return ask[[]keyring.Secret](ctx, c.Client, "GET", "/v1/keys/secret", none{}, none{})
}

// DeleteSecrets implements Keys.
func (c keysClient) DeleteSecrets(ctx context.Context, names []string, _ string) ([]keyring.Secret, error) {
	return ask[[]keyring.Secret](ctx, c.Client, "DELETE", "/v1/keys/secret", secretNames{names}, none{})
}

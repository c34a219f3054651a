package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/token"
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
	SecretKeys
}

// exported is armored keys.
type exported struct {
	Octets []byte `json:"octets"`
}

type (
	keyName struct {
		Key string `query:"key" required:"true"`
	}
	keyNames struct {
		Key []string `query:"key" required:"true"`
	}
	someKeys struct { // none: all
		Key []string `query:"key"`
	}
	subjects struct {
		Subject []string `query:"subject" required:"true"`
	}
	within struct {
		Within time.Duration `query:"within" required:"true"`
	}

	// What is asked of the keys, with what is said of it on record.
	keyImport  struct{ keyring.Import }
	keyPinning struct{ keyring.Pinning }
	keySecret  struct{ keyring.NewSecret }
)

func (q keyNames) about() (object, detail string) { return strings.Join(q.Key, " "), "" }
func (q subjects) about() (object, detail string) { return strings.Join(q.Subject, " "), "" }

func (in keyImport) about() (object, detail string) { return in.For, "from " + in.Source }

func (in keySecret) about() (object, detail string) { return in.Domain, "" }

func (in keyPinning) about() (object, detail string) {
	return in.Key, strings.Join(in.Subjects, " ")
}

func (s Services) keyRoutes() []Route {
	return slices.Concat(s.keyReading(), s.keyChanges(), s.secretRoutes())
}

func (s Services) keyReading() []Route {
	return []Route{
		get("/v1/keys", token.Oversee, lang.T("liệt kê khoá", "list the keys"), on(func(ctx context.Context, _ token.Who, _, _ none) ([]keyring.Entry, error) {
			return orEmpty(s.Keys.List(ctx))
		})),
		get("/v1/keys/show", token.Oversee, lang.T("xem một khoá", "show a key"), on(func(ctx context.Context, _ token.Who, q keyName, _ none) (keyring.Entry, error) {
			return s.Keys.Show(ctx, q.Key)
		})),
		get("/v1/keys/export", token.Oversee, lang.T("xuất khoá công khai", "export public keys"), on(func(ctx context.Context, _ token.Who, q someKeys, _ none) (exported, error) {
			data, err := s.Keys.Export(ctx, q.Key)
			return exported{data}, err
		})),
		get("/v1/keys/calendar", token.Oversee, lang.T("khoá nào sắp hết hạn", "which keys expire soon"), on(func(ctx context.Context, _ token.Who, q within, _ none) ([]keyring.Due, error) {
			return orEmpty(s.Keys.Calendar(ctx, q.Within))
		})),
	}
}

func (s Services) keyChanges() []Route {
	return []Route{
		act("POST", "/v1/keys", token.Manage, "key.import", lang.T("nhập khoá công khai", "import public keys"), on(func(ctx context.Context, w token.Who, _ none, in keyImport) ([]keyring.Imported, error) {
			in.Actor = w.Name
			return orEmpty(s.Keys.Import(ctx, in.Import))
		})),
		act("POST", "/v1/keys/pins", token.Manage, "key.pin", lang.T("gắn khoá với địa chỉ", "pin a key to addresses"), on(func(ctx context.Context, w token.Who, _ none, in keyPinning) ([]keyring.Pin, error) {
			in.Actor = w.Name
			return orEmpty(s.Keys.Pin(ctx, in.Pinning))
		})),
		act("POST", "/v1/keys/signing", token.Manage, "key.sign", lang.T("đặt khoá ký của một tên miền", "set the key that signs for a domain"), on(func(ctx context.Context, w token.Who, _ none, in keySecret) (keyring.Secret, error) {
			in.Actor = w.Name
			return s.Keys.SetSecret(ctx, in.NewSecret)
		})),
		act("DELETE", "/v1/keys", token.Manage, "key.delete", lang.T("xoá khoá", "delete keys"), on(func(ctx context.Context, w token.Who, q keyNames, _ none) (Count, error) {
			return Count{len(q.Key)}, s.Keys.Delete(ctx, q.Key, w.Name)
		})),
		act("DELETE", "/v1/keys/pins", token.Manage, "key.unpin", lang.T("gỡ khoá khỏi địa chỉ", "unpin addresses"), on(func(ctx context.Context, w token.Who, q subjects, _ none) (Count, error) {
			return Count{len(q.Subject)}, s.Keys.Unpin(ctx, q.Subject, w.Name)
		})),
	}
}

// Keys returns the keys of the running gateway. Who acts is who calls: the actors that are
// handed in are not sent.
func (c *Client) Keys() Keys { return keysClient{c} }

type keysClient struct{ *Client }

// List implements Keys.
func (c keysClient) List(ctx context.Context) ([]keyring.Entry, error) {
	return ask[[]keyring.Entry](ctx, c.Client, "GET", "/v1/keys", none{}, none{})
}

// Show implements Keys.
func (c keysClient) Show(ctx context.Context, name string) (keyring.Entry, error) {
	return ask[keyring.Entry](ctx, c.Client, "GET", "/v1/keys/show", keyName{name}, none{})
}

// Export implements Keys.
func (c keysClient) Export(ctx context.Context, names []string) ([]byte, error) {
	out, err := ask[exported](ctx, c.Client, "GET", "/v1/keys/export", someKeys{names}, none{})
	return out.Octets, err
}

// Import implements Keys.
func (c keysClient) Import(ctx context.Context, in keyring.Import) ([]keyring.Imported, error) {
	return ask[[]keyring.Imported](ctx, c.Client, "POST", "/v1/keys", none{}, in)
}

// Pin implements Keys.
func (c keysClient) Pin(ctx context.Context, in keyring.Pinning) ([]keyring.Pin, error) {
	return ask[[]keyring.Pin](ctx, c.Client, "POST", "/v1/keys/pins", none{}, in)
}

// Unpin implements Keys.
func (c keysClient) Unpin(ctx context.Context, names []string, _ string) error {
	_, err := c.count(ctx, "DELETE", "/v1/keys/pins", subjects{names}, none{})
	return err
}

// Delete implements Keys.
func (c keysClient) Delete(ctx context.Context, names []string, _ string) error {
	_, err := c.count(ctx, "DELETE", "/v1/keys", keyNames{names}, none{})
	return err
}

// Calendar implements Keys.
func (c keysClient) Calendar(ctx context.Context, long time.Duration) ([]keyring.Due, error) {
	return ask[[]keyring.Due](ctx, c.Client, "GET", "/v1/keys/calendar", within{long}, none{})
}

// SetSecret implements Keys.
func (c keysClient) SetSecret(ctx context.Context, in keyring.NewSecret) (keyring.Secret, error) {
	return ask[keyring.Secret](ctx, c.Client, "POST", "/v1/keys/signing", none{}, in)
}

package admin

import (
	"context"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/token"
)

// Quarantine is what the API needs of the quarantine.
type Quarantine interface {
	List(ctx context.Context, f quarantine.Filter) ([]quarantine.Item, error)
	Show(ctx context.Context, id string) (quarantine.Item, []byte, error)
	Release(ctx context.Context, id string, to []string, actor string) (released []string, err error)
	Delete(ctx context.Context, id, actor string) error
}

// Held is a held message with its octets, as `quarantine show` gets it.
type Held struct {
	Item quarantine.Item `json:"item"`
	Raw  []byte          `json:"raw"` // base64 in JSON
}

// Release asks for a release; no recipients means all.
type Release struct {
	To []string `json:"to,omitempty"`
}

func (r Release) about() (object, detail string) { return "", strings.Join(r.To, " ") }

// Released is whom a release has sent the message to.
type Released struct {
	To []string `json:"to"`
}

// oneID is the path of what is about one thing.
type oneID struct {
	ID string `path:"id"`
}

func (p oneID) about() (object, detail string) { return p.ID, "" }

type heldQuery struct {
	Text   string    `query:"text"`
	Limit  int       `query:"limit" min:"0" max:"100000"`
	Offset int       `query:"offset" min:"0"`
	Since  time.Time `query:"since"`
}

func (s Services) quarantineRoutes() []Route {
	return []Route{
		get("/v1/quarantine", token.Read, lang.T("liệt kê thư bị giữ", "list held messages"), on(func(ctx context.Context, _ token.Who, q heldQuery, _ none) ([]quarantine.Item, error) {
			return orEmpty(s.Quarantine.List(ctx, quarantine.Filter{Text: q.Text, Limit: q.Limit, Offset: q.Offset, Since: q.Since}))
		})),
		recorded(act("GET", "/v1/quarantine/{id}", token.Read, "quarantine.show", lang.T("xem một thư bị giữ", "show a held message"), on(func(ctx context.Context, _ token.Who, p oneID, _ none) (Held, error) {
			item, raw, err := s.Quarantine.Show(ctx, p.ID)
			return Held{Item: item, Raw: raw}, err
		}))),
		recorded(act("POST", "/v1/quarantine/{id}/release", token.Review, "quarantine.release", lang.T("giao thư bị giữ", "deliver a held message"), on(func(ctx context.Context, w token.Who, p oneID, in Release) (Released, error) {
			to, err := s.Quarantine.Release(ctx, p.ID, in.To, w.Name)
			return Released{to}, err
		}))),
		recorded(act("DELETE", "/v1/quarantine/{id}", token.Review, "quarantine.delete", lang.T("xoá thư bị giữ", "delete a held message"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (Count, error) {
			return Count{1}, s.Quarantine.Delete(ctx, p.ID, w.Name)
		}))),
	}
}

// Quarantine lists held messages.
func (c *Client) Quarantine(ctx context.Context, f quarantine.Filter) ([]quarantine.Item, error) {
	q := heldQuery{Text: f.Text, Limit: f.Limit, Offset: f.Offset, Since: f.Since}
	return ask[[]quarantine.Item](ctx, c, "GET", "/v1/quarantine", q, none{})
}

// Held shows one held message with its octets.
func (c *Client) Held(ctx context.Context, id string) (Held, error) {
	return ask[Held](ctx, c, "GET", "/v1/quarantine/{id}", oneID{id}, none{})
}

// Release releases a held message to some of its recipients, or to all, and returns
// to whom.
func (c *Client) Release(ctx context.Context, id string, r Release) (Released, error) {
	return ask[Released](ctx, c, "POST", "/v1/quarantine/{id}/release", oneID{id}, r)
}

// Delete deletes a held message.
func (c *Client) Delete(ctx context.Context, id string) error {
	_, err := ask[Count](ctx, c, "DELETE", "/v1/quarantine/{id}", oneID{id}, none{})
	return err
}

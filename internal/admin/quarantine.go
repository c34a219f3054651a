package admin

import (
	"context"
	"encoding/json"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/token"
)

// Reviewer is what a caller may do with held mail. It answers by the caller's rights and
// puts on record what is done.
type Reviewer interface {
	List(ctx context.Context, f quarantine.Filter) (quarantine.Page, error)
	Show(ctx context.Context, id string, iKnow bool) (quarantine.Item, []byte, error)
	View(ctx context.Context, id string) (review.View, error)
	Explain(ctx context.Context, id string, now bool) (any, error)
	Export(ctx context.Context, id string, iKnow bool) ([]byte, error)
	Release(ctx context.Context, id string, o review.Order) (review.Released, error)
	Approve(ctx context.Context, id string) error
	Delete(ctx context.Context, id string) error
	Undo(ctx context.Context, id string) error
	Learn(ctx context.Context, id string, spam bool) error
	Bulk(ctx context.Context, b review.Bulk) (review.Done, error)
	Allowed(ctx context.Context) ([]allowance.Allowance, error)
	Disallow(ctx context.Context, id string) error
}

// Held is a held message with its octets.
type Held struct {
	Item quarantine.Item `json:"item"`
	Raw  []byte          `json:"raw"` // base64 in JSON
}

// Exported is a message as it is exported.
type Exported struct {
	Raw []byte `json:"raw"` // base64 in JSON
}

// oneID is the path of what is about one thing.
type oneID struct {
	ID string `path:"id"`
}

func (p oneID) about() (object, detail string) { return p.ID, "" }

type heldQuery struct {
	Text      string           `query:"text"`
	Agency    string           `query:"agency"`
	Recipient string           `query:"recipient"`
	Sender    string           `query:"sender"`
	Symbol    string           `query:"symbol"`
	Reason    string           `query:"reason"`
	Class     quarantine.Class `query:"class" enum:"malware,unscannable,type,phishing,spam,encryption,authentication,other"`
	Since     time.Time        `query:"since"`
	Until     time.Time        `query:"until"`
	Deleted   bool             `query:"deleted"`
	Limit     int              `query:"limit" min:"0" max:"1000000"`
	Offset    int              `query:"offset" min:"0"`
	After     string           `query:"after"`
}

// explainQuery asks for the reasons of then, or for those of today.
type explainQuery struct {
	ID  string `path:"id"`
	Now bool   `query:"now"`
}

// octetsQuery asks for a message as it is; whoever wants malware says that they know.
type octetsQuery struct {
	ID    string `path:"id"`
	IKnow bool   `query:"i_know"`
}

// Lesson says whether a held message is spam.
type Lesson struct {
	Spam bool `json:"spam"`
}

// one counts what is done to one message.
func one(err error) (Count, error) { return Count{1}, err }

func (s Services) quarantineRoutes() []Route {
	const id = "/v1/quarantine/{id}"
	return append(s.allowedRoutes(), []Route{
		get("/v1/quarantine", token.Read, lang.T("liệt kê thư bị giữ", "list held messages"), on(func(ctx context.Context, w token.Who, q heldQuery, _ none) (quarantine.Page, error) {
			return s.Review(w).List(ctx, quarantine.Filter(q))
		})),
		recorded(act("GET", id, token.Read, "quarantine.show", lang.T("xem một thư bị giữ, nguyên văn; có mã độc thì phải có i_know", "a held message with its octets; what is malware only with i_know"), on(func(ctx context.Context, w token.Who, p octetsQuery, _ none) (Held, error) {
			item, raw, err := s.Review(w).Show(ctx, p.ID, p.IKnow)
			return Held{Item: item, Raw: raw}, err
		}))),
		recorded(act("GET", id+"/view", token.Read, "quarantine.show", lang.T("xem thư dưới dạng chữ an toàn", "a held message as text that is safe to show"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (review.View, error) {
			return s.Review(w).View(ctx, p.ID)
		}))),
		recorded(act("GET", id+"/explain", token.Read, "quarantine.explain", lang.T("vì sao thư bị giữ", "why a message is held"), on(func(ctx context.Context, w token.Who, p explainQuery, _ none) (any, error) {
			return s.Review(w).Explain(ctx, p.ID, p.Now)
		}))),
		recorded(act("GET", id+"/export", token.Read, "quarantine.export", lang.T("xuất nguyên văn thư; có mã độc thì phải có i_know", "the octets of a message, to be kept; what is malware only with i_know"), on(func(ctx context.Context, w token.Who, p octetsQuery, _ none) (Exported, error) {
			raw, err := s.Review(w).Export(ctx, p.ID, p.IKnow)
			return Exported{raw}, err
		}))),
		recorded(act("POST", id+"/release", token.Review, "quarantine.release", lang.T("giao thư bị giữ", "deliver a held message"), on(func(ctx context.Context, w token.Who, p oneID, in review.Order) (review.Released, error) {
			return s.Review(w).Release(ctx, p.ID, in)
		}))),
		s.heldAct("POST", id+"/approve", "approve", lang.T("đồng ý cho thả", "agree to a release by somebody else"), Reviewer.Approve),
		s.heldAct("POST", id+"/undo", "undo", lang.T("lấy lại thư đã xoá", "take a deletion back"), Reviewer.Undo),
		s.heldAct("DELETE", id, "delete", lang.T("xoá thư bị giữ", "delete a held message"), Reviewer.Delete),
		recorded(act("POST", id+"/learn", token.Review, "quarantine.learn", lang.T("dạy bộ phân loại bằng thư này", "teach the classifier with a held message"), on(func(ctx context.Context, w token.Who, p oneID, in Lesson) (Count, error) {
			return one(s.Review(w).Learn(ctx, p.ID, in.Spam))
		}))),
		recorded(act("POST", "/v1/quarantine/bulk", token.Review, "quarantine.bulk", lang.T("làm một việc với mọi thư trong danh sách; không có confirm là xem thử", "one act on all messages of a list; without confirm a dry run"), on(func(ctx context.Context, w token.Who, _ none, in review.Bulk) (review.Done, error) {
			return s.Review(w).Bulk(ctx, in)
		}))),
	}...)
}

// heldAct is the route of what is done to one message.
func (s Services) heldAct(method, path, verb string, summary lang.Text, do func(Reviewer, context.Context, string) error) Route {
	return recorded(act(method, path, token.Review, "quarantine."+verb, summary, on(func(ctx context.Context, w token.Who, p oneID, _ none) (Count, error) {
		return one(do(s.Review(w), ctx, p.ID))
	})))
}

// Quarantine lists held messages.
func (c *Client) Quarantine(ctx context.Context, f quarantine.Filter) ([]quarantine.Item, error) {
	p, err := c.Page(ctx, f)
	return p.Items, err
}

// Page lists held messages, with how many there are.
func (c *Client) Page(ctx context.Context, f quarantine.Filter) (quarantine.Page, error) {
	return ask[quarantine.Page](ctx, c, "GET", "/v1/quarantine", heldQuery(f), none{})
}

// Held shows one held message with its octets; what is harmful only when that is known.
func (c *Client) Held(ctx context.Context, id string, iKnow bool) (Held, error) {
	return ask[Held](ctx, c, "GET", "/v1/quarantine/{id}", octetsQuery{id, iKnow}, none{})
}

// View shows one held message as text that is safe to show.
func (c *Client) View(ctx context.Context, id string) (review.View, error) {
	return ask[review.View](ctx, c, "GET", "/v1/quarantine/{id}/view", oneID{id}, none{})
}

// ExplainHeld says why a message is held, or (now) what the rules of today say of it; into
// is what the gateway's document is decoded into.
func (c *Client) ExplainHeld(ctx context.Context, id string, now bool, into any) error {
	doc, err := ask[json.RawMessage](ctx, c, "GET", "/v1/quarantine/{id}/explain", explainQuery{id, now}, none{})
	if err != nil {
		return err
	}
	return json.Unmarshal(doc, into)
}

// Export returns the octets of a held message; what is harmful only when that is known.
func (c *Client) Export(ctx context.Context, id string, iKnow bool) ([]byte, error) {
	out, err := ask[Exported](ctx, c, "GET", "/v1/quarantine/{id}/export", octetsQuery{id, iKnow}, none{})
	return out.Raw, err
}

// Release releases a held message to some of its recipients, or to all, and returns
// to whom.
func (c *Client) Release(ctx context.Context, id string, o review.Order) (review.Released, error) {
	return ask[review.Released](ctx, c, "POST", "/v1/quarantine/{id}/release", oneID{id}, o)
}

// Approve agrees to the release of a message by somebody else.
func (c *Client) Approve(ctx context.Context, id string) error {
	_, err := c.count(ctx, "POST", "/v1/quarantine/{id}/approve", oneID{id}, none{})
	return err
}

// Delete deletes a held message.
func (c *Client) Delete(ctx context.Context, id string) error {
	_, err := c.count(ctx, "DELETE", "/v1/quarantine/{id}", oneID{id}, none{})
	return err
}

// Undelete takes a deletion back.
func (c *Client) Undelete(ctx context.Context, id string) error {
	_, err := c.count(ctx, "POST", "/v1/quarantine/{id}/undo", oneID{id}, none{})
	return err
}

// LearnHeld teaches the classifier that a held message is spam, or is not.
func (c *Client) LearnHeld(ctx context.Context, id string, spam bool) error {
	_, err := c.count(ctx, "POST", "/v1/quarantine/{id}/learn", oneID{id}, Lesson{spam})
	return err
}

// Bulk does one act on all messages of a list, or says on which it would.
func (c *Client) Bulk(ctx context.Context, b review.Bulk) (review.Done, error) {
	return ask[review.Done](ctx, c, "POST", "/v1/quarantine/bulk", none{}, b)
}

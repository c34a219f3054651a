package admin

import (
	"cmp"
	"context"

	"congthu/internal/lang"
	"congthu/internal/queue"
	"congthu/internal/token"
)

// Queue is what the API needs of the queue.
type Queue interface {
	List(ctx context.Context, f queue.Filter) ([]queue.Entry, error)
	Show(ctx context.Context, id string, s queue.Scope) (queue.Detail, error)
	Hold(ctx context.Context, id string) (int, error)
	Release(ctx context.Context, id string) (int, error)
	Retry(ctx context.Context, id string) (int, error)
	Drop(ctx context.Context, id string) (int, error)
}

// queueLimit is how many entries are listed when nothing is said.
const queueLimit = 1000

type queueQuery struct {
	Hop   string `query:"hop"`
	From  string `query:"from"`
	To    string `query:"to"`
	State string `query:"state" enum:"waiting,trying,held,dead,corrupt"`
	Limit int    `query:"limit" min:"0" max:"10000000"`
}

// ScopeOf is the part of the queue that a caller sees.
func ScopeOf(w token.Who) queue.Scope {
	if w.Everywhere() {
		return nil
	}
	return w.Sees
}

// To look at the queue is a reviewer's too, as far as it is of its own domains; what is done
// to it is the administrator's.
func (s Services) queueRoutes() []Route {
	return []Route{
		get("/v1/queue", token.Read, lang.T("liệt kê thư chờ giao; người duyệt chỉ thấy thư của cơ quan mình", "list what waits for delivery; a reviewer sees what is of its own agency"), on(func(ctx context.Context, w token.Who, q queueQuery, _ none) ([]queue.Entry, error) {
			return orEmpty(s.Queue.List(ctx, queue.Filter{Hop: q.Hop, From: q.From, To: q.To, State: q.State, Limit: cmp.Or(q.Limit, queueLimit), Scope: ScopeOf(w)}))
		})),
		act("GET", "/v1/queue/{id}", token.Read, "queue.show", lang.T("xem một thư chờ giao", "show a message that waits"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (queue.Detail, error) {
			return s.Queue.Show(ctx, p.ID, ScopeOf(w))
		})),
		queueAct("POST", "/hold", "queue.hold", lang.T("giữ lại, không giao; id có thể là all", "keep from being tried; id may be all"), func(ctx context.Context, id string) (int, error) { return s.Queue.Hold(ctx, id) }),
		queueAct("POST", "/release", "queue.release", lang.T("thôi giữ; id có thể là all", "let held messages wait for their time again; id may be all"), func(ctx context.Context, id string) (int, error) { return s.Queue.Release(ctx, id) }),
		queueAct("POST", "/retry", "queue.retry", lang.T("giao lại ngay; id có thể là all", "try now; id may be all"), func(ctx context.Context, id string) (int, error) { return s.Queue.Retry(ctx, id) }),
		queueAct("DELETE", "", "queue.drop", lang.T("bỏ khỏi hàng đợi, không báo ai", "remove without delivery and without a notice"), func(ctx context.Context, id string) (int, error) { return s.Queue.Drop(ctx, id) }),
	}
}

// queueAct is a route of what is done to one id, or to all.
func queueAct(method, verb, name string, summary lang.Text, do func(context.Context, string) (int, error)) Route {
	return act(method, "/v1/queue/{id}"+verb, token.Manage, name, summary, on(func(ctx context.Context, _ token.Who, p oneID, _ none) (Count, error) {
		n, err := do(ctx, p.ID)
		return Count{n}, err
	}))
}

// Queue lists what waits for delivery.
func (c *Client) Queue(ctx context.Context, f queue.Filter) ([]queue.Entry, error) {
	return ask[[]queue.Entry](ctx, c, "GET", "/v1/queue", queueQuery{f.Hop, f.From, f.To, f.State, f.Limit}, none{})
}

// Queued shows one message that waits for delivery.
func (c *Client) Queued(ctx context.Context, id string) (queue.Detail, error) {
	return ask[queue.Detail](ctx, c, "GET", "/v1/queue/{id}", oneID{id}, none{})
}

// Hold keeps entries from being tried; id may be "all".
func (c *Client) Hold(ctx context.Context, id string) (int, error) {
	return c.count(ctx, "POST", "/v1/queue/{id}/hold", oneID{id}, none{})
}

// Unhold lets held entries wait again for their time; id may be "all".
func (c *Client) Unhold(ctx context.Context, id string) (int, error) {
	return c.count(ctx, "POST", "/v1/queue/{id}/release", oneID{id}, none{})
}

// Retry makes entries due now; id may be "all".
func (c *Client) Retry(ctx context.Context, id string) (int, error) {
	return c.count(ctx, "POST", "/v1/queue/{id}/retry", oneID{id}, none{})
}

// Drop removes entries without delivery and without a notice.
func (c *Client) Drop(ctx context.Context, id string) (int, error) {
	return c.count(ctx, "DELETE", "/v1/queue/{id}", oneID{id}, none{})
}

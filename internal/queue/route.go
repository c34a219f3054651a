package queue

import (
	"context"
	"strings"

	"congthu/internal/msg"
)

// routed is where mail for a domain goes today. What a message was queued with counts
// only where nobody knows: an administrator who has changed a route wants the mail that
// waits to go the new way.
func (q *Queue) routed(queued, domain string) string {
	if q.o.Route != nil && domain != "" {
		if hop, ok := q.o.Route(domain); ok {
			return hop
		}
	}
	return queued
}

// domainOf is the domain of an address as a list shows it.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// byRoute delivers to where each recipient's mail goes today, one next hop after the
// other.
func (q *Queue) byRoute(ctx context.Context, t *msg.Transfer) []msg.Reply {
	var hops []string
	at := map[string][]int{}
	for i, to := range t.To {
		hop := q.routed(t.NextHop, to.Domain)
		if at[hop] == nil {
			hops = append(hops, hop)
		}
		at[hop] = append(at[hop], i)
	}
	out := make([]msg.Reply, len(t.To))
	for _, hop := range hops {
		part := *t
		part.NextHop, part.To = hop, nil
		for _, i := range at[hop] {
			part.To = append(part.To, t.To[i])
		}
		for n, r := range q.o.Deliver.Deliver(ctx, &part) {
			if n < len(part.To) {
				out[at[hop][n]] = r
			}
		}
	}
	return out
}

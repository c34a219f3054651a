package queue

import (
	"context"
	"testing"

	"congthu/internal/msg"
)

// A message goes where its recipients' domains go when it is tried, not where they went
// when it came; recipients whose ways have parted are delivered apart, each once, and
// each gets the reply of its own next hop.
func TestRouteOfToday(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Route = func(domain string) (string, bool) {
			hop, ok := map[string]string{"x.test": "new:25", "y.test": "other:25"}[domain]
			return hop, ok
		}
	})
	r.hop.answer = func(ctx context.Context, x *msg.Transfer) []msg.Reply {
		if x.NextHop == "other:25" {
			return all(try450)(ctx, x)
		}
		return all(ok250)(ctx, x)
	}
	r.run()
	r.put(letter("m1", "a@x.test", "b@y.test", "c@x.test", "d@gone.test"))
	r.until("deferred m1 b@y.test")
	r.wantList("m1 b@y.test waiting 1 450")
	got := map[string]string{}
	for _, x := range r.hop.transfers() {
		for _, to := range x.To {
			got[to.Raw] += x.NextHop + " "
		}
	}
	for to, want := range map[string]string{"a@x.test": "new:25 ", "c@x.test": "new:25 ", "b@y.test": "other:25 ", "d@gone.test": "hop:25 "} {
		if got[to] != want {
			t.Errorf("%s went to %q, want %q", to, got[to], want)
		}
	}
	if es, err := r.List(t.Context(), Filter{Hop: "Hop:25"}); err != nil || len(es) != 0 {
		t.Errorf("nothing goes the old way, but the list shows %+v, %v", es, err)
	}
	if es, err := r.List(t.Context(), Filter{Hop: "other"}); err != nil || len(es) != 1 || es[0].NextHop != "other:25" {
		t.Errorf("the list shows %+v, %v", es, err)
	}
}

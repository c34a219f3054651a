package msg_test

import (
	"testing"

	"congthu/internal/msg"
)

func TestIdentityOwns(t *testing.T) {
	agency := msg.Identity{Proof: msg.ByNetwork, Agency: "a", Senders: []string{"a.vn", "*.b.vn"}}
	for _, c := range []struct {
		who    msg.Identity
		domain string
		want   bool
	}{
		{agency, "a.vn", true},
		{agency, "x.a.vn", false}, // below only where it is listed
		{agency, "b.vn", false},
		{agency, "x.b.vn", true},
		{agency, "x.y.b.vn", true},
		{agency, ".b.vn", false},
		{agency, "xb.vn", false},
		{agency, "A.vn", false}, // the caller lowers
		{agency, "", false},
		{msg.Identity{Proof: msg.ByPassword, Account: "x"}, "a.vn", false}, // named and nothing listed: nothing is its own
		{msg.Identity{Proof: msg.ByPassword, Account: "x", Senders: []string{""}}, "", false},
		{msg.Identity{Proof: msg.ByNetwork}, "a.vn", true}, // a network of no agency
		{msg.Identity{}, "a.vn", true},
	} {
		if got := c.who.Owns(c.domain); got != c.want {
			t.Errorf("%+v owns %q: %v", c.who, c.domain, got)
		}
	}
}

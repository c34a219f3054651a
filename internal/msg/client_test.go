package msg_test

import (
	"net/netip"
	"testing"

	"congthu/internal/msg"
)

func TestClientNet(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7":        "192.0.2.7/32",
		"::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8::1":      "2001:db8::/64",
		"2001:db8::2:3":    "2001:db8::/64",
		"2001:db8:0:1::":   "2001:db8:0:1::/64",
		"fe80::1%eth0":     "fe80::/64",
	} {
		if got := msg.ClientNet(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if msg.ClientNet(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("the unknown client has a key")
	}
}

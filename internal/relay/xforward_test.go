package relay_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/relay"
)

func itoa(n int) string { return strconv.Itoa(n) }

func hearing(into *[]string) func(string, msg.Path, msg.Reply) {
	return func(hop string, to msg.Path, r msg.Reply) {
		*into = append(*into, hop+" "+to.Raw+" "+itoa(r.Code))
	}
}

func TestXForward(t *testing.T) {
	const all = "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"
	client := func(ip, helo string) *msg.Session {
		return &msg.Session{Remote: netip.MustParseAddrPort(ip), Helo: helo, ESMTP: true}
	}
	for name, c := range map[string]struct {
		ext    string
		client *msg.Session
		off    bool
		want   []string
	}{
		"everything": {all, client("192.0.2.1:4025", "mx.a.test"), false, []string{
			"XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1 PORT=4025 PROTO=ESMTP SOURCE=REMOTE IDENT=T HELO=mx.a.test",
		}},
		"IPv6, HELO": {all, &msg.Session{Remote: netip.MustParseAddrPort("[2001:db8::1]:25"), Helo: "x"}, false, []string{
			"XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=25 PROTO=SMTP SOURCE=REMOTE IDENT=T HELO=x",
		}},
		"only what is named":  {"XFORWARD ADDR helo", client("[::ffff:192.0.2.1]:25", "a"), false, []string{"XFORWARD ADDR=192.0.2.1 HELO=a"}},
		"encoded":             {"XFORWARD HELO", client("192.0.2.1:1", "a b+c=d\r\nDATA\x00ư"), false, []string{"XFORWARD HELO=a+20b+2Bc+3Dd+0D+0ADATA+00+C6+B0"}},
		"too long is nothing": {"XFORWARD HELO", client("192.0.2.1:1", strings.Repeat("x", 256)), false, []string{"XFORWARD HELO=[UNAVAILABLE]"}},
		"nothing known":       {"XFORWARD NAME ADDR PORT", &msg.Session{}, false, []string{"XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]"}},
		"no session":          {all, nil, false, nil},
		"not wanted":          {all, client("192.0.2.1:1", "x"), true, nil},
		"not offered":         {"HELP", client("192.0.2.1:1", "x"), false, nil},
		"offers nothing":      {"XFORWARD", client("192.0.2.1:1", "x"), false, nil},
	} {
		for _, pipelining := range []string{"PIPELINING", "HELP"} {
			for _, reply := range []string{"250 ok", "501 what"} {
				h := &rawHop{ext: []string{pipelining, c.ext}, on: map[string]func(*rawConn) bool{"XFORWARD": says(reply)}}
				x := transfer(h.start(t), letter, "b@to.test")
				x.Client = c.client
				k := relay.New(relay.Options{Hostname: "gw.test", Rule: func(string) relay.Rule { return relay.Rule{XForward: !c.off} }})
				t.Cleanup(func() { _ = k.Close() })
				if got := k.Deliver(t.Context(), x); got[0].Code != 250 || len(h.got()) != 1 {
					t.Errorf("%s: %v", name, got)
				}
				var said []string
				for _, l := range h.heard()[0] {
					if strings.HasPrefix(l, "XFORWARD") {
						said = append(said, l)
					}
				}
				if strings.Join(said, "\n") != strings.Join(c.want, "\n") {
					t.Errorf("%s: said %q", name, said)
				}
			}
		}
	}
}

// However long the facts are, no command is longer than its receiver takes.
func TestXForwardLines(t *testing.T) {
	h := &rawHop{ext: []string{"PIPELINING", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"}}
	x := transfer(h.start(t), letter, "b@to.test")
	x.ID, x.Client = strings.Repeat("i", 250), &msg.Session{Helo: strings.Repeat("h", 250)}
	k := relay.New(relay.Options{Hostname: "gw.test", Rule: func(string) relay.Rule { return relay.Rule{XForward: true} }})
	defer k.Close()
	if got := k.Deliver(t.Context(), x); got[0].Code != 250 {
		t.Errorf("%v", got)
	}
	if n := strings.Count(verbs(h.heard()[0]), "XFORWARD"); n != 2 {
		t.Errorf("%d commands", n)
	}
	for _, l := range h.heard()[0] {
		if len(l) > 510 {
			t.Errorf("%d octets: %q", len(l), l)
		}
	}
}

package smtpd

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func allowXCLIENT(_ *Options, l *Listener) { l.XCLIENT = prefixes("127.0.0.0/8") }
func allowPROXY(_ *Options, l *Listener)   { l.PROXY = prefixes("127.0.0.1/32") }

func onlyAgency(o *Options, _ *Listener) {
	o.Identify = byNetwork("192.0.2.0/24")
}

func TestXCLIENT(t *testing.T) {
	r := start(t, allowXCLIENT, onlyAgency)
	c := r.dial()
	if got := c.cmd("EHLO front.test", "250"); !strings.Contains(got, "XCLIENT NAME ADDR PORT PROTO HELO\r\n") {
		t.Errorf("not offered: %q", got)
	}
	c.cmd("XCLIENT NAME=mx.agency.test ADDR=192.0.2.9 PORT=4711 PROTO=ESMTP HELO=mx.agency.test", "220 gw.gov.test ESMTP")
	c.begin() // HELO was given
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	m := r.inbox.one(t)
	if s := m.Session; s.Remote.String() != "192.0.2.9:4711" || s.Helo != "mx.agency.test" || !s.ESMTP || !s.Outbound {
		t.Errorf("session %+v", s)
	}

	c.cmd("XCLIENT ADDR=IPV6:2001:db8::1", "220")
	c.cmd("MAIL FROM:<a@attack.test>", "503") // as new
	c.cmd("EHLO other.test", "250")
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	c.cmd("XCLIENT ADDR=192.0.2.9", "503")
	c.cmd("RSET", "250")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	if s := r.inbox.all()[1].Session; s.Remote.String() != "[2001:db8::1]:0" || s.Helo != "other.test" || s.Outbound {
		t.Errorf("session %+v", s)
	}

	c.cmd("XCLIENT ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL] PORT=[unavailable] HELO=[UNAVAILABLE]", "220")
	c.cmd("EHLO x", "250")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	if s := r.inbox.all()[2].Session; s.Remote.Addr().IsValid() || s.Outbound {
		t.Errorf("session %+v", s)
	}
}

func TestXCLIENTIsStrict(t *testing.T) {
	for _, arg := range []string{
		"", "ADDR", "ADDR=", "ADDR=1.2.3", "ADDR=2001:db8::1", "ADDR=IPV6:192.0.2.1", "ADDR=IPV6:fe80::1%eth0",
		"ADDR=192.0.2.1 ADDR=192.0.2.2", "ADDR=192.0.2.1,192.0.2.2", "PORT=0", "PORT=65536", "PORT=+2B31", "PORT=007", "PORT=-1",
		"PROTO=SMTPS", "HELO=a+0D+0Ab", "HELO=a+3Cb", "HELO=a+", "HELO=a+4", "HELO=a+zz", "HELO=a=b", "NAME=a\xffb",
		"LOGIN=admin", "DESTADDR=192.0.2.1", "ADDR=192.0.2.1 FOO=bar",
	} {
		c := start(t, allowXCLIENT).dial()
		c.cmd("XCLIENT "+arg, "501 5.5.4")
	}
	x, valid := parseXCLIENT("HELO=mx+2Dold.test PROTO=smtp PORT=25")
	if !valid || x.helo != "mx-old.test" || x.esmtp || x.port != 25 {
		t.Errorf("%+v, %v", x, valid)
	}
}

func TestXCLIENTIsForListedPeersOnly(t *testing.T) {
	r := start(t, func(_ *Options, l *Listener) { l.XCLIENT = prefixes("127.0.0.9/32") })
	c := r.hello()
	c.cmd("XCLIENT ADDR=192.0.2.9", "502")
	c = r.dialFrom("127.0.0.9")
	c.want("220")
	c.cmd("XCLIENT ADDR=192.0.2.9", "220")
	c.cmd("XCLIENT ADDR=192.0.2.10", "220") // the real peer counts, not the announced one
}

// proxyV2 makes a version 2 header.
func proxyV2(command, family byte, payload ...byte) string {
	b := append([]byte(proxyV2Signature), 0x20|command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return string(append(b, payload...))
}

var (
	v2Four = []byte{192, 0, 2, 9, 192, 0, 2, 1, 0x12, 0x67, 0, 25}
	v2Six  = append(append(netip.MustParseAddr("2001:db8::9").AsSlice(), netip.MustParseAddr("2001:db8::1").AsSlice()...), 0x12, 0x67, 0, 25)
)

func TestPROXY(t *testing.T) {
	for name, one := range map[string]struct{ header, remote string }{
		"v1 TCP4":      {"PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\n", "192.0.2.9:4711"},
		"v1 TCP6":      {"PROXY TCP6 2001:db8::9 2001:db8::1 4711 25\r\n", "[2001:db8::9]:4711"},
		"v1 UNKNOWN":   {"PROXY UNKNOWN whatever it says\r\n", "127.0.0.1"},
		"v2 IPv4":      {proxyV2(1, 0x11, v2Four...), "192.0.2.9:4711"},
		"v2 IPv6":      {proxyV2(1, 0x21, v2Six...), "[2001:db8::9]:4711"},
		"v2 extension": {proxyV2(1, 0x11, append(bytes.Clone(v2Four), make([]byte, 500)...)...), "192.0.2.9:4711"},
		"v2 LOCAL":     {proxyV2(0, 0), "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, allowPROXY, onlyAgency)
			c := r.dialFrom("")
			half := len(one.header) / 2
			c.send(one.header[:half])
			time.Sleep(time.Millisecond)
			c.send(one.header[half:])
			c.want("220")
			c.cmd("EHLO x", "250")
			c.begin()
			c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
			s := r.inbox.one(t).Session
			if !strings.HasPrefix(s.Remote.String(), one.remote) || s.Outbound != strings.HasPrefix(one.remote, "192.0.2.") {
				t.Errorf("session %+v", s)
			}
		})
	}
}

func TestPROXYIsRequiredAndStrict(t *testing.T) {
	for name, header := range map[string]string{
		"none":            "EHLO x\r\n",
		"no such family":  "PROXY TCP5 192.0.2.9 192.0.2.1 1 2\r\n",
		"wrong family":    "PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n",
		"missing":         "PROXY TCP4 192.0.2.9 192.0.2.1 1\r\n",
		"two spaces":      "PROXY TCP4  192.0.2.9 192.0.2.1 1 2\r\n",
		"port":            "PROXY TCP4 192.0.2.9 192.0.2.1 65536 2\r\n",
		"leading zero":    "PROXY TCP4 192.0.2.9 192.0.2.1 01 2\r\n",
		"bare LF":         "PROXY TCP4 192.0.2.9 192.0.2.1 1 2\n",
		"long":            "PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n",
		"v2 version 1":    strings.Replace(proxyV2(1, 0x11, v2Four...), "\x21\x11", "\x11\x11", 1),
		"v2 command":      proxyV2(2, 0x11, v2Four...),
		"v2 short":        proxyV2(1, 0x11, v2Four[:11]...),
		"v2 six in four":  proxyV2(1, 0x21, v2Four...),
		"v2 UDP":          proxyV2(1, 0x12, v2Four...),
		"v2 unix":         proxyV2(1, 0x31, make([]byte, 216)...),
		"v2 too long":     proxyV2(1, 0x11, make([]byte, 5000)...),
		"signature again": "\r\n\r\n\x00\r\nQUIT\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, allowPROXY)
			c := r.dialFrom("")
			c.send(header)
			c.halfClose()
			if got, _ := c.r.ReadString('\n'); got != "" {
				t.Errorf("answered %q", got)
			}
			eventually(t, "the event", func() bool { return r.events.count("bad_proxy_header") == 1 })
		})
	}
}

func TestPROXYClientTalksEarly(t *testing.T) {
	c := start(t, allowPROXY).dialFrom("")
	c.send("PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\nEHLO x\r\n")
	c.want("554 5.5.1")
	c.closed()
}

// TestPROXYCountsTheAnnounced: the proxy itself is every client at once.
func TestPROXYCountsTheAnnounced(t *testing.T) {
	r := start(t, allowPROXY, limits(func(l *Limits) { l.PerClient = 2 }))
	from := func(ip string) *client {
		c := r.dialFrom("")
		c.send("PROXY TCP4 " + ip + " 192.0.2.1 4711 25\r\n")
		return c
	}
	from("192.0.2.9").want("220")
	from("192.0.2.9").want("220")
	c := from("192.0.2.9")
	c.want("421 4.7.0")
	c.closed()
	from("192.0.2.10").want("220")
}

func TestPROXYWaitIsBounded(t *testing.T) {
	r := start(t, allowPROXY, limits(func(l *Limits) { l.CommandWait = 50 * time.Millisecond }))
	c := r.dialFrom("")
	c.send("PROXY ")
	c.closed()
}

func TestPROXYFromStrangersIsNoCommand(t *testing.T) {
	r := start(t, func(_ *Options, l *Listener) { l.PROXY = prefixes("127.0.0.9/32") })
	c := r.dial()
	c.cmd("PROXY TCP4 192.0.2.9 192.0.2.1 4711 25", "500")
}

func FuzzParseProxy(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\nx"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(proxyV2(1, 0x11, v2Four...)))
	f.Add([]byte(proxyV2(1, 0x21, v2Six...)))
	f.Add([]byte(proxyV2(0, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := parseProxy(b)
		switch {
		case err == errPartial:
			if len(b) >= proxyMax {
				t.Fatalf("waits for more after %d octets", len(b))
			}
		case err != nil:
			if n < 0 || n > len(b) {
				t.Fatalf("length %d of %d", n, len(b))
			}
		default:
			if n <= 0 || n > len(b) || n > proxyMax {
				t.Fatalf("length %d of %d", n, len(b))
			}
			if h.client.Addr().Is4In6() || h.client.Addr().Zone() != "" {
				t.Fatalf("client %v", h.client)
			}
			// The same header is read whatever follows it, and not before it is whole.
			if again, m, err := parseProxy(append(bytes.Clone(b[:n]), 'x')); again != h || m != n || err != nil {
				t.Fatalf("%v %d %v, then %v %d", again, m, err, h, n)
			}
			if _, _, err := parseProxy(b[:n-1]); err != errPartial {
				t.Fatalf("a cut header gives %v", err)
			}
		}
	})
}

func FuzzParseXCLIENT(f *testing.F) {
	f.Add("NAME=mx.agency.test ADDR=192.0.2.9 PORT=4711 PROTO=ESMTP HELO=mx+2Dold.test")
	f.Add("ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]")
	f.Fuzz(func(t *testing.T, arg string) {
		x, valid := parseXCLIENT(arg)
		if !valid {
			return
		}
		if x.helo != "" && !validHelo(x.helo) {
			t.Fatalf("HELO %q", x.helo)
		}
		if x.addr.IsValid() && (x.addr.Zone() != "" || x.addr.Is4In6()) {
			t.Fatalf("ADDR %v", x.addr)
		}
	})
}

package smtpd

import (
	"net/netip"
	"strings"

	"congthu/internal/msg"
)

var (
	replyXCLIENTSyntax = msg.Reply{Code: 501, Detail: "5.4", Text: "Bad XCLIENT attribute"}
	replyInMail        = msg.Reply{Code: 503, Detail: "5.1", Text: "A message is already begun"}
)

// What stands for a value that the front does not know.
const (
	unavailable = "[UNAVAILABLE]"
	tempUnavail = "[TEMPUNAVAIL]"
)

func (s *session) mayXCLIENT() bool { return contains(s.on.cfg.XCLIENT, s.peer.Addr()) }

// xclient lets a listed front say for whom it speaks, with the attributes and the
// manners that Postfix gave the command: the session is as new and is greeted
// again with 220. One bad attribute and nothing changes.
func (s *session) xclient(arg string) answer {
	switch {
	case !s.mayXCLIENT():
		return wrong(replyNotOffered)
	case s.tx != nil:
		return wrong(replyInMail)
	}
	x, valid := parseXCLIENT(arg)
	if !valid {
		return wrong(replyXCLIENTSyntax)
	}
	s.resetAll()
	x.apply(&s.who)
	s.greeted = x.helo != ""
	s.shown = nil // the certificate is the front's
	s.identify()
	s.event(evXCLIENT)
	return answer{Reply: s.greeting()}
}

// xclientArgs is one XCLIENT command. A zero field was not given.
type xclientArgs struct {
	addr    netip.Addr // valid or, when hasAddr, unknown
	hasAddr bool
	port    uint16
	hasPort bool
	helo    string
	esmtp   bool
}

func (x xclientArgs) apply(who *msg.Session) {
	if x.hasAddr { // the old port was another client's
		who.Remote = netip.AddrPortFrom(x.addr, 0)
	}
	if x.hasPort {
		who.Remote = netip.AddrPortFrom(who.Remote.Addr(), x.port)
	}
	who.Helo, who.ESMTP = x.helo, x.esmtp
}

// parseXCLIENT reads "NAME=value ..." with every name at most once.
func parseXCLIENT(arg string) (xclientArgs, bool) {
	var x xclientArgs
	seen := map[string]bool{}
	attributes := words(arg)
	for _, one := range attributes {
		name, value, has := strings.Cut(one, "=")
		name = strings.ToUpper(name)
		value, valid := decodeXtext(value)
		if !has || !valid || value == "" || seen[name] || !x.set(name, value) {
			return xclientArgs{}, false
		}
		seen[name] = true
	}
	return x, len(attributes) > 0
}

func (x *xclientArgs) set(name, value string) bool {
	unknown := strings.EqualFold(value, unavailable)
	switch name {
	case "NAME": // checked, then forgotten: names are looked up where they matter
		return unknown || strings.EqualFold(value, tempUnavail) || validHelo(value)
	case "ADDR":
		x.hasAddr = true
		return unknown || x.setAddr(value)
	case "PORT":
		x.hasPort = true
		return unknown || x.setPort(value)
	case "PROTO":
		x.esmtp = strings.EqualFold(value, "ESMTP")
		return x.esmtp || strings.EqualFold(value, "SMTP")
	case "HELO":
		if unknown {
			return true
		}
		x.helo = value
		return validHelo(value)
	}
	return false
}

// setAddr takes an IPv4 address, or an IPv6 address behind "IPV6:".
func (x *xclientArgs) setAddr(value string) bool {
	six := len(value) > 5 && strings.EqualFold(value[:5], "IPV6:")
	if six {
		value = value[5:]
	}
	a, err := netip.ParseAddr(value)
	if err != nil || a.Is4() == six || a.Zone() != "" {
		return false
	}
	x.addr = a.Unmap()
	return true
}

func (x *xclientArgs) setPort(value string) bool {
	p, err := parsePort(value)
	x.port = p
	return err == nil && p != 0
}

// decodeXtext reads the encoding of RFC 3461 section 4. What it hides may not be
// a control character.
func decodeXtext(s string) (string, bool) {
	if !strings.Contains(s, "+") {
		return s, isASCII(s) && !strings.Contains(s, "=")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", false
			}
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c, i = byte(high<<4|low), i+2
		} else if c == '=' {
			return "", false
		}
		if c <= ' ' || c > '~' {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// hexDigit reads an upper-case hexadecimal digit; -1 for anything else.
func hexDigit(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }

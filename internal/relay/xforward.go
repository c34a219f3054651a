package relay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// maxXForward is the longest XFORWARD command line that is sent, CRLF not counted.
const maxXForward = 510

// xforward returns the commands that tell the next hop who the client was: its log and
// its rules then speak of the client and not of us. The extension is Postfix's; its
// receiver believes only those that it lists (smtpd_authorized_xforward_hosts). Only what
// the next hop names in its EHLO reply is sent.
//
// A letter from the queue has no session any more: the next hop sees us then, and the
// Received field on top of the letter says the rest.
func (k *conn) xforward(t *task) []string {
	if !t.rule.XForward || t.Client == nil {
		return nil
	}
	offered := strings.Fields(strings.ToUpper(k.ext["XFORWARD"]))
	var lines []string
	line := ""
	for _, a := range attributes(t) {
		name, _, _ := strings.Cut(a, "=")
		if !slices.Contains(offered, name) {
			continue
		}
		if line != "" && len("XFORWARD")+len(line)+1+len(a) > maxXForward {
			lines, line = append(lines, "XFORWARD"+line), ""
		}
		line += " " + a
	}
	if line != "" {
		lines = append(lines, "XFORWARD"+line)
	}
	return lines
}

// attributes are the facts in the order of the longest last. No name is looked up for the
// client, so NAME says that there is none. SOURCE is always REMOTE: LOCAL would invite the
// next hop to rewrite the letter as one of its own.
func attributes(t *task) []string {
	s := t.Client
	proto := "SMTP"
	if s.ESMTP {
		proto = "ESMTP"
	}
	return []string{
		"NAME=" + unavailable, "ADDR=" + address(s), "PORT=" + port(s), "PROTO=" + proto, "SOURCE=REMOTE",
		"IDENT=" + value(t.ID), "HELO=" + value(s.Helo),
	}
}

const unavailable = "[UNAVAILABLE]"

func address(s *msg.Session) string {
	switch a := s.Remote.Addr().Unmap().WithZone(""); {
	case !a.IsValid():
		return unavailable
	case a.Is6():
		return "IPV6:" + a.String()
	default:
		return a.String()
	}
}

func port(s *msg.Session) string {
	if s.Remote.Port() == 0 {
		return unavailable
	}
	return strconv.Itoa(int(s.Remote.Port()))
}

// value encodes a text from outside (xtext, RFC 3461 section 4); one that is too long for
// a command is left out.
func value(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '+' && c != '=' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "+%02X", c)
		}
	}
	if b.Len() == 0 || b.Len() > 255 {
		return unavailable
	}
	return b.String()
}

package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"strings"

	"congthu/internal/agency"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/msg"
)

// agencies makes the book of those that may relay outward.
func agencies(c *config.Config) (*agency.Book, error) {
	var all []agency.Agency
	for _, a := range c.Agency {
		one := agency.Agency{Name: a.Name, Domains: a.Domains, Networks: a.Networks, Limits: agencyLimits(c.Relay, a)}
		for _, s := range a.Certificates {
			p, err := agency.ParsePrint(s)
			if err != nil {
				return nil, fail(exitConfig, "cơ quan %s: %v", "agency %s: %v", a.Name, err)
			}
			one.Prints = append(one.Prints, p)
		}
		for _, n := range a.CANames {
			one.Names = append(one.Names, strings.ToLower(n))
		}
		if a.CA != "" {
			var err error
			if one.CA, err = agency.ReadCA(a.CA); err != nil {
				return nil, fail(exitConfig, "cơ quan %s: không đọc được ca: %v", "agency %s: cannot read ca: %v", a.Name, err)
			}
		}
		all = append(all, one)
	}
	return agency.New(all, c.Relay.Networks), nil
}

// agencyLimits are the agency's own, or those of [relay] where it has none.
func agencyLimits(r config.Relay, a config.Agency) agency.Limits {
	return agency.Limits{Hour: cmp.Or(a.RecipientsHour, r.RecipientsHour), Day: cmp.Or(a.RecipientsDay, r.RecipientsDay)}
}

// askForCertificates has TLS ask clients for a certificate when some agency is known by
// one. Which are good is the book's to say, so that a stranger's wrong one costs it
// nothing but the right to relay.
func askForCertificates(t *tls.Config, b *agency.Book) *tls.Config {
	if t != nil && b.WantsCertificates() {
		t.ClientAuth = tls.RequestClientCert
	}
	return t
}

// checkMail answers MAIL: there is room, and the sender belongs to whoever sends. The
// null sender (RFC 5321 section 4.5.5) is for notices and belongs to everybody; what
// their From says is looked at later.
func (g *gateway) checkMail(ctx context.Context, s *msg.Session, from msg.Path) msg.Reply {
	if r := g.disk.check(ctx); r != (msg.Reply{}) {
		return r
	}
	if !from.IsNull() && !s.Identity.Owns(from.Domain) {
		g.log.Info("sender is not the agency's", "client", s.Remote.Addr(), "agency", s.Identity.Agency, "account", s.Identity.Account, "from", lang.Safe(from.Raw, 320))
		return msg.Reply{Code: 550, Detail: "7.1", Text: "Nguoi gui khong thuoc co quan nay / The sender address does not belong to this agency"}
	}
	return msg.Reply{}
}

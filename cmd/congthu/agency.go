package main

import (
	"cmp"
	"crypto/tls"
	"strings"

	"congthu/internal/agency"
	"congthu/internal/config"
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

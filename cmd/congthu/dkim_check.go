package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"congthu/internal/dns"
	"congthu/internal/lang"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/signing"
)

type dkimCheckCmd struct {
	Domain    string   `arg:""`
	Selectors []string `arg:"" optional:"" name:"selector"`
}

// Run looks the records up and compares. Exit 65 when one is absent or another, 75 when
// the DNS does not answer.
func (c *dkimCheckCmd) Run(a *app) error {
	_, keys, err := a.chosenKeys(c.Domain, c.Selectors)
	if err != nil {
		return err
	}
	return a.compare(keys)
}

type dkimActivateCmd struct {
	Domain    string   `arg:""`
	Selectors []string `arg:"" optional:"" name:"selector" help:"Default: all inactive ones / mặc định: mọi khoá chưa kích hoạt."`
	Force     bool     `help:"Without looking into the DNS / không tra DNS."`
}

// Run lets the keys sign. A key that receivers cannot find makes every signature a bad
// one, so the DNS is asked first.
func (c *dkimActivateCmd) Run(a *app) error {
	s, keys, err := a.chosenKeys(c.Domain, c.Selectors)
	if err != nil {
		return err
	}
	if len(c.Selectors) == 0 {
		keys = slices.DeleteFunc(keys, func(k signing.Info) bool { return k.State != signing.Inactive })
	}
	if !c.Force {
		if err := a.compare(keys); err != nil {
			return err
		}
	}
	for _, k := range keys {
		if _, err := s.Activate(k.Domain, k.Selector); err != nil {
			return keyError(err)
		}
	}
	if a.json && !c.Force {
		return nil // compare has printed the one document
	}
	return a.done(len(keys), lang.T("từ bây giờ %d khoá được dùng để ký", "keys that sign from now on: %d"))
}

// What the DNS says about a key.
const (
	recordFound   = "found"
	recordAbsent  = "absent"
	recordDiffers = "differs"
	recordUnknown = "unknown" // the DNS did not answer
)

type comparison struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	Name     string `json:"name"`
	DNS      string `json:"dns"`
	Why      string `json:"why,omitempty"`
}

// compare prints what the DNS says about each key; the error is the worst of it.
func (a *app) compare(keys []signing.Info) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	r, err := dns.New(dns.Options{Servers: c.DNS.Servers, Timeout: c.DNS.Timeout.Std()})
	if err != nil {
		return fail(exitConfig, "DNS: %v", "DNS: %v", err)
	}
	list := []comparison{}
	for _, k := range keys {
		list = append(list, published(a.ctx, r, k))
	}
	if a.json {
		err = a.printJSON(list)
	} else {
		err = a.comparisons(list)
	}
	return errors.Join(err, worst(list))
}

// published asks the DNS for the record of a key.
func published(ctx context.Context, r dkim.Resolver, k signing.Info) comparison {
	c := comparison{Domain: k.Domain, Selector: k.Selector, Name: k.Name, DNS: recordFound}
	if k.State == signing.Broken {
		c.DNS, c.Why = recordDiffers, k.Why
		return c
	}
	txts, err := r.LookupTXT(ctx, k.Name)
	var de *net.DNSError
	switch {
	case errors.As(err, &de) && de.IsNotFound, err == nil && len(txts) == 0:
		c.DNS = recordAbsent
	case err != nil:
		c.DNS, c.Why = recordUnknown, err.Error()
	case len(txts) > 1: // RFC 6376 section 3.6.2.2: which one is taken is undefined
		c.DNS, c.Why = recordDiffers, fmt.Sprintf("%d TXT records", len(txts))
	default:
		if err := dkim.Matches(txts[0], k.Public); err != nil {
			c.DNS, c.Why = recordDiffers, err.Error()
		}
	}
	return c
}

func (a *app) comparisons(list []comparison) error {
	words := map[string]lang.Text{
		recordFound:   lang.T("khớp", "matches"),
		recordAbsent:  lang.T("chưa có trong DNS", "not in the DNS"),
		recordDiffers: lang.T("không khớp", "does not match"),
		recordUnknown: lang.T("DNS không trả lời", "the DNS does not answer"),
	}
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{c.Name, words[c.DNS].In(a.lang), c.Why})
	}
	return a.table([]string{"TXT", "DNS", ""}, rows)
}

func worst(list []comparison) error {
	code := 0
	for _, c := range list {
		switch {
		case c.DNS == recordUnknown && code == 0:
			code = exitTempFail
		case c.DNS == recordAbsent || c.DNS == recordDiffers:
			code = exitData
		}
	}
	if code == 0 {
		return nil
	}
	return &failure{code, lang.T("có bản ghi DKIM chưa dùng được", "not every DKIM record can be used")}
}

// checkSigning complains of the keys that keep their domain's mail from leaving.
func checkSigning(s *signing.Store) error {
	keys, err := s.List()
	if err != nil {
		return keyError(err)
	}
	for _, k := range keys {
		if k.State == signing.Broken && !k.Activated.IsZero() {
			return fail(exitConfig, "khoá DKIM %s của %s không đọc được, thư của tên miền này không đi được: %s", "the DKIM key %s of %s cannot be read, and mail of this domain cannot leave: %s", k.Selector, k.Domain, k.Why)
		}
	}
	return nil
}

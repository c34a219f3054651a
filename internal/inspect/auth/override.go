package auth

import (
	"errors"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/tomlfile"
)

// Override is one entry of rules/lists/dmarc-overrides.toml: what the administrator
// wants done with messages of a domain that fail DMARC, in place of what its owner
// asks for (RFC 9989 section 5.4: the receiver has the last word). Every condition
// that an entry names must hold.
type Override struct {
	Domain  string         `toml:"domain"`  // the author's; "*.example.vn": every name below
	Network []netip.Prefix `toml:"network"` // where the client is; none: anywhere
	Signer  string         `toml:"signer"`  // d= of a signature that verifies, such as a mailing list's
	Policy  string         `toml:"policy"`  // none, quarantine, reject
	Reason  string         `toml:"reason"`  // one sentence, shown to reviewers
}

// override finds the first entry for a message that did not pass. An open question
// is no failure: an entry may then only let the message go on. Where From names several
// domains an entry for one must not let another be forged beside it.
func (o Options) override(m *msg.Message, e Evidence) *Override {
	if e.Unclear || e.Author.Status != dmarc.Fail && e.Author.Status != dmarc.TempError {
		return nil
	}
	for i := range o.Overrides {
		x := &o.Overrides[i]
		if !x.covers(m.Session.Remote.Addr(), e) {
			continue
		}
		if e.Author.Status == dmarc.TempError && x.Policy != dmarc.PolicyNone {
			return nil
		}
		return x
	}
	return nil
}

func (x *Override) covers(client netip.Addr, e Evidence) bool {
	if !under(x.Domain, e.Author.Domain) {
		return false
	}
	in := func(p netip.Prefix) bool { return p.Contains(client.Unmap()) }
	if len(x.Network) > 0 && !slices.ContainsFunc(x.Network, in) {
		return false
	}
	by := func(s dkim.Signature) bool { return s.Status == dkim.Pass && s.Domain == x.Signer }
	return x.Signer == "" || slices.ContainsFunc(e.Signatures, by)
}

// under tells whether a pattern names the domain.
func under(pattern, domain string) bool {
	if below, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(domain, below)
	}
	return pattern == domain
}

var overrideDomain = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// LoadOverrides reads the list. A rules directory without the file has no overrides.
// The error is tomlfile.Problems.
func LoadOverrides(name string) ([]Override, error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var f struct {
		Override []Override `toml:"override"`
	}
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		return nil, err
	}
	var ps tomlfile.Problems
	for i := range f.Override {
		o := &f.Override[i]
		o.Domain, o.Signer = strings.ToLower(o.Domain), strings.ToLower(o.Signer)
		ps = append(ps, o.check(file, i)...)
	}
	return f.Override, ps.Err()
}

func (x *Override) check(file *tomlfile.File, i int) tomlfile.Problems {
	var ps tomlfile.Problems
	complain := func(key string, what, hint lang.Text) {
		ps = append(ps, file.At(what, hint, "override", i, key))
	}
	if !overrideDomain.MatchString(x.Domain) {
		complain("domain", lang.T("'"+x.Domain+"' không phải tên miền", "'"+x.Domain+"' is not a domain name"), lang.T("viết như tinh.gov.vn hoặc *.tinh.gov.vn", "write tinh.gov.vn or *.tinh.gov.vn"))
	}
	if x.Signer != "" && (!overrideDomain.MatchString(x.Signer) || x.Signer[0] == '*') {
		complain("signer", lang.T("'"+x.Signer+"' không phải tên miền", "'"+x.Signer+"' is not a domain name"), lang.T("ghi tên miền d= của chữ ký DKIM", "write the d= domain of the DKIM signature"))
	}
	if !slices.Contains([]string{dmarc.PolicyNone, dmarc.PolicyQuarantine, dmarc.PolicyReject}, x.Policy) {
		complain("policy", lang.T("không có chính sách '"+x.Policy+"'", "there is no policy '"+x.Policy+"'"), lang.T("dùng none, quarantine hoặc reject", "use none, quarantine or reject"))
	}
	if strings.TrimSpace(x.Reason) == "" {
		complain("reason", lang.T("mục này chưa có reason", "this entry has no reason"), lang.T("ghi một câu vì sao, cho người duyệt thư", "write one sentence why, for the reviewer"))
	}
	return ps
}

package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"congthu/internal/lang"
	"congthu/internal/signing"
)

type keysDKIMCmd struct {
	New      dkimNewCmd      `cmd:"" help:"Make keys, print their DNS records / tạo khoá, in bản ghi DNS."`
	List     dkimListCmd     `cmd:"" help:"List keys / liệt kê khoá."`
	Show     dkimShowCmd     `cmd:"" help:"Print the DNS records / in bản ghi DNS."`
	Check    dkimCheckCmd    `cmd:"" help:"Compare with the DNS / đối chiếu với DNS."`
	Activate dkimActivateCmd `cmd:"" help:"Let keys sign, once their records are in the DNS / cho khoá bắt đầu ký."`
	Delete   dkimDeleteCmd   `cmd:"" help:"Delete a key / xoá khoá."`
}

// The commands work on the key files; a running gateway sees the change with the next
// message.

type dkimNewCmd struct {
	Domain    string `arg:"" help:"The agency's domain / tên miền của cơ quan."`
	Selector  string `help:"Selector (default: cg and the date) / selector." placeholder:"NAME"`
	Algorithm string `help:"rsa, ed25519 or both / thuật toán." enum:"rsa,ed25519,both" default:"both"`
}

// Run makes inactive keys and says what to publish.
func (c *dkimNewCmd) Run(a *app) error {
	s, err := a.signingKeys()
	if err != nil {
		return err
	}
	domain := aLabels(c.Domain)
	var made []signing.Info
	for _, n := range c.wanted(time.Now()) {
		k, err := s.New(domain, n.selector, n.algorithm)
		if err != nil {
			for _, m := range made {
				_ = s.Delete(domain, m.Selector, false) // all or none; the first error is the one to tell
			}
			return keyError(err)
		}
		made = append(made, k)
	}
	if a.json {
		return a.printJSON(made)
	}
	a.records(made)
	a.say(lang.T("\nĐưa các bản ghi trên vào DNS, rồi chạy: congthu keys dkim activate %s", "\nPut these records into the DNS, then run: congthu keys dkim activate %s"), domain)
	return nil
}

type newKey struct{ selector, algorithm string }

// wanted names the keys to make. A selector publishes one key, so a pair needs two.
func (c *dkimNewCmd) wanted(now time.Time) []newKey {
	base := strings.ToLower(c.Selector)
	if base == "" {
		base = "cg" + now.Format("20060102")
	}
	switch {
	case c.Algorithm == "both":
		return []newKey{{base + "-rsa", signing.RSA}, {base + "-ed25519", signing.Ed25519}}
	case c.Selector == "":
		base += "-" + c.Algorithm
	}
	return []newKey{{base, c.Algorithm}}
}

type dkimListCmd struct{}

// Run lists all keys and what each is doing.
func (dkimListCmd) Run(a *app) error {
	s, err := a.signingKeys()
	if err != nil {
		return err
	}
	keys, err := s.List()
	if err != nil {
		return keyError(err)
	}
	if a.json {
		if keys == nil {
			keys = []signing.Info{}
		}
		return a.printJSON(keys)
	}
	head := strings.Split(lang.T("TÊN MIỀN|SELECTOR|THUẬT TOÁN|TẠO NGÀY|KÝ TỪ|TRẠNG THÁI", "DOMAIN|SELECTOR|ALGORITHM|CREATED|SIGNS SINCE|STATE").In(a.lang), "|")
	var rows [][]string
	for _, k := range keys {
		rows = append(rows, []string{k.Domain, k.Selector, k.Algorithm, date(k.Created), date(k.Activated), a.keyState(k)})
	}
	return a.table(head, rows)
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

// keyState is what the key is doing, in a few words.
func (a *app) keyState(k signing.Info) string {
	switch k.State {
	case signing.Signing:
		return a.word("đang ký", "signing")
	case signing.Retired:
		return a.word("đã thay; giữ bản ghi DNS thêm vài tuần", "replaced; keep its DNS record for some weeks")
	case signing.Broken:
		return a.word("HỎNG: ", "BROKEN: ") + k.Why
	}
	return a.word("chưa kích hoạt", "inactive")
}

type dkimShowCmd struct {
	Domain    string   `arg:""`
	Selectors []string `arg:"" optional:"" name:"selector"`
}

// Run prints the records that publish the keys.
func (c *dkimShowCmd) Run(a *app) error {
	_, keys, err := a.chosenKeys(c.Domain, c.Selectors)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(keys)
	}
	a.records(keys)
	return nil
}

// records prints what goes into the zone; the rest is comment, so all of it may.
func (a *app) records(keys []signing.Info) {
	for _, k := range keys {
		fmt.Fprintf(a.stdout, "; %s %s: %s\n", k.Selector, k.Algorithm, a.keyState(k))
		if k.Zone != "" {
			fmt.Fprintln(a.stdout, k.Zone)
		}
	}
}

type dkimDeleteCmd struct {
	Domain   string `arg:""`
	Selector string `arg:""`
	Force    bool   `help:"Even the key that signs / cả khoá đang ký."`
}

// Run deletes one key.
func (c *dkimDeleteCmd) Run(a *app) error {
	s, err := a.signingKeys()
	if err != nil {
		return err
	}
	if err := s.Delete(aLabels(c.Domain), c.Selector, c.Force); err != nil {
		return keyError(err)
	}
	return a.oneDone(lang.T("đã xoá khoá; nay có thể xoá bản ghi DNS", "the key is deleted; its DNS record may go as well"))
}

func (a *app) signingKeys() (*signing.Store, error) {
	c, err := a.settings()
	if err != nil {
		return nil, err
	}
	return signing.Open(c.DKIM.Keys), nil
}

// chosenKeys are the keys of the domain with these selectors; without any, all of them.
func (a *app) chosenKeys(domain string, selectors []string) (*signing.Store, []signing.Info, error) {
	s, err := a.signingKeys()
	if err != nil {
		return nil, nil, err
	}
	domain = aLabels(domain)
	var keys []signing.Info
	if len(selectors) == 0 {
		keys, err = s.Of(domain)
	}
	for _, sel := range selectors {
		k, err := s.Show(domain, sel)
		if err != nil {
			return nil, nil, keyError(err)
		}
		keys = append(keys, k)
	}
	if err != nil {
		return nil, nil, keyError(err)
	}
	if len(keys) == 0 {
		return nil, nil, fail(exitData, "chưa có khoá DKIM của %s; tạo bằng: congthu keys dkim new %s", "there is no DKIM key of %s; make one with: congthu keys dkim new %s", lang.Safe(domain, 100), lang.Safe(domain, 100))
	}
	return s, keys, nil
}

// aLabels is the domain as it stands in the DNS; what has no such form is refused later.
func aLabels(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

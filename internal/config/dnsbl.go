package config

import (
	"regexp"
	"strings"
	"time"

	"congthu/internal/lang"
)

// resultForm is an answer of a list: an address or net of 127/8, or a bit of its last octet.
var resultForm = regexp.MustCompile(`^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}(/([89]|[12]\d|3[0-2]))?|&(1|2|4|8|16|32|64|128))$`)

// dnsblKinds are what a list may be about.
func dnsblKinds() []string { return []string{"ip", "domain", "url", "address", "welcome"} }

func (k *checker) dnsbl(lists []DNSBL) {
	for i, l := range lists {
		if !domainForm.MatchString(strings.ToLower(l.Zone)) || !strings.Contains(l.Zone, ".") || strings.Contains(l.Zone, "*") {
			k.complain(lang.T("zone '"+l.Zone+"' không phải tên miền của một danh sách", "zone '"+l.Zone+"' is not the domain of a list"),
				lang.T("viết như bl.danh-sach.example", "write bl.list.example"), "dnsbl", i, "zone")
		}
		k.choice(l.Kind, dnsblKinds(), "dnsbl", i, "kind")
		for answer, percent := range l.Results {
			if !resultForm.MatchString(answer) {
				k.complain(lang.T("'"+answer+"' không phải câu trả lời của danh sách", "'"+answer+"' is not an answer of a list"),
					lang.T(`viết "127.0.0.2", "127.0.0.0/29" hoặc bit của số cuối "&8"`, `write "127.0.0.2", "127.0.0.0/29" or a bit of the last octet "&8"`), "dnsbl", i, "results")
			}
			if percent < 0 || percent > 100 {
				k.complain(lang.T("phần trăm phải từ 0 đến 100", "percents are from 0 to 100"), lang.T("100: tính đủ trọng số; 0: bỏ qua", "100: the whole weight; 0: not counted"), "dnsbl", i, "results")
			}
		}
	}
}

// greylist: a sender waits at most some hours before it gives up, and whoever waits longer
// is told that the letter is late.
func (k *checker) greylist(g Greylist) {
	if g.On && (g.Delay.Std() < 10*time.Second || g.Delay.Std() > 12*time.Hour) {
		k.complain(lang.T("greylist.delay phải từ 10s đến 12h", "greylist.delay must be from 10s to 12h"), lang.T("5m là hợp lý", "5m is sensible"), "greylist", "delay")
	}
	if g.On && g.From >= g.Below {
		k.complain(lang.T("greylist.from phải nhỏ hơn below", "greylist.from must be below greylist.below"), lang.T("ví dụ from = 3.0, below = 6.0", "for example from = 3.0, below = 6.0"), "greylist", "from")
	}
}

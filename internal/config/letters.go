package config

import (
	"strings"
	"time"

	"congthu/internal/lang"
)

// letters checks what has to do with letters that the gateway writes and takes itself.
func (k *checker) letters(c *Config) {
	d := c.Digest
	if d.At != "" {
		if _, err := time.Parse("15:04", d.At); err != nil {
			k.complain(lang.T("'"+d.At+"' không phải giờ trong ngày", "'"+d.At+"' is not a time of day"), lang.T(`viết như "07:00"; trống là không gửi`, `write it like "07:00"; empty sends none`), "digest", "at")
		}
	}
	if d.Entries < 1 || d.Entries > 500 {
		k.complain(lang.T("digest.entries phải từ 1 đến 500", "digest.entries must be from 1 to 500"), lang.T("50 là hợp lý", "50 is sensible"), "digest", "entries")
	}
	if d.Life.Std() < 24*time.Hour || d.Life.Std() > 90*24*time.Hour {
		k.complain(lang.T("digest.life phải từ 24h đến 2160h", "digest.life must be from 24h to 2160h"), lang.T("336h là hợp lý", "336h is sensible"), "digest", "life")
	}
	for i, class := range d.Release {
		k.choice(class, ReleaseClasses(), "digest", "release", i)
	}
	seen := map[string]bool{}
	for i, m := range d.Mailbox {
		for j, name := range m.Domains {
			k.domain(name, seen, "digest", "mailbox", i, "domains", j)
		}
		if m.To != "none" && m.To != "recipient" {
			k.mailbox(m.To, "digest", "mailbox", i, "to")
		}
	}
	if c.Notice.PerHour < 1 {
		k.complain(lang.T("notice.per_hour phải lớn hơn 0", "notice.per_hour must be above 0"), lang.T("6 là hợp lý", "6 is sensible"), "notice", "per_hour")
	}
	if c.Reported.PerDay < 1 {
		k.complain(lang.T("report_address.per_day phải lớn hơn 0", "report_address.per_day must be above 0"), lang.T("20 là hợp lý", "20 is sensible"), "report_address", "per_day")
	}
	k.ours(c)
}

// ReleaseClasses are the classes of held letters that Digest.Release may name. Malware is not
// among them, and no setting can put it there.
func ReleaseClasses() []string {
	return []string{"spam", "phishing", "authentication", "type", "unscannable", "encryption", "other"}
}

// ours checks the addresses that the gateway takes mail for itself: each does one thing.
func (k *checker) ours(c *Config) {
	seen := map[string]bool{}
	for _, a := range c.Report.Receive {
		seen[strings.ToLower(a)] = true
	}
	check := func(a string, key ...any) {
		k.mailbox(a, key...)
		k.once(seen, strings.ToLower(a), lang.T("địa chỉ '"+a+"' được dùng cho hai việc", "the address '"+a+"' is used for two things"), key...)
	}
	if c.Digest.Address != "" {
		check(c.Digest.Address, "digest", "address")
	}
	for i, a := range c.Reported.Spam {
		check(a, "report_address", "spam", i)
	}
	for i, a := range c.Reported.Ham {
		check(a, "report_address", "ham", i)
	}
	if c.Digest.Address == "" && len(c.Reported.Spam)+len(c.Reported.Ham) > 0 {
		k.complain(lang.T("có địa chỉ nhận báo cáo nhưng cổng chưa có địa chỉ để trả lời", "there are report addresses, and the gateway has no address to answer from"), lang.T("đặt [digest] address", "set [digest] address"), "report_address")
	}
}

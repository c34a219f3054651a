package config

import (
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

var errDuration = errors.New(`a duration is written like "30s", "5m" or "120h"`)

var domainForm = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

type checker struct {
	file     *tomlfile.File
	problems tomlfile.Problems
}

func check(file *tomlfile.File, c *Config) error {
	k := &checker{file: file}
	k.hostname(c.Hostname)
	k.listeners(c.Listen, c.TLS.Cert != "")
	k.agencies(c.Agency)
	k.routes(c.Route)
	k.limits(c.Limits)
	k.queue(c.Queue)
	k.quarantine(c.Quarantine)
	k.files(c)
	k.admin(c.Admin)
	k.audit(c.Audit.Keep.Std())
	k.relay(c.Relay)
	for i, name := range c.Inspect.Skip {
		k.choice(name, Inspectors(), "inspect", "skip", i)
	}
	k.dnsbl(c.DNSBL)
	k.greylist(c.Greylist)
	k.clamav(c.ClamAV)
	k.choice(c.Log.Level, []string{"debug", "info", "warn", "error"}, "log", "level")
	k.store(c.Store.URL)
	k.lease(c.Queue.Lease.Std())
	k.report(c.Report)
	k.letters(c)
	k.rules(c.Record, c.Rules)
	k.learning(c.Learning)
	if c.Metrics.Address != "" {
		k.address(c.Metrics.Address, "metrics", "address")
	}
	for i, s := range c.DNS.Servers {
		if !strings.Contains(s, ":") {
			s += ":53"
		}
		k.address(s, "dns", "servers", i)
	}
	return k.problems.Err()
}

func (k *checker) complain(what, hint lang.Text, key ...any) {
	k.problems = append(k.problems, k.file.At(what, hint, key...))
}

// mailboxForm is an address that needs no quoting.
var mailboxForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@(" + `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]+$`)

func (k *checker) report(r Report) {
	if r.DMARC && r.From == "" {
		k.complain(lang.T("gửi báo cáo DMARC nhưng chưa có from", "DMARC reports are sent but from is empty"), lang.T("ghi địa chỉ gửi, hoặc dmarc = false", "write the address that sends them, or dmarc = false"), "report", "dmarc")
	}
	if r.From != "" {
		k.mailbox(r.From, "report", "from")
	}
	for i, a := range r.Receive {
		k.mailbox(a, "report", "receive", i)
	}
}

// learning: one reporter must not be able to teach all that all may.
func (k *checker) learning(l Learning) {
	if l.PerReporter < 1 || l.PerReporter > l.PerDay {
		k.complain(lang.T("learning.per_reporter phải từ 1 đến learning.per_day", "learning.per_reporter must be from 1 to learning.per_day"), lang.T("50 là hợp lý; nạp nhiều thư một lần thì dùng congthu learn --bulk", "50 is sensible; to import many letters use congthu learn --bulk"), "learning", "per_reporter")
	}
	if l.Keep < l.PerDay || l.Keep > 1_000_000 {
		k.complain(lang.T("learning.keep phải từ learning.per_day đến 1000000", "learning.keep must be from learning.per_day to 1000000"), lang.T("20000 là hợp lý, mỗi bài học khoảng 6 KB", "20000 is sensible, a lesson takes about 6 KB"), "learning", "keep")
	}
}

func (k *checker) rules(rec Record, r Rules) {
	if rec.Keep > 0 && rec.Letters < 1 {
		k.complain(lang.T("record.letters phải lớn hơn 0", "record.letters must be above 0"), lang.T(`không muốn ghi gì thì đặt keep = "0s"`, `write keep = "0s" to record nothing`), "record", "letters")
	}
	if r.History < 2 || r.History > 1000 {
		k.complain(lang.T("rules.history phải từ 2 đến 1000", "rules.history must be from 2 to 1000"), lang.T("cần ít nhất bộ đang dùng và bộ trước đó", "at least the set in use and the one before it are needed"), "rules", "history")
	}
	if r.MaxRise <= 0 || r.MaxRise > 100 {
		k.complain(lang.T("rules.max_rise là số phần trăm, trên 0 đến 100", "rules.max_rise is a percentage, above 0 up to 100"), lang.T("5 là hợp lý", "5 is sensible"), "rules", "max_rise")
	}
	if r.MinLetters < 20 {
		k.complain(lang.T("rules.min_letters phải từ 20 trở lên", "rules.min_letters must be 20 or more"), lang.T("ít thư quá thì một đợt ngẫu nhiên cũng giống như quy tắc hỏng", "with fewer letters chance looks like a broken rule"), "rules", "min_letters")
	}
	if r.CanaryWatch <= 0 {
		k.complain(lang.T("rules.canary_watch phải lớn hơn 0", "rules.canary_watch must be above 0"), lang.T("30m là hợp lý", "30m is sensible"), "rules", "canary_watch")
	}
}

// clamav: letters go to it in the clear, so it must be on this machine.
func (k *checker) clamav(c ClamAV) {
	if c.Address == "" {
		return
	}
	if c.MaxSize < 1 || c.Timeout <= 0 {
		k.complain(lang.T("clamav.timeout và clamav.max_size phải lớn hơn 0", "clamav.timeout and clamav.max_size must be above 0"),
			lang.T(`muốn tắt thì ghi address = ""`, `write address = "" to switch it off`), "clamav")
	}
	host, port, err := net.SplitHostPort(c.Address)
	ip := net.ParseIP(host)
	local := err == nil && port != "" && (host == "localhost" || ip != nil && ip.IsLoopback())
	if !strings.HasPrefix(c.Address, "/") && !local {
		k.complain(lang.T("clamav.address phải là đường dẫn của socket hoặc cổng trên chính máy này", "clamav.address must be the path of a socket or a port of this machine"),
			lang.T(`ghi "/run/clamav/clamd.ctl" hoặc "127.0.0.1:3310"`, `write "/run/clamav/clamd.ctl" or "127.0.0.1:3310"`), "clamav", "address")
	}
}

// admin: what goes over the network goes over TLS.
func (k *checker) admin(a Admin) {
	if a.Listen == "" {
		return
	}
	k.address(a.Listen, "admin", "listen")
	if a.Cert == "" || a.Key == "" {
		k.complain(lang.T("admin.listen cần chứng thư TLS", "admin.listen needs a TLS certificate"),
			lang.T("ghi cert và key ở [admin] hoặc ở [tls]; không dùng thì listen = \"\"", "write cert and key in [admin] or in [tls]; listen = \"\" switches it off"), "admin", "listen")
	}
}

// leastAudit is how long the record of who did what is kept at least, unless for ever:
// Decree 91/2020/ND-CP wants 180 days of logs.
const leastAudit = 180 * 24 * time.Hour

func (k *checker) audit(keep time.Duration) {
	if keep != 0 && keep < leastAudit {
		k.complain(lang.T("audit.keep phải từ 4320h (180 ngày, Nghị định 91/2020/NĐ-CP)", "audit.keep must be 4320h or more (180 days, Decree 91/2020)"),
			lang.T(`"0s": giữ mãi`, `"0s" keeps it for ever`), "audit", "keep")
	}
}

func (k *checker) mailbox(a string, key ...any) {
	if !mailboxForm.MatchString(a) {
		k.complain(lang.T("'"+a+"' không phải địa chỉ thư", "'"+a+"' is not a mail address"), lang.T("viết như bao-cao-dmarc@tinh.gov.vn", "write dmarc-reports@tinh.gov.vn"), key...)
	}
}

func (k *checker) hostname(h string) {
	if !domainForm.MatchString(strings.ToLower(h)) || !strings.Contains(h, ".") {
		k.complain(lang.T("hostname '"+h+"' không phải tên miền đầy đủ", "hostname '"+h+"' is not a fully qualified domain name"),
			lang.T("ghi tên máy có trong DNS, như gw.example.gov.vn", "write the host's name in the DNS, such as gw.example.gov.vn"), "hostname")
	}
}

// store checks only the kind: whether the address is right, "congthu check" finds out by
// connecting. It may hold a password, so it is not shown.
func (k *checker) store(url string) {
	kind, _, _ := strings.Cut(url, "://")
	if url != "sqlite" && kind != "postgres" && kind != "postgresql" {
		k.complain(lang.T("không biết loại kho dữ liệu này", "no such kind of store"),
			lang.T(`ghi "sqlite" hoặc "postgres://người-dùng@máy-chủ/cơ-sở-dữ-liệu"`, `write "sqlite" or "postgres://user@server/database"`), "store", "url")
	}
}

// lease: with less a slow disk makes a living gateway look dead, with more the mail of a
// dead one waits for hours.
func (k *checker) lease(d time.Duration) {
	if d < time.Second || d > time.Hour {
		k.complain(lang.T("queue.lease phải từ 1s đến 1h", "queue.lease must be from 1s to 1h"),
			lang.T(`60s là hợp lý`, `60s is sensible`), "queue", "lease")
	}
}

func (k *checker) listeners(ls []Listen, hasCertificate bool) {
	seen := map[string]bool{}
	for i, l := range ls {
		k.address(l.Address, "listen", i, "address")
		if seen[l.Address] {
			k.complain(lang.T("địa chỉ "+l.Address+" dùng hai lần", "the address "+l.Address+" is used twice"), lang.T("xoá một mục listen", "delete one of the listeners"), "listen", i, "address")
		}
		seen[l.Address] = true
		k.choice(l.TLS, []string{"starttls", "required", "implicit"}, "listen", i, "tls")
		k.choice(l.Auth, []string{"off", "on", "required"}, "listen", i, "auth")
		if !hasCertificate && (l.TLS != "starttls" || l.Auth != "off") {
			k.complain(lang.T("cổng này cần TLS nhưng chưa có chứng thư", "this listener needs TLS and there is no certificate"), lang.T("đặt cert và key ở [tls]", "set cert and key in [tls]"), "listen", i)
		}
	}
}

func (k *checker) routes(rs []Route) {
	seen := map[string]bool{}
	for i, r := range rs {
		if len(r.Domains) == 0 {
			k.complain(lang.T("mục route chưa có domains", "this route names no domains"), lang.T("thêm domains = [\"…\"]", "add domains = [\"…\"]"), "route", i)
		}
		for j, d := range r.Domains {
			k.domain(d, seen, "route", i, "domains", j)
		}
		if r.NextHop != "mx" {
			k.address(r.NextHop, "route", i, "next_hop")
		} else if r.VerifyRecipients {
			k.complain(lang.T("không hỏi trước người nhận ở máy chủ của người khác", "recipients are not asked about at strangers' servers"),
				lang.T("verify_recipients chỉ dùng khi next_hop là máy:cổng", "verify_recipients needs a next_hop that is host:port"), "route", i, "verify_recipients")
		}
		k.choice(r.TLS, append([]string{""}, tlsModes()...), "route", i, "tls")
	}
}

func tlsModes() []string { return []string{"none", "opportunistic", "require", "verify"} }

// senderPatience is what is left of a sender's 10 minutes for our reply (RFC 5321
// section 4.5.3.2.6) once the letter is inspected.
const senderPatience = 8 * time.Minute

func (k *checker) relay(r Relay) {
	k.choice(r.TLS, tlsModes(), "relay", "tls")
	if r.Timeout <= 0 || r.Final <= 0 || (r.Timeout+r.Final).Std() > senderPatience {
		k.complain(lang.T("timeout và final_timeout phải lớn hơn 0 và cộng lại không quá 8 phút", "timeout and final_timeout must be above 0 and together at most 8 minutes"),
			lang.T("máy gửi chỉ chờ trả lời 10 phút", "a sender waits 10 minutes for its reply"), "relay")
	}
}

func (k *checker) domain(d string, seen map[string]bool, key ...any) {
	if d != "*" && !domainForm.MatchString(strings.ToLower(d)) {
		k.complain(lang.T("'"+d+"' không phải tên miền", "'"+d+"' is not a domain name"), lang.T("viết như tinh.gov.vn, *.tinh.gov.vn hoặc *; tên có dấu viết dạng xn--", "write tinh.gov.vn, *.tinh.gov.vn or *; international names as xn--"), key...)
	}
	if seen[strings.ToLower(d)] {
		k.complain(lang.T("tên miền '"+d+"' có ở hai route", "the domain '"+d+"' is in two routes"), lang.T("giữ lại một chỗ", "keep it in one"), key...)
	}
	seen[strings.ToLower(d)] = true
}

// address checks host:port; the host may be a name.
func (k *checker) address(a string, key ...any) {
	_, port, err := net.SplitHostPort(a)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 0 || n > 65535 {
		k.complain(lang.T("'"+a+"' không có dạng máy:cổng", "'"+a+"' is not host:port"), lang.T("viết như 127.0.0.1:2525 hoặc [::1]:2525", "write 127.0.0.1:2525 or [::1]:2525"), key...)
	}
}

func (k *checker) choice(v string, of []string, key ...any) {
	if !slices.Contains(of, v) {
		k.complain(lang.T("giá trị '"+v+"' không dùng được", "the value '"+v+"' is not possible"), lang.T("chọn một trong: ", "choose one of: ").Plus(strings.Join(of, ", ")), key...)
	}
}

func (k *checker) limits(l Limits) {
	for name, v := range map[string]int64{
		"message_size": l.MessageSize, "command_line": int64(l.CommandLine), "body_line": int64(l.BodyLine), "header_size": int64(l.HeaderSize),
		"header_fields": int64(l.HeaderFields), "recipients": int64(l.Recipients), "refused_recipients": int64(l.RefusedRecipients), "errors": int64(l.Errors),
		"idle_commands": int64(l.IdleCommands), "connections": int64(l.Connections), "per_client": int64(l.PerClient), "received_hops": int64(l.ReceivedHops),
		"session": int64(l.Session), "command_wait": int64(l.CommandWait), "memory": l.Memory,
	} {
		if v <= 0 {
			k.complain(lang.T("giới hạn "+name+" phải lớn hơn 0", "the limit "+name+" must be above 0"), lang.T("xoá dòng để dùng mặc định", "delete the line to use the default"), "limits", name)
		}
	}
	if l.Memory < 2*l.MessageSize+1<<20 { // the octets as they come, and the message that is made of them
		k.complain(lang.T("memory nhỏ hơn hai lần message_size cộng 1 MiB", "memory is below twice message_size and 1 MiB"), lang.T("memory là tổng cho mọi phiên", "memory is the sum over all sessions"), "limits", "memory")
	}
}

func (k *checker) queue(q Queue) {
	for name, v := range map[string]int64{"life": int64(q.Life), "concurrency": int64(q.Concurrency), "per_hop": int64(q.PerHop), "dead_keep": int64(q.DeadKeep)} {
		if v <= 0 {
			k.complain(lang.T("queue."+name+" phải lớn hơn 0", "queue."+name+" must be above 0"), lang.T("xoá dòng để dùng mặc định", "delete the line to use the default"), "queue", name)
		}
	}
	if q.Warn >= q.Life && q.Life > 0 {
		k.complain(lang.T("warn không nhỏ hơn life: thư hết hạn trước khi báo chậm", "warn is not below life: a letter expires before its sender hears of the delay"),
			lang.T(`giảm warn, hoặc ghi "0s" để không báo`, `lower warn, or write "0s" for no such notice`), "queue", "warn")
	}
}

func (k *checker) quarantine(q Quar) {
	kc := q.KeepClass
	for name, d := range map[string]Duration{
		"malware": kc.Malware, "unscannable": kc.Unscannable, "type": kc.Type, "phishing": kc.Phishing, "spam": kc.Spam,
		"encryption": kc.Encryption, "authentication": kc.Authentication, "other": kc.Other,
	} {
		if d < 0 {
			k.complain(lang.T("quarantine.keep_class."+name+" không được âm", "quarantine.keep_class."+name+" must not be negative"), lang.T(`"0s" là như keep`, `"0s" is as keep`), "quarantine", "keep_class", name)
		}
	}
	for name, v := range map[string]int64{"keep": int64(q.Keep), "undo": int64(q.Undo), "room": q.Room, "allow": int64(q.Allow)} {
		if v < 0 || name == "keep" && v == 0 {
			k.complain(lang.T("quarantine."+name+" không hợp lệ", "quarantine."+name+" is not possible"), lang.T("xoá dòng để dùng mặc định", "delete the line to use the default"), "quarantine", name)
		}
	}
}

func (k *checker) files(c *Config) {
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		k.complain(lang.T("cert và key phải có cả hai", "cert and key come together"), lang.T("thêm dòng còn thiếu, hoặc xoá cả hai", "add the missing one, or delete both"), "tls")
	}
}

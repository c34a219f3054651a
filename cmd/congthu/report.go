package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/dmarcreport"
	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
)

type reportCmd struct {
	DMARC reportDMARCCmd `cmd:"" name:"dmarc" help:"Aggregate reports of DMARC / báo cáo DMARC tổng hợp."`
}

type reportDMARCCmd struct {
	Send   reportSendCmd   `cmd:"" default:"withargs" help:"Send the reports of a day (default) / gửi báo cáo của một ngày (mặc định)."`
	Show   reportShowCmd   `cmd:"" help:"Who sends in our name, by the reports of others / ai gửi thư mang tên mình, theo báo cáo nhận được."`
	Import reportImportCmd `cmd:"" help:"Read reports of others from files / đọc báo cáo nhận được từ tệp."`
	Read   reportReadCmd   `cmd:"" hidden:""`
}

type reportSendCmd struct {
	Day    string `help:"Day in UTC, 2026-11-24 (default: yesterday) / ngày UTC (mặc định: hôm qua)." placeholder:"YYYY-MM-DD"`
	DryRun bool   `help:"Say what would be sent, send nothing; --json shows the documents / chỉ nói sẽ gửi gì."`
}

// Run has the running gateway queue the reports of a day, each once.
func (c *reportSendCmd) Run(a *app) error {
	day := cmp.Or(c.Day, (dmarcreport.DayOf(time.Now()) - 1).String())
	if _, err := dmarcreport.ParseDay(day); err != nil {
		return fail(exitUsage, "--day %q không phải ngày; viết như 2026-11-24", "--day %q is not a day; write it like 2026-11-24", day)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	list, err := cl.SendReports(a.ctx, day, c.DryRun)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(list)
	}
	if len(list) == 0 {
		a.say(lang.T("ngày %s không có báo cáo nào để gửi", "there is no report to send for %s"), day)
		return nil
	}
	head := strings.Split(lang.T("TÊN MIỀN|THƯ|DÒNG|GỬI TỚI|KHÔNG GỬI TỚI", "DOMAIN|MESSAGES|RECORDS|TO|NOT TO").In(a.lang), "|")
	var rows [][]string
	for _, s := range list {
		rows = append(rows, []string{s.Domain, fmt.Sprint(s.Messages), fmt.Sprint(s.Records), cmp.Or(strings.Join(s.To, " "), "-"), a.leftOut(s)})
	}
	return a.table(head, rows)
}

// leftOut says who gets no report, and why.
func (a *app) leftOut(s dmarcreport.Sent) string {
	var out []string
	for _, l := range s.Left {
		out = append(out, l.Address+": "+l.Why.In(a.lang))
	}
	if s.Later {
		out = append(out, lang.T("DNS chưa trả lời, sẽ thử lại", "the DNS did not answer, tried again later").In(a.lang))
	}
	return cmp.Or(strings.Join(out, "; "), "-")
}

type reportShowCmd struct {
	Domain string `help:"Only this domain and the names below it / chỉ tên miền này và tên con."`
	Since  string `help:"How far back: 30d, 12h / từ bao lâu." default:"30d"`
}

// Run prints who has sent in our name, those first that failed most.
func (c *reportShowCmd) Run(a *app) error {
	back, err := span(c.Since)
	if err != nil {
		return fail(exitUsage, "--since %q: viết như 30d hoặc 12h", "--since %q: write it like 30d or 12h", c.Since)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	o, err := cl.ShowReports(a.ctx, strings.ToLower(c.Domain), time.Now().Add(-back))
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(o)
	}
	a.say(lang.T("%d báo cáo; nguồn hay thất bại nhất đứng trước", "%d report(s); sources that failed most come first"), o.Reports)
	head := strings.Split(lang.T("TÊN MIỀN|NGUỒN|THƯ|ĐẠT|SPF|DKIM|BỊ GIỮ|BỊ TỪ CHỐI|NƠI BÁO", "DOMAIN|SOURCE|MESSAGES|PASSED|SPF|DKIM|QUARANTINED|REJECTED|REPORTERS").In(a.lang), "|")
	var rows [][]string
	for _, s := range o.Sources {
		row := []string{s.Domain, s.Source}
		for _, n := range []int64{s.Messages, s.Authentic, s.SPF, s.DKIM, s.Quarantined, s.Rejected, int64(s.Reporters)} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	if err := a.table(head, rows); err != nil || o.More == 0 {
		return err
	}
	a.say(lang.T("và %d nguồn nữa; thu hẹp bằng --domain hoặc --since", "and %d more source(s); narrow it with --domain or --since"), o.More)
	return nil
}

// span reads a duration that may be in days.
func span(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

type reportImportCmd struct {
	Files []string `arg:"" help:"Letters, XML, gzip or zip; a directory: all files in it / tệp thư, XML, gzip, zip; thư mục: mọi tệp trong đó."`
}

// imported is what became of one file.
type imported struct {
	File     string `json:"file"`
	Org      string `json:"org,omitempty"`
	Domain   string `json:"domain,omitempty"`
	Messages int64  `json:"messages"`
	New      bool   `json:"new"`
	Error    string `json:"error,omitempty"`
}

// Run reads each file in a process of its own and hands the figures to the gateway.
// Exit 65 when a file was no report.
func (c *reportImportCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	files, err := reportFiles(c.Files)
	if err != nil {
		return fail(exitNoInput, "không đọc được: %v", "cannot read: %v", err)
	}
	var out []imported
	bad := 0
	for _, f := range files {
		one, err := a.importReport(cl, f)
		if err != nil {
			return err
		}
		if one.Error != "" {
			bad++
		}
		out = append(out, one)
	}
	if err := a.showImported(out); err != nil || bad == 0 {
		return err
	}
	return fail(exitData, "%d tệp không phải báo cáo DMARC đọc được", "%d file(s) were no DMARC report that could be read", bad)
}

func reportFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// importReport imports one file. The error is one that ends the command; a file that is
// no report is in the answer.
func (a *app) importReport(cl *admin.Client, file string) (imported, error) {
	one := imported{File: file}
	data, err := os.ReadFile(file)
	if err != nil {
		one.Error = err.Error()
		return one, nil
	}
	r, err := readReport(a.ctx, a.lang, data)
	var bad *aggregate.Malformed
	switch {
	case errors.As(err, &bad):
		one.Error = bad.In(a.lang)
		return one, nil
	case err != nil:
		return one, fail(exitSoftware, "đọc %s: %v", "reading %s: %v", file, err)
	}
	one.Org, one.Domain, one.Messages = r.Org, r.Policy.Domain, r.Messages()
	got, err := cl.ImportReport(a.ctx, r)
	if err != nil {
		return one, operatorError(err)
	}
	one.New = got.Fresh
	return one, nil
}

func (a *app) showImported(list []imported) error {
	if a.json {
		return a.printJSON(list)
	}
	head := strings.Split(lang.T("TỆP|NƠI BÁO|TÊN MIỀN|THƯ|KẾT QUẢ", "FILE|REPORTER|DOMAIN|MESSAGES|RESULT").In(a.lang), "|")
	var rows [][]string
	for _, x := range list {
		result := a.word("mới", "new")
		switch {
		case x.Error != "":
			result = a.word("LỖI: ", "ERROR: ") + x.Error
		case !x.New:
			result = a.word("đã có", "already there")
		}
		rows = append(rows, []string{x.File, cmp.Or(x.Org, "-"), cmp.Or(x.Domain, "-"), fmt.Sprint(x.Messages), result})
	}
	return a.table(head, rows)
}

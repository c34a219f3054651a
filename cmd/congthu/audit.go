package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/store"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"Who did what, newest first / ai đã làm gì."`
	Verify auditVerifyCmd `cmd:"" help:"Look for entries altered, removed or reordered / kiểm tra chuỗi nhật ký."`
	Export auditExportCmd `cmd:"" help:"Write the chain to a file / xuất chuỗi nhật ký."`
}

type auditListCmd struct {
	Since  string `help:"How far back: 7d, 12h / từ bao lâu." placeholder:"SPAN"`
	Object string `help:"Only what was done to this: an id, a fingerprint / chỉ việc trên đối tượng này."`
	Actor  string `help:"Only what this person did / chỉ việc của người này."`
	Act    string `help:"Only this act, or all of a noun: quarantine, quarantine.release / chỉ việc này."`
	Limit  int    `help:"At most so many / nhiều nhất." default:"100"`
}

// Run lists entries.
func (c *auditListCmd) Run(a *app) error {
	f := audit.Filter{Object: c.Object, Actor: c.Actor, Act: c.Act, Limit: c.Limit}
	if c.Since != "" {
		back, err := span(c.Since)
		if err != nil {
			return fail(exitUsage, "--since %q: viết như 30d hoặc 12h", "--since %q: write it like 30d or 12h", c.Since)
		}
		f.Since = time.Now().Add(-back)
	}
	return a.withAudit(true, func(cl *admin.Client) error {
		list, err := cl.Audit(a.ctx, f)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(list)
		}
		head := strings.Split(lang.T("SỐ|LÚC|NGƯỜI LÀM|VAI TRÒ|QUA|VIỆC|ĐỐI TƯỢNG|CHI TIẾT", "N|AT|WHO|ROLE|VIA|ACT|OBJECT|DETAIL").In(a.lang), "|")
		var rows [][]string
		for _, e := range list {
			rows = append(rows, []string{strconv.FormatInt(e.N, 10), e.At.Local().Format(time.DateTime), by(e), dash(e.Role), dash(e.Via), e.Act, dash(e.Object), dash(e.Detail)})
		}
		return a.table(head, rows, 4, 3)
	})
}

// by is who did something, and whose token it was when its name does not say it.
func by(e audit.Entry) string {
	if e.Person == "" {
		return e.Actor
	}
	return e.Actor + " (" + e.Person + ")"
}

type auditVerifyCmd struct {
	File string `arg:"" optional:"" help:"An exported file; none: the gateway's own chain / tệp đã xuất."`
	Head string `help:"Entry that must be in it, as an earlier look or the log gave it / mục phải có, như lần kiểm tra trước đã ghi." placeholder:"N:HASH"`
}

// Run verifies the chain: that of the gateway, running or not, or an exported file. Exit
// status 65 says that it is broken, and the first number where.
func (c *auditVerifyCmd) Run(a *app) error {
	if c.File != "" {
		return c.file(a)
	}
	if c.Head != "" {
		return fail(exitUsage, "--head chỉ dùng với tệp đã xuất", "--head goes with an exported file")
	}
	return a.withAudit(true, func(cl *admin.Client) error {
		r, err := cl.AuditVerify(a.ctx)
		if err != nil {
			return err
		}
		return a.verified(r)
	})
}

func (c *auditVerifyCmd) file(a *app) error {
	n, hash, err := head(c.Head)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return fail(exitNoInput, "không mở được %v", "cannot open %v", err)
	}
	defer f.Close()
	r, err := audit.VerifyExport(f, n, hash)
	if err != nil {
		return fail(exitData, "%s: %v", "%s: %v", c.File, err)
	}
	return a.verified(r)
}

func head(s string) (n int64, hash string, err error) {
	if s == "" {
		return 0, "", nil
	}
	number, hash, ok := strings.Cut(s, ":")
	n, err = strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || len(hash) != 64 {
		return 0, "", fail(exitUsage, "--head viết như 1234:HASH, hash có 64 chữ số", "--head is written like 1234:HASH, with the 64 digits of the hash")
	}
	return n, hash, nil
}

// verified says what a look at the chain has found.
func (a *app) verified(r audit.Report) error {
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	}
	if r.Broken != nil {
		text := lang.T("chuỗi nhật ký HỎNG ở mục %d: ", "the chain is BROKEN at entry %d: ")
		return &failure{exitData, lang.T(text.F(lang.VI, r.Broken.N), text.F(lang.EN, r.Broken.N)).Also(r.Broken.What)}
	}
	if a.json {
		return nil
	}
	a.say(lang.T("chuỗi nhật ký nguyên vẹn: %d mục, từ %d đến %d", "the chain is whole: %d entries, from %d to %d"), r.Entries, r.First, r.Last)
	if !r.Marks {
		a.say(lang.T("dấu của khoá dữ liệu không kiểm tra được ở đây: chỉ cổng thư có khoá", "the marks of the data key were not looked at: only the gateway has the key"))
	}
	a.say(lang.T("ghi lại nơi khác để so sau này: %d:%s", "write down elsewhere, to compare later: %d:%s"), r.Last, r.Hash)
	return nil
}

type auditExportCmd struct {
	File string `arg:"" help:"File, which must not be there, or - / tệp chưa có, hoặc -."`
}

// Run exports the chain. What is cut off on the way is not left behind as if it were whole.
func (c *auditExportCmd) Run(a *app) error {
	return a.withAudit(false, func(cl *admin.Client) error {
		if c.File == "-" {
			return cl.AuditExport(a.ctx, a.stdout)
		}
		f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return fail(exitData, "đã có tệp %s; không ghi đè", "there is a file %s already; it is not overwritten", c.File)
		}
		if err != nil {
			return fail(exitNoPerm, "không tạo được tệp: %v", "cannot make the file: %v", err)
		}
		if err := errors.Join(cl.AuditExport(a.ctx, f), f.Sync(), f.Close()); err != nil {
			return errors.Join(err, os.Remove(c.File))
		}
		if !a.json {
			a.say(lang.T("đã xuất vào %s; kiểm tra: congthu audit verify %[1]s", "exported to %s; verify it with: congthu audit verify %[1]s"), c.File)
		}
		return nil
	})
}

// withAudit asks the running gateway, or the store itself when none runs here; to look is
// to read only, so that a damaged store is not touched.
func (a *app) withAudit(readOnly bool, do func(*admin.Client) error) error {
	return operatorError(a.withAPI(readOnly, func(c *config.Config, db *store.DB) (admin.Services, error) {
		return admin.Services{Audit: auditLog(c, db, slog.New(slog.DiscardHandler))}, nil
	}, func(_ *config.Config, cl *admin.Client) error { return do(cl) }))
}

package main

import (
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/store"
	"congthu/internal/token"
)

type tokenCmd struct {
	New    tokenNewCmd    `cmd:"" help:"Make a token, shown once / cấp token, chỉ hiện một lần."`
	List   tokenListCmd   `cmd:"" help:"List the tokens / liệt kê token."`
	Revoke tokenRevokeCmd `cmd:"" help:"End tokens at once / thu hồi token."`
}

type tokenNewCmd struct {
	Name   string   `required:"" help:"Its name, as it stands on record; no other token in use has it / tên token, không trùng token đang dùng." placeholder:"NAME"`
	Person string   `help:"Whose it is, when the name does not say it; two tokens of one person are one person / họ tên người giữ token." placeholder:"NAME"`
	Role   string   `required:"" help:"admin: everything; reviewer: mail of its own domains; auditor: reads all / vai trò." enum:"admin,reviewer,auditor" placeholder:"admin|reviewer|auditor"`
	Agency []string `help:"Domain of a reviewer; *.x is what lies under x / tên miền của người duyệt." placeholder:"DOMAIN"`
	Life   string   `help:"How long it lives: 90d, 12h / sống bao lâu." default:"90d"`
}

// Run makes a token.
func (c *tokenNewCmd) Run(a *app) error {
	life, err := span(c.Life)
	if err != nil {
		return fail(exitUsage, "--life %q: viết như 90d hoặc 12h", "--life %q: write it like 90d or 12h", c.Life)
	}
	w := token.Wanted{Name: c.Name, Person: c.Person, Role: token.Role(c.Role), Domains: c.Agency, Life: life}
	return a.withTokens(func(cl *admin.Client) error {
		t, err := cl.NewToken(a.ctx, w)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(t)
		}
		a.say(lang.T("đã cấp token %s cho %s, vai trò %s, dùng được đến %s", "made the token %s for %s, role %s, good until %s"), t.ID, lang.Safe(t.Of(), 300), t.Role, t.Expires.Local().Format(time.DateTime))
		a.say(lang.T("token, chỉ hiện lần này; ghi vào một tệp chỉ người dùng ấy đọc được (chmod 600):", "the token, shown this once; put it in a file that only its user may read (chmod 600):"))
		a.say(lang.T("%s", "%s"), t.Secret)
		return nil
	})
}

type tokenListCmd struct{}

// Run lists the tokens, the newest first.
func (tokenListCmd) Run(a *app) error {
	return a.withTokens(func(cl *admin.Client) error {
		list, err := cl.Tokens(a.ctx)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(list)
		}
		head := strings.Split(lang.T("MÃ|TÊN|NGƯỜI GIỮ|VAI TRÒ|TÊN MIỀN|HẾT HẠN|DÙNG LẦN CUỐI|TRẠNG THÁI", "ID|NAME|PERSON|ROLE|DOMAINS|EXPIRES|LAST USED|STATE").In(a.lang), "|")
		var rows [][]string
		for _, t := range list {
			rows = append(rows, []string{t.ID, t.Name, t.Person, string(t.Role), dash(strings.Join(t.Domains, " ")), day(t.Expires), day(t.Used), a.tokenState(t, time.Now())})
		}
		return a.table(head, rows, 6, 2, 4)
	})
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// day is a moment to the hour, - for none.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (a *app) tokenState(t token.Token, now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return a.word("đã thu hồi", "revoked")
	case !now.Before(t.Expires):
		return a.word("hết hạn", "expired")
	case t.Locked.After(now):
		return a.word("khoá đến ", "locked until ") + t.Locked.Local().Format("15:04")
	}
	return a.word("dùng được", "good")
}

type tokenRevokeCmd struct {
	ID []string `arg:"" help:"Ids / các mã."`
}

// Run ends tokens.
func (c *tokenRevokeCmd) Run(a *app) error {
	err := a.withTokens(func(cl *admin.Client) error {
		for _, id := range c.ID {
			if err := cl.Revoke(a.ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.done(len(c.ID), lang.T("đã thu hồi %d token", "revoked %d token(s)"))
}

func (a *app) withTokens(do func(*admin.Client) error) error {
	return operatorError(a.withAPI(false, func(_ *config.Config, db *store.DB) (admin.Services, error) {
		return admin.Services{Tokens: token.NewBook(db, nil)}, nil
	}, func(_ *config.Config, cl *admin.Client) error { return do(cl) }))
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"congthu/internal/account"
	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/store"
)

type accountCmd struct {
	Add     accountAddCmd     `cmd:"" help:"Add an account / thêm tài khoản."`
	List    accountListCmd    `cmd:"" help:"List accounts / liệt kê tài khoản."`
	Show    accountShowCmd    `cmd:"" help:"Show an account / xem tài khoản."`
	Passwd  accountPasswdCmd  `cmd:"" help:"Give it another password / đổi mật khẩu."`
	Disable accountDisableCmd `cmd:"" help:"Let it send no more, at once / khoá ngay."`
	Enable  accountEnableCmd  `cmd:"" help:"Let it send again / mở lại."`
	Hold    accountHoldCmd    `cmd:"" help:"Hold its mail until somebody has looked / giữ thư của tài khoản để xem xét."`
	Unhold  accountUnholdCmd  `cmd:"" help:"Let its mail go again / thôi giữ thư."`
	Held    accountHeldCmd    `cmd:"" help:"List whose mail is held, and why / những ai đang bị giữ thư."`
	Delete  accountDeleteCmd  `cmd:"" help:"Delete it / xoá."`
}

// passwordFlag says where a password comes from. It is never an argument: arguments are
// seen by everybody on the host.
type passwordFlag struct {
	PasswordFile string `help:"File whose first line is the password, - for standard input; without it one is made and shown once / tệp có mật khẩu ở dòng đầu; không có thì tự tạo và hiện một lần." placeholder:"FILE"`
}

// password returns the hash, and the password itself when it was made here.
func (f passwordFlag) password(a *app) (hash, made string, err error) {
	if f.PasswordFile == "" {
		made = account.Generate()
		hash, err = account.Hash(made)
		return hash, made, err
	}
	in := a.stdin
	if f.PasswordFile != "-" {
		file, err := os.Open(f.PasswordFile)
		if err != nil {
			return "", "", fail(exitNoInput, "không mở được tệp mật khẩu: %v", "cannot open the password file: %v", err)
		}
		defer file.Close()
		in = file
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", "", fail(exitNoInput, "không đọc được mật khẩu: %v", "cannot read the password: %v", err)
	}
	hash, err = account.Hash(strings.TrimRight(line, "\r\n"))
	return hash, "", accountError(err)
}

type accountAddCmd struct {
	Name   string   `arg:"" help:"Name, such as van-thu@tinh.gov.vn / tên."`
	Agency string   `help:"The agency of congthu.toml that it sends for / cơ quan trong congthu.toml." placeholder:"NAME"`
	Domain []string `help:"Or domains of its own / hoặc tên miền riêng." placeholder:"DOMAIN"`
	passwordFlag
}

// Run adds an account.
func (c *accountAddCmd) Run(a *app) error {
	name, err := account.CleanName(c.Name)
	if err != nil {
		return accountError(err)
	}
	hash, made, err := c.password(a)
	if err != nil {
		return err
	}
	one := account.Account{Name: name, Agency: c.Agency, Domains: c.Domain}
	err = a.withAccounts(func(all admin.Accounts) error { return all.Add(a.ctx, one, hash, actor()) })
	if err != nil {
		return err
	}
	return a.passwordMade(name, made, lang.T("đã thêm tài khoản %s", "added the account %s"))
}

func hasAgency(c *config.Config, name string) bool {
	for _, a := range c.Agency {
		if a.Name == name {
			return true
		}
	}
	return false
}

// passwordMade reports, with the password when it was made here: the only time that it
// is shown.
func (a *app) passwordMade(name, made string, t lang.Text) error {
	if a.json {
		out := map[string]string{"account": name}
		if made != "" {
			out["password"] = made
		}
		return a.printJSON(out)
	}
	a.say(t, name)
	if made != "" {
		a.say(lang.T("mật khẩu, chỉ hiện lần này: %s", "the password, shown this once: %s"), made)
	}
	return nil
}

type accountPasswdCmd struct {
	Name string `arg:"" help:"Name / tên."`
	passwordFlag
}

// Run changes a password.
func (c *accountPasswdCmd) Run(a *app) error {
	hash, made, err := c.password(a)
	if err != nil {
		return err
	}
	name := strings.ToLower(c.Name)
	err = a.withAccounts(func(all admin.Accounts) error { return all.SetHash(a.ctx, name, hash, actor()) })
	if err != nil {
		return err
	}
	return a.passwordMade(name, made, lang.T("đã đổi mật khẩu của %s", "the password of %s is changed"))
}

type accountListCmd struct{}

// Run lists accounts by name.
func (accountListCmd) Run(a *app) error {
	cfg, err := a.settingsHere()
	if err != nil {
		return err
	}
	return a.withAccounts(func(all admin.Accounts) error {
		list, err := all.List(a.ctx)
		if err != nil {
			return err
		}
		if a.json {
			if list == nil {
				list = []account.Account{}
			}
			return a.printJSON(list)
		}
		head := strings.Split(lang.T("TÊN|CƠ QUAN|TÊN MIỀN|TRẠNG THÁI|ĐỔI LẦN CUỐI", "NAME|AGENCY|DOMAINS|STATE|LAST CHANGE").In(a.lang), "|")
		var rows [][]string
		for _, one := range list {
			rows = append(rows, []string{one.Name, one.Agency, domainsOf(cfg, one), a.stateOf(cfg, one), one.Changed.Local().Format(time.DateTime)})
		}
		return a.table(head, rows)
	})
}

// domainsOf are those that the account may send for.
func domainsOf(c *config.Config, one account.Account) string {
	if c == nil { // they are elsewhere
		return strings.Join(one.Domains, " ")
	}
	for _, ag := range c.Agency {
		if ag.Name == one.Agency {
			return strings.Join(ag.Domains, " ")
		}
	}
	return strings.Join(one.Domains, " ")
}

func (a *app) stateOf(c *config.Config, one account.Account) string {
	switch {
	case one.Disabled:
		return a.word("đã khoá", "disabled")
	case c != nil && one.Agency != "" && !hasAgency(c, one.Agency):
		return a.word("cơ quan không còn trong cấu hình", "its agency is not in the settings")
	}
	return a.word("dùng được", "in use")
}

type accountShowCmd struct {
	Name string `arg:"" help:"Name / tên."`
}

// Run shows one account.
func (c *accountShowCmd) Run(a *app) error {
	cfg, err := a.settingsHere()
	if err != nil {
		return err
	}
	return a.withAccounts(func(all admin.Accounts) error {
		one, err := all.Show(a.ctx, strings.ToLower(c.Name))
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(one)
		}
		for _, r := range [][2]string{
			{a.word("Tên", "Name"), one.Name},
			{a.word("Cơ quan", "Agency"), one.Agency},
			{a.word("Tên miền", "Domains"), domainsOf(cfg, one.Account)},
			{a.word("Trạng thái", "State"), a.stateOf(cfg, one.Account)},
			{a.word("Tạo lúc", "Created"), one.Created.Local().Format(time.RFC3339)},
			{a.word("Đổi lúc", "Changed"), one.Changed.Local().Format(time.RFC3339)},
			{a.word("Đã gửi", "Sent to"), fmt.Sprintf(a.word("%d người nhận trong giờ qua, %d trong ngày qua", "%d recipients in the last hour, %d in the last day"), one.SentHour, one.SentDay)},
		} {
			fmt.Fprintf(a.stdout, "%-12s %s\n", r[0]+":", lang.Safe(r[1], 500))
		}
		return nil
	})
}

type accountDisableCmd struct {
	Name []string `arg:"" help:"Names / các tên."`
}

// Run disables accounts; what they have open is closed with their next message.
func (c *accountDisableCmd) Run(a *app) error {
	return a.eachAccount(c.Name, lang.T("đã khoá %d tài khoản", "disabled %d account(s)"), func(all admin.Accounts, name string) error {
		return all.SetDisabled(a.ctx, name, true, actor())
	})
}

type accountEnableCmd struct {
	Name []string `arg:"" help:"Names / các tên."`
}

// Run enables accounts again.
func (c *accountEnableCmd) Run(a *app) error {
	return a.eachAccount(c.Name, lang.T("đã mở %d tài khoản", "enabled %d account(s)"), func(all admin.Accounts, name string) error {
		return all.SetDisabled(a.ctx, name, false, actor())
	})
}

type accountHoldCmd struct {
	Name []string `arg:"" help:"Accounts, or agency:NAME / các tài khoản, hoặc agency:TÊN."`
	Why  string   `help:"What is to be read in the list and under each letter / lý do." default:"by command / theo lệnh"`
}

// Run holds the mail of accounts or agencies.
func (c *accountHoldCmd) Run(a *app) error {
	return a.eachAccount(c.Name, lang.T("đang giữ thư của %d nơi gửi", "holding the mail of %d sender(s)"), func(all admin.Accounts, name string) error {
		return all.SetHold(a.ctx, name, true, c.Why, actor())
	})
}

type accountUnholdCmd struct {
	Name []string `arg:"" help:"Accounts, or agency:NAME / các tài khoản, hoặc agency:TÊN."`
}

// Run lets the mail of accounts or agencies go again. What was held stays in quarantine
// until it is released there.
func (c *accountUnholdCmd) Run(a *app) error {
	return a.eachAccount(c.Name, lang.T("đã thôi giữ thư của %d nơi gửi; thư đã giữ trước đó vẫn bị giữ, xem congthu quarantine list", "no longer holding the mail of %d sender(s); what was held before stays so, see congthu quarantine list"), func(all admin.Accounts, name string) error {
		return all.SetHold(a.ctx, name, false, "", actor())
	})
}

type accountHeldCmd struct{}

// Run lists whose mail is held.
func (accountHeldCmd) Run(a *app) error {
	return a.withAccounts(func(all admin.Accounts) error {
		list, err := all.Holds(a.ctx)
		if err != nil {
			return err
		}
		if a.json {
			if list == nil {
				list = []account.Hold{}
			}
			return a.printJSON(list)
		}
		head := strings.Split(lang.T("NƠI GỬI|TỪ LÚC|NGƯỜI GIỮ|VÌ SAO", "SENDER|SINCE|BY|WHY").In(a.lang), "|")
		var rows [][]string
		for _, h := range list {
			rows = append(rows, []string{h.Name, h.Since.Local().Format(time.DateTime), h.Who, h.Why})
		}
		return a.table(head, rows)
	})
}

type accountDeleteCmd struct {
	Name []string `arg:"" help:"Names / các tên."`
}

// Run deletes accounts.
func (c *accountDeleteCmd) Run(a *app) error {
	return a.eachAccount(c.Name, lang.T("đã xoá %d tài khoản", "deleted %d account(s)"), func(all admin.Accounts, name string) error {
		return all.Delete(a.ctx, name, actor())
	})
}

func (a *app) eachAccount(names []string, done lang.Text, do func(admin.Accounts, string) error) error {
	err := a.withAccounts(func(all admin.Accounts) error {
		for _, name := range names {
			if err := do(all, strings.ToLower(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.done(len(names), done)
}

// withAccounts does something with the accounts: through the running gateway, or in the
// store itself when no gateway runs here.
func (a *app) withAccounts(do func(admin.Accounts) error) error {
	return accountError(a.withAPI(false, func(c *config.Config, db *store.DB) (admin.Services, error) {
		return admin.Services{Accounts: register{account.NewBook(db, slog.New(slog.DiscardHandler)), c}}, nil
	}, func(_ *config.Config, cl *admin.Client) error { return do(cl.Accounts()) }))
}

// register is the accounts, of agencies that there are.
type register struct {
	*account.Book
	settings *config.Config
}

// Add implements admin.Accounts.
func (r register) Add(ctx context.Context, one account.Account, hash, actor string) error {
	if one.Agency != "" && !hasAgency(r.settings, one.Agency) {
		name := lang.Safe(one.Agency, 100)
		return &lang.Problem{What: lang.T("không có cơ quan nào tên “"+name+"” trong cấu hình", `the settings have no agency called "`+name+`"`)}
	}
	return r.Book.Add(ctx, one, hash, actor)
}

// accountError gives what is wrong with a request its exit status.
func accountError(err error) error {
	var p *account.Problem
	if errors.As(err, &p) {
		return &failure{exitData, lang.T(p.In(lang.VI), p.In(lang.EN))}
	}
	return operatorError(err)
}

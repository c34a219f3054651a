package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"congthu/internal/account"
	"congthu/internal/agency"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/smtpd"
	"congthu/internal/store"
)

// senders says who may send through the gateway, as whom, and how much.
type senders struct {
	*agency.Book
	accounts *account.Book
	gate     *account.Gate
	quota    *account.Quota
	limits   agency.Limits // of accounts that have domains of their own
	log      *slog.Logger
	event    func(string)
}

// evOverQuota counts recipients refused for the limit of their sender.
const evOverQuota = "over_quota"

func newSenders(c *config.Config, db *store.DB, log *slog.Logger, event func(string)) (*senders, error) {
	book, err := agencies(c)
	if err != nil {
		return nil, err
	}
	s := &senders{Book: book, accounts: account.NewBook(db, log), quota: account.NewQuota(db, log), log: log, event: event}
	s.gate = account.NewGate(s.accounts.Get)
	s.limits = agencyLimits(c.Relay, config.Agency{})
	return s, nil
}

var (
	replyWrong   = msg.Reply{Code: 535, Detail: "7.8", Text: "Sai tai khoan hoac mat khau / Authentication credentials invalid"}
	replyPaused  = msg.Reply{Code: 454, Detail: "7.0", Text: "Tam thoi chua xac thuc duoc, xin thu lai sau / Temporary authentication failure, try again later"}
	replyTrouble = msg.Reply{Code: 451, Detail: "3.0", Text: "Tam thoi chua xu ly duoc, xin gui lai / Temporarily unable to process, try again later"}
	replyChanged = msg.Reply{Code: 421, Detail: "7.0", Text: "Tai khoan vua thay doi, xin xac thuc lai / The account has changed, authenticate again"}
	replyForeign = msg.Reply{Code: 550, Detail: "7.1", Text: "Nguoi gui khong thuoc co quan nay / The sender address does not belong to this agency"}
	replyQuota   = msg.Reply{Code: 452, Detail: "7.1", Text: "Vuot so nguoi nhan cho phep, xin gui lai sau / Recipient limit of this sender reached, try again later"}
)

// authenticate implements smtpd.Options.Authenticate. What was wrong stands in the log,
// and only there.
func (s *senders) authenticate(ctx context.Context, client netip.Addr, name, password string) (msg.Identity, msg.Reply) {
	since := time.Now()
	a, err := s.gate.Check(ctx, client, name, password)
	who, bad := account.CleanName(name)
	if bad != nil {
		who = "(not a name)" // people type their password there
	}
	switch {
	case err == nil:
		id := s.identity(a)
		id.Since = since
		return id, msg.Reply{}
	case errors.Is(err, account.ErrWrong):
		s.log.Warn("authentication failed", "client", client, "account", who)
		return msg.Identity{}, replyWrong
	case errors.Is(err, account.ErrLater):
		s.log.Warn("authentication put off: too many failures", "client", client, "account", who)
		return msg.Identity{}, replyPaused
	}
	s.log.Error("authentication", "account", who, "error", err)
	return msg.Identity{}, replyPaused
}

// identity is who an account stands for. One whose agency is gone from the settings may
// send as nobody.
func (s *senders) identity(a account.Account) msg.Identity {
	id := msg.Identity{Proof: msg.ByPassword, Account: a.Name, Agency: a.Agency, Senders: a.Domains}
	if a.Agency != "" {
		owner, _ := s.Named(a.Agency)
		id.Senders = owner.Domains
	}
	return id
}

// checkMail answers MAIL: the account is as it was when its password was shown, and the
// sender is its own. The null sender (RFC 5321 section 4.5.5) is for notices and
// belongs to everybody; what their From says is looked at later.
func (s *senders) checkMail(ctx context.Context, who *msg.Session, from msg.Path) msg.Reply {
	id := who.Identity
	if id.Account != "" {
		a, err := s.accounts.Get(ctx, id.Account)
		switch {
		case errors.Is(err, account.ErrNotFound), err == nil && (a.Disabled || a.Changed.After(id.Since)):
			s.log.Info("account has changed since it was shown", "client", who.Remote.Addr(), "account", id.Account)
			return replyChanged
		case err != nil:
			s.log.Error("account", "account", id.Account, "error", err)
			return replyTrouble
		}
	}
	if !from.IsNull() && !id.Owns(from.Domain) {
		s.log.Info("sender is not the agency's", "client", who.Remote.Addr(), "agency", id.Agency, "account", id.Account, "from", lang.Safe(from.Raw, 320))
		return replyForeign
	}
	return msg.Reply{}
}

// quotaOf is whom recipients are counted to, "" for nobody.
func quotaOf(id msg.Identity) string {
	switch {
	case id.Account != "":
		return id.Account
	case id.Agency != "":
		return "agency:" + id.Agency // no account's name has a colon
	}
	return ""
}

// count counts a recipient that is about to be accepted, or refuses it.
func (s *senders) count(ctx context.Context, who *msg.Session) msg.Reply {
	id := who.Identity
	name := quotaOf(id)
	if name == "" {
		return msg.Reply{}
	}
	limits := s.limits
	if a, ok := s.Named(id.Agency); ok {
		limits = a.Limits
	}
	ok, err := s.quota.Take(ctx, name, 1, limits.Hour, limits.Day)
	switch {
	case err != nil:
		s.log.Error("recipient limit", "sender", name, "error", err)
		return replyTrouble
	case !ok:
		s.event(evOverQuota)
		s.log.Warn("recipient limit reached", "client", who.Remote.Addr(), "agency", id.Agency, "account", id.Account, "hour", limits.Hour, "day", limits.Day)
		return replyQuota
	}
	return msg.Reply{}
}

// counted gives back what was counted for a message that the sender keeps: it comes
// again, and is counted again.
type counted struct {
	smtpd.Handler
	quota *account.Quota
}

// Handle implements smtpd.Handler.
func (c counted) Handle(ctx context.Context, m *msg.Message) msg.Reply {
	r := c.Handler.Handle(ctx, m)
	if name := quotaOf(m.Session.Identity); name != "" && r.Temporary() {
		c.quota.GiveBack(name, int64(len(m.Envelope.To)))
	}
	return r
}

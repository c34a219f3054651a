package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"congthu/configs"
	"congthu/internal/config"
	"congthu/internal/digest"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/signing"
	"congthu/internal/smtpd"
	"congthu/internal/store"
	"congthu/internal/token"
)

// post is what the gateway itself writes to people, and the letters it takes itself.
type post struct {
	g       *gateway
	texts   atomic.Pointer[notice.Texts]
	sender  *digest.Sender // nil: no digests
	replies *digest.Replies
	trail   func(context.Context, *msg.Message, pipeline.Walk)
}

// shippedTexts are the texts as they come with the program.
func shippedTexts() fs.FS {
	sub, err := fs.Sub(configs.Notices, "notices")
	if err != nil {
		panic(err) // the files are part of the program
	}
	return sub
}

func (g *gateway) newPost() (*post, error) {
	p := &post{g: g}
	shipped, err := notice.Load(shippedTexts(), "")
	if err != nil {
		return nil, err
	}
	p.texts.Store(shipped)
	_ = p.reload() // it has logged why not: the shipped ones are used
	q := quietly{g.queue, g.judge.signer}
	codes := digest.Codes{Tags: g.db.Tags}
	c := g.cfg.Digest
	p.replies = &digest.Replies{
		Store: g.db, Queue: q, Codes: codes, Texts: p.texts.Load, NextHop: g.localHop, Release: p.release,
		Address: g.writer(), Name: c.Name, Hostname: g.cfg.Hostname, PerHour: g.cfg.Notice.PerHour, NewID: newID, Now: time.Now, Log: g.log,
	}
	if c.At != "" {
		at, _ := time.Parse("15:04", c.At) // config has checked it
		p.sender = digest.New(digest.Options{
			Store: g.db, Queue: q, Held: p.between, Box: p.box, NextHop: g.localHop, Texts: p.texts.Load, Reason: g.judge.heldBecause, May: p.may, Codes: codes,
			Address: g.writer(), Name: c.Name, Hostname: g.cfg.Hostname, Reply: c.Address != "", Hour: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute,
			Settle: g.settle(), Entries: c.Entries, Life: c.Life.Std(), NewID: newID, Now: time.Now, Log: g.log,
		})
	}
	return p, nil
}

// writer is the address that notices and digests are from.
func (g *gateway) writer() string {
	return cmp.Or(g.cfg.Digest.Address, "postmaster@"+g.cfg.Hostname)
}

// settle is how long a letter may take from the time that its row names until the row can
// be read, here or at another gateway, whose clock may be another.
func (g *gateway) settle() time.Duration {
	if g.db.Shared() {
		return time.Minute
	}
	return 2 * time.Second
}

// localHop is where the mail of a domain of ours goes: nobody else is written to.
func (g *gateway) localHop(domain string) (string, bool) {
	if !g.judge.routes.Local(domain) {
		return "", false
	}
	return g.hop(domain)
}

// quietly signs what the gateway writes and queues it; nobody is told when it cannot be
// delivered.
type quietly struct {
	queue  *queue.Queue
	signer *signing.Store
}

// PrepareQuiet implements digest.Queue.
func (s quietly) PrepareQuiet(ctx context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	for _, t := range ts {
		if err := s.signer.Sign(t); err != nil {
			return nil, err
		}
	}
	return s.queue.PrepareQuiet(ctx, ts...)
}

// box is who is told of the letters of a recipient: by the most exact name that a mailbox
// has for its domain, else the recipient.
func (p *post) box(recipient string) (digest.Box, bool) {
	path, err := smtpd.ParsePath(recipient, true)
	if err != nil || !p.g.judge.routes.Local(path.Domain) {
		return digest.Box{}, false
	}
	switch to := mailboxOf(p.g.cfg.Digest.Mailbox, path.Domain); to {
	case "", "recipient":
		return digest.Box{To: path}, true
	case "none":
		return digest.Box{}, false
	default:
		shared, err := smtpd.ParsePath(to, true)
		return digest.Box{To: shared, Shared: true}, err == nil
	}
}

// mailboxOf is the To of the mailbox whose name for a domain is the longest; "" none.
func mailboxOf(list []config.Mailbox, domain string) string {
	to, length := "", 0
	for _, m := range list {
		for _, name := range m.Domains {
			name = strings.ToLower(name)
			below, wild := strings.CutPrefix(name, "*")
			fits := name == domain || name == "*" || wild && strings.HasSuffix(domain, below)
			weight := len(name)
			if name == domain {
				weight = 1 << 10
			}
			if fits && weight > length {
				to, length = m.To, weight
			}
		}
	}
	return to
}

// heldBecause says in words why a letter is held: what decided, and where that is only a
// sum, what weighed most.
func (j *judge) heldBecause(it quarantine.Item) lang.Text {
	return because(it, j.rules.Get().Policy.Weights.Symbols)
}

func because(it quarantine.Item, symbols map[string]policy.Weight) lang.Text {
	if w, ok := symbols[it.Reason]; ok && w.VI != "" {
		return lang.T(w.VI, w.EN)
	}
	var top *msg.Weighed
	for i, f := range it.Findings {
		if f.Score > 0 && symbols[f.Symbol].VI != "" && (top == nil || f.Score > top.Score) {
			top = &it.Findings[i]
		}
	}
	lead := lang.T("Quy định của cổng thư giữ lại.", "Held by the rules of the gateway.")
	if it.Reason == "SCORE" {
		lead = lang.T("Thư giống thư rác.", "It looks like spam.")
	}
	if top == nil {
		return lead
	}
	w := symbols[top.Symbol]
	return lead.Plus(" ").Also(lang.T(w.VI, w.EN))
}

// may tells whether those whom a digest tells of a letter may ask for it.
func (p *post) may(it quarantine.Item) (ask, malware bool) {
	class := string(it.Class)
	return class != string(quarantine.Malware) && slices.Contains(p.g.cfg.Digest.Release, class), class == string(quarantine.Malware)
}

var (
	onlyAdministrator = lang.T("Chỉ quản trị viên mới cho nhận được thư này. Xin liên hệ quản trị viên.", "Only an administrator can let you have this message. Please ask your administrator.")
	maybeMalware      = lang.T("Thư này có thể chứa mã độc, nên không nhận được bằng cách trả lời bản tin. Xin liên hệ quản trị viên.", "This message may hold malware, so it cannot be asked for by a reply. Please ask your administrator.")
)

// release releases a letter to those whom the digests of an address tell of.
func (p *post) release(ctx context.Context, address msg.Path, id string, with *store.Change) error {
	it, _, err := p.g.held.Show(ctx, id)
	if errors.Is(err, quarantine.ErrNotFound) {
		return digest.ErrGone
	}
	if err != nil {
		return err
	}
	who, to := p.asks(it, address)
	if len(to) == 0 {
		return digest.ErrGone
	}
	switch ok, malware := p.may(it); {
	case malware:
		return refusal{maybeMalware}
	case !ok:
		return refusal{onlyAdministrator}
	}
	order := review.Order{To: to, With: with}
	if who.Name == "" {
		_, err = p.g.review.ForRecipient(address.Key()).Release(ctx, it.ID, order)
	} else {
		_, err = p.g.review.For(who).Release(ctx, it.ID, order)
	}
	if errors.Is(err, quarantine.ErrNotFound) {
		return digest.ErrGone
	}
	return err
}

// asks returns for which recipients of a letter an address may ask, and as whom: as itself
// (the zero Who), or where it is the mailbox of an agency as a reviewer of their domains.
func (p *post) asks(it quarantine.Item, address msg.Path) (who token.Who, to []string) {
	for _, r := range it.To {
		box, ok := p.box(r)
		if !ok || box.To.Key() != address.Key() {
			continue
		}
		to = append(to, r)
		if path, err := smtpd.ParsePath(r, true); err == nil && box.Shared {
			who.Name, who.Role, who.Via = address.Key(), token.Reviewer, "mail"
			who.Domains = append(who.Domains, path.Domain)
		}
	}
	return who, to
}

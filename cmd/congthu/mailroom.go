package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"congthu/internal/inspect"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/pipeline"
	"congthu/internal/smtpd"
)

// mailroom takes the letters that are for the gateway itself, before the path of all
// others: replies to digests, and letters that people report. None of them goes on.
type mailroom struct {
	*pipeline.Pipeline
	post *post
}

// errand is what an address of the gateway's own is for.
type errand string

const (
	errandReply errand = "reply"
	errandSpam  errand = "spam"
	errandHam   errand = "ham"
)

// errandOf tells what an address is for; "" for all that are not the gateway's own.
func (p *post) errandOf(to msg.Path) errand {
	is := func(a string) bool { return a != "" && strings.EqualFold(a, to.Key()) }
	c := p.g.cfg
	switch {
	case is(c.Digest.Address):
		return errandReply
	case slices.ContainsFunc(c.Reported.Spam, is):
		return errandSpam
	case slices.ContainsFunc(c.Reported.Ham, is):
		return errandHam
	}
	return ""
}

var (
	replyApart    = msg.Reply{Code: 452, Detail: "5.3", Text: "Xin gui rieng cho dia chi nay / Send to this address separately"}
	replyOutsider = msg.Reply{Code: 550, Detail: "7.1", Text: "Dia chi nay chi nhan thu cua nguoi dung trong tinh / This address is for our own users"}
	replyNobody   = msg.Reply{Code: 550, Detail: "7.1", Text: "Nguoi gui chua duoc xac thuc / The sender is not authenticated"}
)

// checkRcpt answers RCPT for the gateway's own addresses; ok false: it is not one. A letter
// has one reply, so that a letter to the gateway is to nobody else; servers send what
// is put off so in a letter of its own (RFC 5321 section 4.5.3.1.10).
func (p *post) checkRcpt(env msg.Envelope, to msg.Path) (r msg.Reply, ok bool) {
	ours := p.errandOf(to) != ""
	others := len(env.To) > 0
	if others && (ours || p.errandOf(env.To[0]) != "") {
		return replyApart, true
	}
	if ours && !env.From.IsNull() && !p.g.judge.routes.Local(env.From.Domain) {
		return replyOutsider, true
	}
	return msg.Reply{}, ours
}

// Handle implements smtpd.Handler.
func (r mailroom) Handle(ctx context.Context, m *msg.Message) msg.Reply {
	d := r.post.errandOf(m.Envelope.To[0])
	if d == "" {
		return r.Pipeline.Handle(ctx, m)
	}
	w := pipeline.Walk{}
	w.Reply, w.Err = r.take(ctx, m, d)
	r.post.trail(ctx, m, w)
	return w.Reply
}

// take takes a letter that is for the gateway.
func (r mailroom) take(ctx context.Context, m *msg.Message, d errand) (msg.Reply, error) {
	if r.Pin != nil {
		r.Pin(m)
	}
	m.Root = mimetree.Parse(m.Raw, mimetree.DefaultLimits())
	if notice.Automatic(m.Envelope.From, m.Root) {
		r.post.g.log.Info("letter of a machine to the gateway: nothing is done", "id", m.ID, "errand", string(d))
		return taken(m), nil
	}
	for _, o := range inspect.Run(ctx, m, r.Authenticate) {
		m.Auth = append(m.Auth, o.Auth...)
		if o.Err != nil {
			return replyTrouble, o.Err
		}
	}
	author, err := r.post.author(m)
	if err != nil {
		r.post.g.log.Info("letter to the gateway refused", "id", m.ID, "errand", string(d), "reason", err)
		if unsure(m) {
			return replyTrouble, nil
		}
		return replyNobody, nil
	}
	if d != errandReply && !r.post.g.judge.routes.Local(author.Domain) {
		return replyOutsider, nil
	}
	if err := r.serve(ctx, m, d, author); err != nil {
		return replyTrouble, err
	}
	return taken(m), nil
}

func (r mailroom) serve(ctx context.Context, m *msg.Message, d errand, author msg.Path) error {
	if d == errandReply {
		return r.post.replies.Take(ctx, m, author)
	}
	return r.post.report(ctx, m, d == errandSpam, author)
}

func taken(m *msg.Message) msg.Reply {
	return msg.Reply{Code: 250, Detail: "0.0", Text: "Da nhan / Accepted, id=" + m.ID}
}

// unsure tells whether authentication could not be looked at: then the sender comes again.
func unsure(m *msg.Message) bool {
	return slices.ContainsFunc(m.Auth, func(a msg.AuthResult) bool { return a.Status == "temperror" })
}

var (
	errAuthors = errors.New("the field From is not one address")
	errSender  = errors.New("the envelope sender is not the author")
	errProof   = errors.New("nobody stands behind the author")
)

// author is the mailbox that is proven to have written the letter: the one address of From,
// which is the envelope sender as well, whose own domain stands behind it.
func (p *post) author(m *msg.Message) (msg.Path, error) {
	fields := m.Root.Fields("From")
	if len(fields) != 1 {
		return msg.Path{}, errAuthors
	}
	list, odd := mimetree.Addresses(fields[0].Value)
	if len(list) != 1 || len(odd) > 0 {
		return msg.Path{}, errAuthors
	}
	author, err := smtpd.ParsePath(list[0].Local+"@"+list[0].Domain, true)
	switch {
	case err != nil:
		return msg.Path{}, errAuthors
	case author.Key() != m.Envelope.From.Key():
		return msg.Path{}, errSender
	case !proven(m) && !signedBy(m, author.Domain):
		return msg.Path{}, errProof
	}
	return author, nil
}

// signedBy tells whether a DKIM signature of exactly that domain verifies.
func signedBy(m *msg.Message, domain string) bool {
	return slices.ContainsFunc(m.Auth, func(a msg.AuthResult) bool {
		return a.Method == "dkim" && a.Status == "pass" && a.Property == "header.d" && strings.EqualFold(a.Value, domain)
	})
}

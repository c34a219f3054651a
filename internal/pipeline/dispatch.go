package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// internalTrouble is what the sender hears when the fault is ours: temporary, and
// without a word of what it was.
func internalTrouble() msg.Reply {
	return msg.Reply{Code: 451, Detail: "3.0", Text: "Tam thoi chua xu ly duoc, xin gui lai / Temporarily unable to process, try again later"}
}

// dispatch encrypts what must be encrypted, signs, and then delivers or holds. It changes
// the walk's reply when the responsibility could not be taken after all.
func (p *Pipeline) dispatch(ctx context.Context, m *msg.Message, w *Walk) {
	transfers, holds, err := p.copies(m, w.Decisions)
	switch {
	case err != nil:
		w.Reply, w.Err = internalTrouble(), err
	case len(transfers) == 1 && len(holds) == 0:
		p.cutThrough(ctx, m, transfers[0], w)
	default:
		w.Queued = len(transfers) > 0
		w.Reply, w.Err = p.keep(ctx, m, transfers, holds)
	}
}

// copies makes what leaves and what is held: one copy per decision, and the original
// beside a copy from which something is taken out, so that it can be released.
func (p *Pipeline) copies(m *msg.Message, ds []msg.Decision) ([]*msg.Transfer, []Hold, error) {
	var transfers []*msg.Transfer
	var holds []Hold
	for i, d := range ds {
		if d.Action == msg.Quarantine || len(d.Strip) > 0 {
			holds = append(holds, p.hold(m, d))
		}
		if d.Action == msg.Quarantine {
			continue
		}
		letter, err := p.stripped(m, d)
		if err != nil {
			return nil, nil, err
		}
		if d.Open {
			if letter, err = opened(m); err != nil {
				return nil, nil, err
			}
		}
		t := transfer(letter, d, copyID(m.ID, i), p.Stamp(letter, d))
		if len(d.EncryptTo) > 0 || d.Sign != "" {
			clear := t.Content
			t.Content, t.Fill = nil, func(t *msg.Transfer) error { return p.seal(m, d, t, clear) }
		} else if err := p.sign(t); err != nil {
			return nil, nil, err
		}
		transfers = append(transfers, t)
	}
	return transfers, holds, nil
}

// hold keeps the whole message.
func (p *Pipeline) hold(m *msg.Message, d msg.Decision) Hold {
	taken := d.Strip
	d.Action, d.Strip, d.Open = msg.Quarantine, nil, false
	return Hold{Decision: d, Content: p.Stamp(m, d), Stripped: taken}
}

// stripped is the message that leaves.
func (p *Pipeline) stripped(m *msg.Message, d msg.Decision) (*msg.Message, error) {
	if len(d.Strip) == 0 {
		return m, nil
	}
	raw, err := p.Strip(m, d)
	if err != nil {
		return nil, err
	}
	rest := *m
	rest.Raw, rest.Root = raw, nil
	return &rest, nil
}

var errClosed = errors.New("there is nothing opened to deliver")

// opened is the letter that was inside, as one that came itself.
func opened(m *msg.Message) (*msg.Message, error) {
	i := slices.IndexFunc(m.Opened, func(o *msg.Message) bool { return o.Inside != nil && o.Inside.Whole })
	if i < 0 {
		return nil, errClosed
	}
	inner := *m.Opened[i]
	inner.Root, inner.Received = nil, m.Received
	inner.Envelope.EightBit = inner.Envelope.EightBit || slices.ContainsFunc(inner.Raw, func(b byte) bool { return b >= 0x80 })
	return &inner, nil
}

// copyID names the copies of one message: the first has the message's own id.
func copyID(id string, i int) string {
	if i == 0 {
		return id
	}
	return fmt.Sprintf("%s-%d", id, i)
}

// seal encrypts the message below the header block. The block stays readable: it says how
// the letter came and is not the letter. Each copy is made when it is about to leave or to
// be stored, so that a large letter to many is not in memory many times.
func (p *Pipeline) seal(m *msg.Message, d msg.Decision, t *msg.Transfer, clear [][]byte) error {
	body, err := p.Encrypt(m, d, clear[1:])
	if err != nil {
		return fmt.Errorf("encrypt for %s: %w", d.To[0].Key(), err)
	}
	t.Content = append([][]byte{clear[0]}, body...)
	return p.sign(t)
}

func (p *Pipeline) sign(t *msg.Transfer) error {
	if err := p.Sign(t); err != nil {
		return fmt.Errorf("sign for %s: %w", t.To[0].Key(), err)
	}
	return nil
}

func transfer(m *msg.Message, d msg.Decision, id string, content [][]byte) *msg.Transfer {
	return &msg.Transfer{
		ID: id, NextHop: d.NextHop, From: m.Envelope.From, To: d.To,
		SMTPUTF8: m.Envelope.SMTPUTF8, EightBit: m.Envelope.EightBit, Outbound: m.Session.Outbound, Client: &m.Session, Content: content,
	}
}

// cutThrough hands the only copy to the next hop while the sender waits. The next
// hop's 250 is ours and so is its refusal; anything less certain goes to the queue,
// and is ours from the moment it is synced there. There is one reply for several
// recipients: where they fare differently it is 250, and the queue tells the sender of
// those that are refused in the end.
func (p *Pipeline) cutThrough(ctx context.Context, m *msg.Message, t *msg.Transfer, w *Walk) {
	if err := t.Ready(); err != nil {
		w.Reply, w.Err = internalTrouble(), err
		return
	}
	hop, cancel := context.WithTimeout(ctx, p.CutThrough)
	defer cancel()
	replies := p.Relay.Deliver(hop, t)
	if len(replies) != len(t.To) { // a broken relay knows nothing
		replies = make([]msg.Reply, len(t.To))
	}
	rest, tried, refused := left(t.To, replies)
	switch {
	case len(rest) == 0:
		w.Reply = accepted(m.ID)
		return
	case refused:
		w.Reply = theirRefusal(replies[0])
		return
	}
	w.Queued, w.Hop = true, firstNot(replies)
	again := *t
	again.To, again.Tried = rest, tried
	w.Reply, w.Err = p.keep(ctx, m, []*msg.Transfer{&again}, nil)
	w.DupRisk = twice(replies, w.Err != nil)
}

// firstNot returns the first reply that is not positive.
func firstNot(replies []msg.Reply) msg.Reply {
	return replies[slices.IndexFunc(replies, func(r msg.Reply) bool { return !r.Positive() })]
}

// twice tells whether a recipient may get the message a second time: the next hop was
// silent after the final dot, or has taken it for some while the sender keeps it for all.
func twice(replies []msg.Reply, kept bool) bool {
	return slices.ContainsFunc(replies, func(r msg.Reply) bool { return r.Code == 0 || kept && r.Positive() })
}

// left returns the recipients that the next hop has not taken with what it said to
// them, and whether it has refused every one of them for good.
func left(to []msg.Path, replies []msg.Reply) (rest []msg.Path, tried []msg.Reply, refused bool) {
	refused = len(replies) > 0
	for i, r := range replies {
		if i < len(to) && !r.Positive() {
			rest, tried = append(rest, to[i]), append(tried, r)
		}
		refused = refused && r.Permanent()
	}
	return rest, tried, refused
}

// keep makes everything durable at once; without that there is no 250.
func (p *Pipeline) keep(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []Hold) (msg.Reply, error) {
	if err := p.Keeper.Keep(ctx, m, transfers, holds); err != nil {
		return notKept(err), fmt.Errorf("keep: %w", err)
	}
	return accepted(m.ID), nil
}

// notKept is the answer to a failure of the Keeper. A full disk has a code of its own
// (RFC 5321 section 4.5.3.1.10), which tells the sender's operator where to look.
func notKept(err error) msg.Reply {
	if errors.Is(err, ErrNoSpace) {
		return msg.Reply{Code: 452, Detail: "3.1", Text: "Het cho luu tru, xin gui lai / Insufficient system storage, try again later"}
	}
	return internalTrouble()
}

func accepted(id string) msg.Reply {
	return msg.Reply{Code: 250, Detail: "0.0", Text: "Da nhan / Accepted, id=" + id}
}

// theirRefusal passes the next hop's refusal on, marked as its own.
func theirRefusal(r msg.Reply) msg.Reply {
	if r.Detail == "" {
		r.Detail = "0.0"
	}
	r.Text = "May chu nhan tu choi / Refused by the receiving server: " + strings.TrimSpace(r.Text)
	return r
}

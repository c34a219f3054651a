package quarantine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// holding is a message on its way into quarantine. What a release delivers is
// head followed by raw without its first skip octets: the copy differs from the
// original only near its top, so the rest is kept once.
type holding struct {
	q        *Quarantine
	item     Item
	from     msg.Path
	to       []msg.Path
	smtputf8 bool
	eightbit bool
	facts    string // sealed, as is search
	search   string
	head     *store.Body
	raw      *store.Body
	skip     int
}

// facts is what is kept of an item beside its columns.
type facts struct {
	Subject  string           `json:"subject"`
	Reason   string           `json:"reason"`
	Rule     string           `json:"rule,omitempty"`
	Rules    string           `json:"rules,omitempty"`
	Score    float64          `json:"score"`
	Required float64          `json:"required"`
	Findings []msg.Weighed    `json:"findings"`
	Blind    []string         `json:"blind"`
	Auth     []msg.AuthResult `json:"auth"`
	Remote   string           `json:"remote"`
	Helo     string           `json:"helo"`
	TLS      string           `json:"tls"`
	Outbound bool             `json:"outbound"`
	Agency   string           `json:"agency,omitempty"`
	Account  string           `json:"account,omitempty"`
}

func (q *Quarantine) hold(m *msg.Message, d msg.Decision, content [][]byte) (*holding, error) {
	if err := check(m, d); err != nil {
		return nil, err
	}
	now := q.o.Now()
	h := &holding{
		q: q, from: m.Envelope.From, to: append([]msg.Path(nil), d.To...),
		smtputf8: m.Envelope.SMTPUTF8, eightbit: m.Envelope.EightBit,
		item: Item{
			ID: m.ID, Message: m.ID, From: m.Envelope.From.Raw, NextHop: d.NextHop,
			Subject: subject(m.Raw), Class: ClassOf(d.Reason, d.Why.Counted), Reason: d.Reason, Outbound: m.Session.Outbound, Held: now, Size: int64(len(m.Raw)),
		},
	}
	h.item.Expires = now.Add(q.keep(h.item.Class))
	for _, p := range d.To {
		h.item.To = append(h.item.To, p.Raw)
	}
	if err := h.describe(m, d); err != nil {
		return nil, err
	}
	if err := h.stage(q.o.Store, m.Raw, content); err != nil {
		return nil, err
	}
	h.facts = q.o.Store.SealText(factsName(h.raw.ID), h.facts)
	h.search = q.o.Store.SealText(searchName(h.raw.ID), searched{m.Session.Identity.Agency, d.Reason, symbolsOf(d.Why.Counted), searchText(&h.item)}.pack())
	return h, nil
}

// keep is how long a message of a class is held.
func (q *Quarantine) keep(c Class) time.Duration {
	if d := q.o.KeepClass[c]; d > 0 {
		return d
	}
	return q.o.Keep
}

// describe gathers what was found. Evidence is a stranger's text: it is made
// safe here, so that no reader can forget to.
func (h *holding) describe(m *msg.Message, d msg.Decision) error {
	f := facts{
		Subject: h.item.Subject, Reason: d.Reason, Rule: d.Rule, Rules: m.Rules, Score: d.Why.Score, Required: d.Why.Required, Blind: d.Why.Blind, Auth: m.Auth,
		Helo: lang.Safe(m.Session.Helo, 255), TLS: m.Session.TLS, Outbound: m.Session.Outbound, Agency: m.Session.Identity.Agency, Account: m.Session.Identity.Account,
	}
	if m.Session.Remote.IsValid() {
		f.Remote = m.Session.Remote.String()
	}
	for _, w := range d.Why.Counted {
		w.Evidence = lang.Safe(w.Evidence, 500)
		f.Findings = append(f.Findings, w)
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("quarantine: %s: %w", m.ID, err)
	}
	h.facts = string(text)
	return nil
}

// stage puts the contents on disk as far as they are large.
func (h *holding) stage(db *store.DB, raw []byte, content [][]byte) error {
	head, skip := headOf(content, raw)
	var err error
	if h.raw, err = db.Stage(raw); err != nil {
		return err
	}
	if h.head, err = db.Stage(head...); err != nil {
		h.raw.Discard()
		return err
	}
	h.skip = skip
	return nil
}

// headOf divides content into what must be kept and what raw has: content is
// head followed by raw[skip:].
func headOf(content [][]byte, raw []byte) (head [][]byte, skip int) {
	skip = len(raw)
	for i := len(content) - 1; i >= 0; i-- {
		c := content[i]
		n := commonTail(c, raw[:skip])
		skip -= n
		if n < len(c) {
			return append(append(head, content[:i]...), c[:len(c)-n]), skip
		}
	}
	return nil, skip
}

// commonTail returns how many octets at the end of a and b are the same.
func commonTail(a, b []byte) int {
	if len(a) <= len(b) && bytes.Equal(a, b[len(b)-len(a):]) {
		return len(a) // the usual case, at the speed of memory
	}
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func check(m *msg.Message, d msg.Decision) error {
	switch {
	case m.ID == "":
		return errors.New("quarantine: message without an id")
	case len(d.To) == 0:
		return fmt.Errorf("quarantine: %s has no recipient", m.ID)
	}
	for _, p := range append([]msg.Path{m.Envelope.From}, d.To...) {
		if !clean(p.Raw) || !clean(p.Local) || !clean(p.Domain) {
			return fmt.Errorf("quarantine: %s: address is not clean UTF-8", m.ID)
		}
	}
	return nil
}

// clean tells whether a database text keeps s as it is.
func clean(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// insert writes the rows. The id gets a suffix when the message is held in
// another copy already.
func (h *holding) insert(ctx context.Context, tx store.Tx) error {
	for _, b := range []*store.Body{h.head, h.raw} {
		if err := b.Attach(ctx, tx); err != nil {
			return err
		}
	}
	for n := 2; ; n++ {
		free, err := h.insertRow(ctx, tx)
		if err != nil {
			return fmt.Errorf("quarantine: %s: %w", h.item.ID, err)
		}
		if free {
			break
		}
		h.item.ID = fmt.Sprintf("%s-%d", h.item.Message, n)
	}
	if err := h.q.changed(ctx, tx, h.item.ID); err != nil {
		return fmt.Errorf("quarantine: %s: %w", h.item.ID, err)
	}
	for n, p := range h.to {
		if _, err := tx.Exec(ctx, `INSERT INTO quarantine_rcpt (id, n, rcpt, rcpt_local, rcpt_domain) VALUES ($1, $2, $3, $4, $5)`,
			h.item.ID, n, p.Raw, p.Local, p.Domain); err != nil {
			return fmt.Errorf("quarantine: %s: %w", h.item.ID, err)
		}
	}
	return nil
}

func (h *holding) insertRow(ctx context.Context, tx store.Tx) (bool, error) {
	i := &h.item
	r, err := tx.Exec(ctx, `INSERT INTO quarantine (id, message, sender, sender_local, sender_domain, smtputf8, eightbit, next_hop,
			held, expires, size, facts, search, head, skip, raw, outbound, domains, class)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (id) DO NOTHING`,
		i.ID, i.Message, h.from.Raw, h.from.Local, h.from.Domain, number(h.smtputf8), number(h.eightbit), i.NextHop,
		i.Held.UnixMilli(), i.Expires.UnixMilli(), i.Size, h.facts, h.search, h.head.ID, h.skip, h.raw.ID, number(h.item.Outbound), h.domains(), i.Class)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// domains lists those of the recipients, each once.
func (h *holding) domains() string {
	var out []string
	for _, p := range h.to {
		if !slices.Contains(out, p.Domain) {
			out = append(out, p.Domain)
		}
	}
	return strings.Join(out, " ")
}

// number is a truth value as the tables hold it.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

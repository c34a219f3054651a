// Package review is what a person may do with held mail, whoever the person is and however
// they come: the commands, the API, the web console and replies by mail all ask here and
// never the quarantine itself.
//
// Each act stays within the rights of who acts: a reviewer sees and touches the mail of
// its own domains, and what lies outside is as if it were not there, by list, by id and by
// every part of an id. Each act is on record: what changes something commits in one
// transaction with its entry in the audit chain, what reads is recorded before it is
// answered. No entry, no act.
//
// A release is looked at again with the rules of today. What they call harmful is not
// released by anybody, nor is what cannot be looked at just now. What was held as harmful,
// or cannot be looked into at all, needs two people: one agrees, another releases.
//
// With a release its sender may be allowed, for those to whom it goes or for their agency:
// further letters that are proven to be of that sender get through although they look like
// spam. A release cannot be taken back; that can.
package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/plain"
	"congthu/internal/quarantine"
	"congthu/internal/store"
	"congthu/internal/token"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound  = quarantine.ErrNotFound // there is none, or none that this person may see
	ErrForbidden = errors.New("review: not among the rights of the caller")
)

// Today is what the rules of today find in a held message.
type Today struct {
	Reason   string // why they would hold it; "": they would not
	Findings []msg.Weighed
	Blind    []string // required inspectors that could not look
	Beyond   string   // why they would hold it if its sender were allowed; "": they would not
}

// Options are the parts of a desk.
type Options struct {
	Quarantine *quarantine.Quarantine
	Audit      *audit.Log
	// Rescan looks at a message with the rules of today.
	Rescan func(context.Context, quarantine.Item, []byte) (Today, error)
	// Explain says why a message is held, or (now) what the rules of today say, as a document for JSON.
	Explain func(ctx context.Context, i quarantine.Item, raw []byte, now bool) (any, error)
	// Teach teaches the classifier; the record commits together with the lesson.
	Teach func(ctx context.Context, raw []byte, r Lesson) (lessons.Lesson, error)
	// Allowed keeps whose letters are let through; nil: senders cannot be allowed here.
	Allowed  *allowance.Book
	AllowFor time.Duration                // how long
	Agency   func(domain string) []string // the domains of the agency that has that one; nil: that one alone
}

// Lesson is what somebody says of a held message.
type Lesson struct {
	Spam   bool
	Actor  string
	Source string
	Record *store.Change
}

// Desk is where held mail is reviewed.
type Desk struct{ o Options }

// New returns the desk of a quarantine.
func New(o Options) *Desk { return &Desk{o} }

// Reviewer is one person at the desk.
type Reviewer struct {
	d      *Desk
	who    token.Who
	within *quarantine.Within
	own    bool // a recipient, who may have only their own mail
}

// For returns what a caller may do.
func (d *Desk) For(w token.Who) *Reviewer {
	r := &Reviewer{d: d, who: w, within: d.o.Quarantine.All()}
	if !w.Everywhere() {
		r.within = d.o.Quarantine.Within(w.Sees)
	}
	return r
}

// ForRecipient returns what the owner of a mailbox may do: see and release what is held
// for exactly that address, unless it is harmful. The address is compared without case.
func (d *Desk) ForRecipient(address string) *Reviewer {
	address = strings.ToLower(strings.TrimSpace(address))
	return &Reviewer{d: d, own: true, who: token.Who{Name: address, Role: "recipient", Via: "mail"}, within: d.o.Quarantine.For(address)}
}

// may returns ErrForbidden unless the person may do the act: "read" or "review".
func (r *Reviewer) may(act string) error {
	if r.own && r.who.Name != "" || !r.own && r.who.May(act) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrForbidden, act)
}

// entry is the record of an act.
func (r *Reviewer) entry(act, object string, to []string, detail string) audit.Entry {
	return audit.Entry{Actor: r.who.Name, Person: r.who.Stated(), Role: string(r.who.Role), Via: r.who.Via, Act: act, Object: object, Agency: domains(to), Detail: detail}
}

// domains lists those of addresses, each once: whose mail it was.
func domains(to []string) string {
	var out []string
	for _, a := range to {
		d := strings.ToLower(a[strings.LastIndexByte(a, '@')+1:])
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return strings.Join(out, " ")
}

// acts is how something is done that commits with its record.
func (r *Reviewer) acts(act, id, detail string) quarantine.Act {
	other := func(x quarantine.Approval) bool { return !r.who.Same(x.Who, x.Person, x.Token) }
	return quarantine.Act{Actor: r.who.Name, Person: r.who.Person, Token: r.who.Token, Other: other, Record: func(to []msg.Path) []*store.Change {
		names := raws(to)
		return []*store.Change{r.d.o.Audit.Change(r.entry(act, id, names, join("to "+strings.Join(names, " "), detail)))}
	}}
}

func raws(to []msg.Path) []string {
	out := make([]string, len(to))
	for i, p := range to {
		out[i] = p.Raw
	}
	return out
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// List returns held messages, newest first.
func (r *Reviewer) List(ctx context.Context, f quarantine.Filter) (quarantine.Page, error) {
	if err := r.may("read"); err != nil {
		return quarantine.Page{}, err
	}
	p, err := r.within.Page(ctx, f)
	if err != nil {
		return quarantine.Page{}, refusal(err)
	}
	about, err := json.Marshal(f)
	if err != nil {
		return quarantine.Page{}, fmt.Errorf("review: %w", err)
	}
	if err := r.d.o.Audit.Record(ctx, r.entry("quarantine.list", "", nil, fmt.Sprintf("%d of %d, %s", len(p.Items), p.Total, about))); err != nil {
		return quarantine.Page{}, err
	}
	return p, nil
}

// read reads a message and records that it was read, and why.
func (r *Reviewer) read(ctx context.Context, part, act, detail string) (quarantine.Item, []byte, error) {
	i, raw, err := r.look(ctx, part, "read")
	if err != nil {
		return i, nil, err
	}
	if err := r.d.o.Audit.Record(ctx, r.entry(act, i.ID, i.To, detail)); err != nil {
		return quarantine.Item{}, nil, err
	}
	return i, raw, nil
}

// look reads a message that is about to be acted on.
func (r *Reviewer) look(ctx context.Context, part, right string) (quarantine.Item, []byte, error) {
	id, err := r.resolve(ctx, part, right)
	if err != nil {
		return quarantine.Item{}, nil, err
	}
	return r.within.Show(ctx, id)
}

// resolve returns the id that a text stands for, to somebody who has the right.
func (r *Reviewer) resolve(ctx context.Context, part, right string) (string, error) {
	if err := r.may(right); err != nil {
		return "", err
	}
	id, err := r.within.Resolve(ctx, part)
	return id, refusal(err)
}

// Show returns a message with its octets as they were received; what is harmful only to
// somebody who says that they know.
func (r *Reviewer) Show(ctx context.Context, id string, iKnow bool) (quarantine.Item, []byte, error) {
	return r.octets(ctx, id, "quarantine.show", iKnow)
}

// Item returns what is known of a message, without a word of what is in it.
func (r *Reviewer) Item(ctx context.Context, id string) (quarantine.Item, error) {
	id, err := r.resolve(ctx, id, "read")
	if err != nil {
		return quarantine.Item{}, err
	}
	i, err := r.within.Item(ctx, id)
	if err != nil {
		return i, err
	}
	return i, r.d.o.Audit.Record(ctx, r.entry("quarantine.show", i.ID, i.To, "without its content"))
}

// View is a message that is safe to look at: no octet of it reaches a terminal or a page
// as it is.
type View struct {
	Item quarantine.Item `json:"item"`
	plain.View
}

// View returns a message as text.
func (r *Reviewer) View(ctx context.Context, id string) (View, error) {
	i, raw, err := r.read(ctx, id, "quarantine.show", "as text")
	if err != nil {
		return View{}, err
	}
	return View{i, plain.Of(raw)}, nil
}

// Explain says why a message is held; now: what the rules of today say of it.
func (r *Reviewer) Explain(ctx context.Context, id string, now bool) (any, error) {
	detail := ""
	if now {
		detail = "by the rules of today"
	}
	i, raw, err := r.read(ctx, id, "quarantine.explain", detail)
	if err != nil {
		return nil, err
	}
	return r.d.o.Explain(ctx, i, raw, now)
}

// Export returns the octets of a message to be kept or looked at elsewhere, by the same
// rule as Show.
func (r *Reviewer) Export(ctx context.Context, id string, iKnow bool) ([]byte, error) {
	_, raw, err := r.octets(ctx, id, "quarantine.export", iKnow)
	return raw, err
}

// octets gives a message away as it is, and puts that on record. It is the only way to
// octets that may be harmful.
func (r *Reviewer) octets(ctx context.Context, id, act string, iKnow bool) (quarantine.Item, []byte, error) {
	i, _, err := r.look(ctx, id, "read")
	if err != nil {
		return i, nil, err
	}
	detail := string(i.Class)
	if i.Class == quarantine.Malware {
		if r.own || !iKnow {
			return quarantine.Item{}, nil, &Refusal{"malware", lang.T(
				"thư này có mã độc: chỉ lấy nguyên văn khi cần phân tích và biết cách giữ an toàn; nếu chắc chắn, thêm --i-know (API: i_know=true)",
				"this message has malware in it: its octets are given only for analysis, to somebody who knows how to keep them safe; if that is you, add --i-know (API: i_know=true)")}
		}
		detail += ", knowing that it is harmful"
	}
	return r.read(ctx, i.ID, act, detail)
}

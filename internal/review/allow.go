package review

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/inspect/known"
	"congthu/internal/lang"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/store"
)

// Scope is for whom a sender is allowed.
type Scope string

// The scopes.
const (
	ToRecipient Scope = "recipient" // those to whom the letter is released
	ToAgency    Scope = "agency"    // all of their agencies, as far as these are the reviewer's
)

// allows adds to a release that its sender is allowed from now on. It commits with the
// release or neither does.
func (r *Reviewer) allows(act *quarantine.Act, out *Released, i quarantine.Item, raw []byte, s Scope) error {
	sender, err := r.allowable(i, raw, s)
	if err != nil {
		return err
	}
	release := act.Record
	act.Record = func(to []msg.Path) []*store.Change {
		list, give, err := r.d.o.Allowed.Give(sender, r.reach(to, s), r.who.Name, i.ID, r.d.o.AllowFor)
		if err != nil {
			return []*store.Change{{Apply: func(context.Context, store.Tx) error { return err }}}
		}
		out.Allowed = list
		about := r.entry("sender.allow", sender, raws(to), "for "+strings.Join(reached(list), " ")+" until "+list[0].Until.Format(time.RFC3339)+"; with "+i.ID)
		return append([]*store.Change{give}, append(release(to), r.d.o.Audit.Change(about))...)
	}
	return nil
}

// allowable returns the sender of a held message, if it may be allowed.
func (r *Reviewer) allowable(i quarantine.Item, raw []byte, s Scope) (string, error) {
	switch {
	case r.own:
		return "", ErrForbidden
	case s != ToRecipient && s != ToAgency:
		return "", &Refusal{"scope", lang.T(`--allow-sender là "recipient" (chỉ cho người nhận này) hoặc "agency" (cả cơ quan)`, `--allow-sender is "recipient" (for these recipients only) or "agency"`)}
	case r.d.o.Allowed == nil || r.d.o.AllowFor <= 0:
		return "", &Refusal{"off", lang.T(
			`việc cho phép người gửi đang tắt trong cấu hình: [quarantine] allow = "0s", hoặc [inspect] skip có "auth" hay "known"; thư chưa được thả`,
			`senders cannot be allowed by the settings: [quarantine] allow = "0s", or "auth" or "known" in [inspect] skip; the message is not released`)}
	case i.Class == quarantine.Malware:
		return "", &Refusal{"harmful", lang.T("thư bị giữ vì mã độc, nên không cho phép người gửi của nó; thư chưa được thả, muốn thả thì bỏ --allow-sender", "it is held as malware, so that its sender is not allowed; the message is not released, do so without --allow-sender")}
	case i.Outbound:
		return "", &Refusal{"ours", lang.T("đây là thư của người gửi bên mình; chỉ cho phép được người gửi bên ngoài; thư chưa được thả", "it is a letter of our own sender; only senders from outside can be allowed; the message is not released")}
	case i.From == "":
		return "", &Refusal{"null", lang.T("thư không có người gửi phong bì (thư báo tự động), nên không có ai để cho phép; thư chưa được thả", "it has the null sender, as notices of machines have, so there is nobody to allow; the message is not released")}
	}
	sender, ok := known.Sender(&msg.Message{Root: mimetree.Parse(raw, mimetree.DefaultLimits()), Auth: i.Auth})
	if !ok {
		return "", &Refusal{"unproven", lang.T(
			"không cho phép được: không có gì chứng minh thư này đúng là của địa chỉ ở mục Từ (DMARC, hoặc DKIM, SPF của tên miền ấy), cho phép là mở cửa cho kẻ giả mạo; thư chưa được thả, thả thì bỏ --allow-sender",
			"it cannot be allowed: nothing proves that the address in From has sent this letter (DMARC, or DKIM or SPF of its domain), and to allow it would let forgers in; the message is not released, do so without --allow-sender")}
	}
	return sender, nil
}

// reach lists for whom a sender is allowed: the recipients, or the domains of their
// agencies that the reviewer has a right to.
func (r *Reviewer) reach(to []msg.Path, s Scope) (out []string) {
	add := func(name string) {
		if name = strings.ToLower(name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, p := range to {
		switch {
		case p.Domain == "": // <postmaster> is whoever it is delivered to
			continue
		case s == ToRecipient:
			add(p.Key())
			continue
		}
		add(p.Domain)
		for _, d := range r.agency(p.Domain) {
			add(d)
		}
	}
	return out
}

// agency lists the domains of the agency that has a domain, as far as they are the
// reviewer's. What lies under "*.x" has no end, so that only what is named counts.
func (r *Reviewer) agency(domain string) (out []string) {
	if r.d.o.Agency == nil {
		return nil
	}
	for _, d := range r.d.o.Agency(domain) {
		if !strings.HasPrefix(d, "*") && r.who.Sees(d) {
			out = append(out, d)
		}
	}
	return out
}

func reached(list []allowance.Allowance) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.For
	}
	return out
}

// Allowed lists the senders that are allowed for those whose mail is the reviewer's.
func (r *Reviewer) Allowed(ctx context.Context) ([]allowance.Allowance, error) {
	if err := r.mayAllow("read"); err != nil {
		return nil, err
	}
	if r.d.o.Allowed == nil {
		return []allowance.Allowance{}, nil
	}
	list, err := r.d.o.Allowed.List(ctx, r.who.Sees)
	if err != nil {
		return nil, err
	}
	return list, r.d.o.Audit.Record(ctx, r.entry("sender.list", "", nil, strconv.Itoa(len(list))))
}

// Disallow takes back that a sender is allowed. What lies outside of the reviewer's rights
// is not there.
func (r *Reviewer) Disallow(ctx context.Context, id string) error {
	if err := r.mayAllow("review"); err != nil {
		return err
	}
	none := &Refusal{"allowance", lang.T("không có người gửi nào được cho phép với mã này; xem congthu quarantine allowed", "no sender is allowed with this id; see congthu quarantine allowed")}
	if r.d.o.Allowed == nil {
		return none
	}
	a, err := r.d.o.Allowed.Get(ctx, strings.ToUpper(strings.TrimSpace(id)))
	if err == nil && !r.who.Sees(a.Domain()) {
		err = allowance.ErrNotFound
	}
	if err == nil {
		err = r.d.o.Allowed.Revoke(ctx, a, r.d.o.Audit.Change(r.entry("sender.disallow", a.Sender, []string{a.For}, "for "+a.For)))
	}
	if errors.Is(err, allowance.ErrNotFound) {
		return none
	}
	return err
}

// mayAllow is may for what is nobody's mail: the owner of a mailbox has no part in it.
func (r *Reviewer) mayAllow(act string) error {
	if r.own {
		return ErrForbidden
	}
	return r.may(act)
}

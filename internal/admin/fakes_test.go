package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/allowance"
	"congthu/internal/keyring"
	"congthu/internal/pgp"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/rulebook"
	"congthu/internal/token"
)

var errNone = errors.New("none")

// services answers as the gateway's parts do and remembers what it was asked.
type services struct {
	asked  []string
	fails  error
	filter quarantine.Filter
}

func (s *services) note(parts ...string) error {
	s.asked = append(s.asked, strings.Join(parts, " "))
	return s.fails
}

type held struct {
	*services
	who token.Who
}

func (h held) List(_ context.Context, f quarantine.Filter) (quarantine.Page, error) {
	h.filter = f
	return quarantine.Page{Items: []quarantine.Item{}}, h.note("list")
}

func (h held) Show(_ context.Context, id string, _ bool) (quarantine.Item, []byte, error) {
	return quarantine.Item{ID: id}, []byte("raw\x00\xff"), h.note("show", id)
}

func (h held) View(_ context.Context, id string) (review.View, error) {
	return review.View{Item: quarantine.Item{ID: id}}, h.note("view", id)
}

func (h held) Explain(_ context.Context, id string, now bool) (any, error) {
	return map[string]string{"why": id}, h.note(fmt.Sprint("explain ", id, " ", now))
}

func (h held) Export(_ context.Context, id string, iKnow bool) ([]byte, error) {
	return []byte("raw"), h.note(fmt.Sprint("export ", id, " ", iKnow))
}

func (h held) Release(_ context.Context, id string, o review.Order) (review.Released, error) {
	return review.Released{To: o.To}, h.note("release", id, strings.Join(o.To, ","), h.who.Name)
}

func (h held) Approve(_ context.Context, id string) error { return h.note("approve", id, h.who.Name) }

func (h held) Delete(_ context.Context, id string) error { return h.note("delete", id, h.who.Name) }

func (h held) Undo(_ context.Context, id string) error { return h.note("undo", id, h.who.Name) }

func (h held) Learn(_ context.Context, id string, spam bool) error {
	return h.note(fmt.Sprint("learn ", id, " ", spam))
}

func (h held) Allowed(context.Context) ([]allowance.Allowance, error) {
	return []allowance.Allowance{{ID: "A", Sender: "x@y.test"}}, h.note("allowed", h.who.Name)
}

func (h held) Disallow(_ context.Context, id string) error { return h.note("disallow", id, h.who.Name) }

func (h held) Bulk(_ context.Context, b review.Bulk) (review.Done, error) {
	return review.Done{Count: 3, Confirm: "x"}, h.note("bulk", b.Act, b.Filter.Sender, b.Confirm)
}

type waiting struct{ *services }

func (w waiting) List(_ context.Context, f queue.Filter) ([]queue.Entry, error) {
	return nil, w.note("queue", f.Hop, f.From, f.To, f.State, strconv.Itoa(f.Limit))
}

func (w waiting) Show(_ context.Context, id string, _ queue.Scope) (queue.Detail, error) {
	return queue.Detail{ID: id}, w.note("queued", id)
}

func (w waiting) Hold(_ context.Context, id string) (int, error) { return 3, w.note("hold", id) }

func (w waiting) Release(_ context.Context, id string) (int, error) { return 4, w.note("unhold", id) }

func (w waiting) Retry(_ context.Context, id string) (int, error) { return 2, w.note("retry", id) }

func (w waiting) Drop(_ context.Context, id string) (int, error) { return 1, w.note("drop", id) }

type ring struct{ *services }

func (r ring) List(context.Context) ([]keyring.Entry, error) { return nil, r.note("keys") }

func (r ring) Show(_ context.Context, name string) (keyring.Entry, error) {
	return keyring.Entry{Source: name}, r.note("key", name)
}

func (r ring) Export(_ context.Context, names []string) ([]byte, error) {
	return []byte("out"), r.note("export", strings.Join(names, ","))
}

func (r ring) Import(_ context.Context, in keyring.Import) ([]keyring.Imported, error) {
	return []keyring.Imported{{KeyInfo: pgp.KeyInfo{Fingerprint: string(in.Octets)}}}, r.note("import", in.Source, in.Actor)
}

func (r ring) Pin(_ context.Context, in keyring.Pinning) ([]keyring.Pin, error) {
	return nil, r.note("pin", in.Key, strings.Join(in.Subjects, ","), in.Actor)
}

func (r ring) Unpin(_ context.Context, subjects []string, actor string) error {
	return r.note("unpin", strings.Join(subjects, ","), actor)
}

func (r ring) Delete(_ context.Context, names []string, actor string) error {
	return r.note("delete", strings.Join(names, ","), actor)
}

func (r ring) Calendar(_ context.Context, within time.Duration) ([]keyring.Due, error) {
	return nil, r.note("calendar", within.String())
}

func (r ring) AddOpener(_ context.Context, in keyring.NewOpener) (keyring.Secret, error) {
	return keyring.Secret{Domain: in.Domain}, r.note("open", in.Domain, in.Actor)
}

func (r ring) Secrets(context.Context) ([]keyring.Secret, error) {
	return []keyring.Secret{{Domain: "a.test", Use: keyring.Opens}}, nil
}

func (r ring) DeleteSecrets(_ context.Context, names []string, actor string) ([]keyring.Secret, error) {
	return []keyring.Secret{{Domain: names[0]}}, r.note("forget", names[0], actor)
}

func (r ring) SetSecret(_ context.Context, in keyring.NewSecret) (keyring.Secret, error) {
	return keyring.Secret{Domain: in.Domain}, r.note("sign", in.Domain, in.Actor)
}

// sets stands for the rule sets.
type sets struct{ s *services }

func (x sets) Reload(_ context.Context, canary float64, long time.Duration, actor string) error {
	return x.s.note(fmt.Sprintf("reload %g %v by %s", canary, long, actor))
}

func (x sets) Promote(_ context.Context, actor string) error { return x.s.note("promote by " + actor) }

func (x sets) Abort(_ context.Context, actor string) error { return x.s.note("abort by " + actor) }

func (x sets) Rollback(_ context.Context, hash, actor string) (admin.RolledBack, error) {
	return admin.RolledBack{Hash: hash, Written: true}, x.s.note("rollback by " + actor)
}

func (x sets) Status(context.Context) (rulebook.Status, error) {
	return rulebook.Status{MinEach: 7}, nil
}

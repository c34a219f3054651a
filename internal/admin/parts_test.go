package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/dmarcreport"
	"congthu/internal/lessons"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/token"
)

// class stands for what the classifier is taught.
type class struct{ *services }

func (c class) Teach(_ context.Context, raw []byte, r lessons.Report) (lessons.Lesson, error) {
	return lessons.Lesson{ID: string(raw)}, c.note("teach", r.Actor, r.Source)
}

func (c class) Undo(_ context.Context, id, actor string) error { return c.note("unteach", id, actor) }

func (c class) List(context.Context, int) ([]lessons.Lesson, error) { return nil, c.note("lessons") }

// purse stands for the tokens.
type purse struct{ *services }

func (p purse) Make(_ context.Context, w token.Wanted) (token.Token, string, error) {
	return token.Token{Name: w.Name, Role: w.Role}, "ct_x", p.note("mint", w.Name)
}

func (p purse) List(context.Context) ([]token.Token, error) { return nil, p.note("tokens") }

func (p purse) Revoke(_ context.Context, id string) error { return p.note("revoke", id) }

// chain stands for the record of who did what.
type chain struct{ *services }

func (c chain) List(_ context.Context, f audit.Filter) ([]audit.Entry, error) {
	all := []audit.Entry{
		{N: 1, Actor: "lan", Role: "reviewer", Act: "quarantine.list"},
		{N: 2, Actor: "an", Role: "reviewer", Act: "quarantine.list"},
		{N: 3, Agency: "a.test", Detail: "x"},
		{N: 4, Agency: "b.test", Detail: "x"},
		{N: 5, Agency: "a.test b.test", Detail: "to x@b.test"},
		{N: 6, Actor: "root", Act: "key.import"},
	}
	var out []audit.Entry
	for _, e := range all {
		if f.Show == nil {
			out = append(out, e)
		} else if e, ok := f.Show(e); ok {
			out = append(out, e)
		}
	}
	return out, c.note("audit", f.Object, f.Actor, f.Act)
}

func (c chain) Verify(context.Context) (audit.Report, error) {
	return audit.Report{Broken: &audit.Fault{N: 3}}, c.note("verify")
}

func (c chain) Export(_ context.Context, w io.Writer) error {
	_, _ = io.WriteString(w, "{}\n")
	return c.note("export")
}

// A reviewer sees what concerns its own agency and what it did itself; of a letter of two
// agencies, nothing that names the other.
func TestReviewerSeesItsOwnRecord(t *testing.T) {
	h := admin.Handler(everything(&services{}))
	for _, c := range []struct {
		who  token.Who
		want string
	}{
		{token.Who{Name: "lan", Role: token.Reviewer, Domains: []string{"a.test"}}, "1: 3:a.test 5:a.test"},
		{token.Who{Name: "an", Role: token.Reviewer, Domains: []string{"*.test"}}, "2: 3:a.test 4:b.test 5:a.test b.test"},
		{token.Who{Name: "ha", Role: token.Reviewer}, ""},
		{token.Who{Name: "root", Role: token.Auditor}, "1: 2: 3:a.test 4:b.test 5:a.test b.test 6:"},
	} {
		_, w := request(t, h, c.who, "GET", "/v1/audit", "")
		var list []audit.Entry
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			got = append(got, fmt.Sprintf("%d:%s", e.N, e.Agency))
			if e.N == 5 && e.Detail != "" && e.Agency == "a.test" {
				t.Errorf("%s sees %q", c.who.Name, e.Detail)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.who.Name, got, c.want)
		}
	}
}

// An export that fails on the way is no export: whoever reads it learns that.
func TestExportCutOff(t *testing.T) {
	cl := serve(t, &services{fails: errors.New("disk on fire")})
	var b strings.Builder
	var u *admin.Unreachable
	if err := cl.AuditExport(t.Context(), &b); !errors.As(err, &u) {
		t.Errorf("%q %v", b.String(), err)
	}
}

// post stands for the DMARC reports.
type post struct{ *services }

func (p post) Send(_ context.Context, day string, _ bool) ([]dmarcreport.Sent, error) {
	return nil, p.note("send", day)
}

func (p post) Import(_ context.Context, r *aggregate.Report) (bool, error) {
	return true, p.note("received", r.Org)
}

func (p post) Show(_ context.Context, domain string, _ time.Time) (*dmarcreport.Overview, error) {
	return &dmarcreport.Overview{}, p.note("overview", domain)
}

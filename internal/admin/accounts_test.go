package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"congthu/internal/account"
	"congthu/internal/admin"
	"congthu/internal/lang"
)

type roll struct{ *services }

func (r roll) List(context.Context) ([]account.Account, error) { return nil, r.note("accounts") }

func (r roll) Show(_ context.Context, name string) (account.Detail, error) {
	return account.Detail{Account: account.Account{Name: name}, SentHour: 7}, r.note("show", name)
}

func (r roll) Add(_ context.Context, a account.Account, hash, actor string) error {
	return r.note("add", a.Name, a.Agency, strings.Join(a.Domains, ","), hash, actor)
}

func (r roll) SetHash(_ context.Context, name, hash, actor string) error {
	return r.note("hash", name, hash, actor)
}

func (r roll) SetDisabled(_ context.Context, name string, disabled bool, actor string) error {
	return r.note("disabled", name, fmt.Sprint(disabled), actor)
}

func (r roll) SetHold(_ context.Context, name string, held bool, why, actor string) error {
	return r.note("hold", name, fmt.Sprint(held), why, actor)
}

func (r roll) Holds(context.Context) ([]account.Hold, error) {
	return []account.Hold{{Name: "lan", Why: "x"}}, r.note("holds")
}

func (r roll) Delete(_ context.Context, name, actor string) error {
	return r.note("delete", name, actor)
}

func TestAccountsReachTheirPart(t *testing.T) {
	s := &services{}
	all, ctx := serve(t, s).Accounts(), t.Context()
	if list, err := all.List(ctx); err != nil || list == nil {
		t.Errorf("%v %v", list, err)
	}
	if a, err := all.Show(ctx, "a+b@c.vn"); err != nil || a.Name != "a+b@c.vn" || a.SentHour != 7 {
		t.Errorf("%+v %v", a, err)
	}
	if err := errors.Join(
		all.Add(ctx, account.Account{Name: "lan", Domains: []string{"a.vn", "b.vn"}}, "$h", "root"), all.Add(ctx, account.Account{Name: "an", Agency: "x"}, "$h", "root"),
		all.SetHash(ctx, "lan", "$i", "root"), all.SetDisabled(ctx, "lan", true, "root"), all.SetDisabled(ctx, "lan", false, "root"), all.Delete(ctx, "a/b", "lan & co"),
	); err != nil {
		t.Error(err)
	}
	if holds, err := all.Holds(ctx); err != nil || len(holds) != 1 || holds[0].Why != "x" {
		t.Errorf("%v %v", holds, err)
	}
	if err := errors.Join(all.SetHold(ctx, "agency:so-y-te", true, "vì sao", "root"), all.SetHold(ctx, "lan", false, "", "root")); err != nil {
		t.Error(err)
	}
	want := strings.ReplaceAll("accounts; show a+b@c.vn; add lan  a.vn,b.vn $h ME; add an x  $h ME; hash lan $i ME; disabled lan true ME; disabled lan false ME; delete a/b ME; holds; hold agency:so-y-te true vì sao ME; hold lan false  ME", "ME", me())
	if got := strings.Join(s.asked, "; "); got != want {
		t.Errorf("asked %q\nwant  %q", got, want)
	}
}

func TestAccountTroubles(t *testing.T) {
	err := serve(t, &services{fails: account.ErrNotFound}).Accounts().SetHash(t.Context(), "lan", "$h", "root")
	if vi, en := said(err, lang.VI), said(err, lang.EN); vi != "không có tài khoản này" || en != "there is no such account" {
		t.Errorf("%q / %q", vi, en)
	}
	h := admin.Handler(everything(&services{}))
	for _, path := range []string{"/v1/accounts", "/v1/accounts/lan/password", "/v1/accounts/lan/state"} {
		if got, _ := request(t, h, admin.Local("lan"), "POST", path, "{"); got != http.StatusBadRequest {
			t.Errorf("%s: %d", path, got)
		}
	}
}

package account

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"congthu/internal/lang"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

const secret = "con-ngua-dung-pin-ghim"

// cheap keeps tests that are not about the cost quick.
var cheap = cost{memory: 64, passes: 1, threads: 1}

func open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func cheapHash(t testing.TB, password string) string {
	t.Helper()
	h, err := cheap.hash(password)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestBook(t *testing.T) { storetest.Each(t, testBook) }

func testBook(t *testing.T, url string) {
	var log bytes.Buffer
	b, ctx := NewBook(open(t, url), slog.New(slog.NewTextHandler(&log, nil))), t.Context()
	hash := cheapHash(t, secret)
	if err := b.Add(ctx, Account{Name: "lan", Agency: "health"}, hash, "root"); err != nil {
		t.Fatal(err)
	}
	own := Account{Name: "an@h.vn", Domains: []string{"h.vn", "*.d.h.vn"}}
	if err := b.Add(ctx, own, hash, "root"); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(ctx, Account{Name: "lan", Agency: "tax"}, hash, "root"); !errors.Is(err, ErrExists) {
		t.Errorf("a second lan: %v", err)
	}
	all, err := b.List(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "an@h.vn" || !reflect.DeepEqual(all[0].Domains, own.Domains) || all[1].Agency != "health" || all[1].Disabled || all[1].Created.IsZero() {
		t.Fatalf("%+v %v", all, err)
	}
	other := cheapHash(t, secret+"2")
	if err := errors.Join(b.SetHash(ctx, "lan", other, "root"), b.SetDisabled(ctx, "lan", true, "root")); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Get(ctx, "lan"); err != nil || a.hash != other || !a.Disabled {
		t.Errorf("%+v %v", a, err)
	}
	if err := errors.Join(b.SetDisabled(ctx, "lan", false, "root"), b.Delete(ctx, "an@h.vn", "root")); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Get(ctx, "lan"); err != nil || a.Disabled {
		t.Errorf("%+v %v", a, err)
	}
	for what, err := range map[string]error{
		"get": func() error { _, err := b.Get(ctx, "an@h.vn"); return err }(), "hash": b.SetHash(ctx, "an@h.vn", hash, ""),
		"disable": b.SetDisabled(ctx, "an@h.vn", true, ""), "delete": b.Delete(ctx, "an@h.vn", ""),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of one that is gone: %v", what, err)
		}
	}
	if strings.Contains(log.String(), "argon2") || !strings.Contains(log.String(), `msg="account disabled" account=lan by=root`) {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestBookRefuses(t *testing.T) {
	b, good := NewBook(open(t, storetest.SQLite), slog.New(slog.DiscardHandler)), cheapHash(t, secret)
	for name, c := range map[string]struct {
		a    Account
		hash string
		want error
	}{
		"capitals":     {Account{Name: "Lan", Agency: "a"}, good, ErrName},
		"no name":      {Account{Agency: "a"}, good, ErrName},
		"a colon":      {Account{Name: "agency:a", Agency: "a"}, good, ErrName},
		"nobody's":     {Account{Name: "lan"}, good, ErrOwner},
		"two owners":   {Account{Name: "lan", Agency: "a", Domains: []string{"a.vn"}}, good, ErrOwner},
		"star":         {Account{Name: "lan", Domains: []string{"*"}}, good, ErrDomain},
		"two in one":   {Account{Name: "lan", Domains: []string{"a.vn b.vn"}}, good, ErrDomain},
		"top level":    {Account{Name: "lan", Domains: []string{"vn"}}, good, ErrDomain},
		"capitals too": {Account{Name: "lan", Domains: []string{"A.vn"}}, good, ErrDomain},
		"no hash":      {Account{Name: "lan", Agency: "a"}, "", ErrHash},
		"a password":   {Account{Name: "lan", Agency: "a"}, secret, ErrHash},
	} {
		if err := b.Add(t.Context(), c.a, c.hash, ""); !errors.Is(err, c.want) || !IsProblem(err) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := b.SetHash(t.Context(), "lan", "x", ""); !errors.Is(err, ErrHash) {
		t.Errorf("%v", err)
	}
	var p *Problem
	if !errors.As(ErrName, &p) || p.In(lang.VI) == p.In(lang.EN) || p.Error() != p.In(lang.EN) {
		t.Error("the problem speaks one language")
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{"lan": "lan", "Van-Thu@H.vn": "van-thu@h.vn", "a+b_c.d": "a+b_c.d", "7": "7", strings.Repeat("a", 128): strings.Repeat("a", 128)} {
		if got, err := CleanName(in); got != want || err != nil {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", "lan ", "-a", "a b", "a\x00b", "a\nb", "ữ", "ＡＢ", strings.Repeat("a", 129), "a/b", "a:b"} {
		if got, err := CleanName(in); err == nil || got != "" {
			t.Errorf("%q was taken as %q", in, got)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"lan", "Van-Thu@H.vn", "ữ", "K", "a\x00"} { // the Kelvin sign lowers to k
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := CleanName(s)
		if (err == nil) != (got != "") {
			t.Fatalf("%q: %q %v", s, got, err)
		}
		if again, err2 := CleanName(got); err == nil && (again != got || err2 != nil || len(got) > 128 || strings.ContainsAny(got, ": \x00\r\n")) {
			t.Fatalf("%q: %q, then %q", s, got, again)
		}
	})
}

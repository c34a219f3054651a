package account

import (
	"errors"
	"strings"
	"testing"
)

func TestHash(t *testing.T) {
	s, err := Hash(secret)
	if err != nil || !strings.HasPrefix(s, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q %v", s, err)
	}
	h, err := parseHash(s)
	if err != nil || !h.matches(secret) || h.matches(secret+"x") || h.matches("") {
		t.Errorf("%v", err)
	}
	if again, _ := Hash(secret); again == s {
		t.Error("two hashes with one salt")
	}
}

func TestParseHashRefuses(t *testing.T) {
	good := cheapHash(t, secret)
	if _, err := parseHash(good); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"empty": "", "plain": secret, "argon2i": strings.Replace(good, "argon2id", "argon2i", 1), "old version": strings.Replace(good, "v=19", "v=16", 1),
		"too much memory": strings.Replace(good, "m=64", "m=70000", 1), "no memory": strings.Replace(good, "m=64", "m=1", 1), "no pass": strings.Replace(good, "t=1", "t=0", 1),
		"many passes": strings.Replace(good, "t=1", "t=11", 1), "threads": strings.Replace(good, "p=1", "p=9", 1), "overflow": strings.Replace(good, "p=1", "p=257", 1),
		"padding": good + "=", "more": good + "$x", "a tail": strings.Replace(good, "p=1$", "p=1x$", 1), "short": good[:len(good)-4], "negative": strings.Replace(good, "m=64", "m=-64", 1),
	} {
		if _, err := parseHash(s); !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPasswordForm(t *testing.T) {
	composed, apart := "mật khẩu của lan", "ma\u0323\u0302t kh\u00e2\u0309u cu\u0309a lan"
	if a, err := cleanPassword(composed); err != nil || a != composed {
		t.Errorf("%q %v", a, err)
	}
	if b, err := cleanPassword(apart); err != nil || b != composed {
		t.Errorf("two keyboards, two passwords: %q %v", b, err)
	}
	for _, s := range []string{"", "short", "eleven char", "with a\x00nul here", "with a\nline here", strings.Repeat("x", 257), "broken \xff utf-8 here"} {
		if _, err := cleanPassword(s); !errors.Is(err, ErrPassword) || strings.Contains(err.Error(), "here") {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := Hash(s); !errors.Is(err, ErrPassword) {
			t.Errorf("Hash(%q): %v", s, err)
		}
	}
}

func TestGenerate(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := Generate()
		if _, err := cleanPassword(p); err != nil || len(p) != 27 || seen[p] || strings.ContainsAny(p, "l1o0i ") {
			t.Fatalf("%q %v", p, err)
		}
		seen[p] = true
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(cheapHash(f, secret))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && (h.String() != s || h.memory > 64<<10 || h.passes > 10) {
			t.Fatalf("%q: %+v", s, h)
		}
	})
}

package digest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/digest"
)

func tags(keys ...string) func(string, []byte) [][]byte {
	return func(use string, octets []byte) (out [][]byte) {
		for _, k := range keys {
			m := hmac.New(sha256.New, []byte(k+use))
			m.Write(octets)
			out = append(out, m.Sum(nil))
		}
		return out
	}
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func TestCodes(t *testing.T) {
	c := digest.Codes{Tags: tags("k")}
	const held, me = "06BKGZ2S9T1QWERT", "a@so.test"
	code := c.Make(me, held, noon.Add(48*time.Hour))
	if got, err := c.Read(me, code, noon); err != nil || got != held {
		t.Fatalf("%q: %q %v", code, got, err)
	}
	if len(code) > 50 {
		t.Errorf("%q is long to copy", code)
	}
	if got, err := c.Read(me, strings.ToLower(code), noon.Add(48*time.Hour)); err != nil || got != held {
		t.Errorf("on its last day: %q %v", got, err)
	}
	if _, err := c.Read(me, code, noon.Add(72*time.Hour)); !errors.Is(err, digest.ErrExpired) {
		t.Errorf("after it: %v", err)
	}
	if _, err := c.Read("b@so.test", code, noon); !errors.Is(err, digest.ErrCode) {
		t.Errorf("of another address: %v", err)
	}
	if _, err := (digest.Codes{Tags: tags("other")}).Read(me, code, noon); !errors.Is(err, digest.ErrCode) {
		t.Errorf("with another key: %v", err)
	}
	if got, err := (digest.Codes{Tags: tags("new", "k")}).Read(me, code, noon); err != nil || got != held {
		t.Errorf("after a new key: %q %v", got, err)
	}
	if got := (digest.Codes{Tags: tags()}).Make(me, held, noon); got != "" {
		t.Errorf("without a key: %q", got)
	}
	if got := c.Make(me, "no such id", noon); got != "" {
		t.Errorf("of no id: %q", got)
	}
	for i := range code { // any letter changed
		for _, r := range "0Z-" {
			forged := code[:i] + string(r) + code[i+1:]
			if forged == code {
				continue
			}
			if got, err := c.Read(me, forged, noon); err == nil {
				t.Errorf("%q is taken for %q", forged, got)
			}
		}
	}
}

// FuzzRead: nothing but what Make has made is ever read as a code.
func FuzzRead(f *testing.F) {
	c := digest.Codes{Tags: tags("k")}
	f.Add("a@so.test", c.Make("a@so.test", "06BKGZ2S9T1QWERT", noon))
	f.Add("a@so.test", c.Make("a@so.test", "06BKGZ2S9T1QWERT-2", noon.Add(1e18)))
	f.Add("", "0-0-00000000000000000000")
	f.Add("x", "0-999999-00000000000000000000")
	f.Fuzz(func(t *testing.T, address, code string) {
		held, err := c.Read(address, code, noon)
		if err != nil {
			return
		}
		day := strings.Split(code, "-")
		n := day[len(day)-2]
		ok := false
		for d := range 40000 { // some day on which it ends
			at := time.Unix(int64(d)*86400, 0)
			if made := c.Make(address, held, at); made == digest.Tidy(code) {
				ok = true
				break
			}
		}
		if !ok {
			t.Errorf("%q of %q is read as %q (day %s)", code, address, held, n)
		}
	})
}

package smtpd

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"congthu/internal/msg"
)

func TestParsePath(t *testing.T) {
	long := strings.Repeat("a", 64)
	label := strings.Repeat("b", 63)
	name255 := strings.Join([]string{label, label, label, label}, ".") // 4 × 63 + 3
	for raw, want := range map[string]msg.Path{
		"":                               {},
		"a@b.test":                       {Local: "a", Domain: "b.test"},
		"A.b-c_d=e+f@B.Test":             {Local: "A.b-c_d=e+f", Domain: "b.test"},
		"!#$%&'*+-/=?^_`{|}~@b.test":     {Local: "!#$%&'*+-/=?^_`{|}~", Domain: "b.test"},
		"postmaster":                     {Local: "postmaster"},
		"POSTmaster":                     {Local: "POSTmaster"},
		`"a b"@b.test`:                   {Local: "a b", Domain: "b.test"},
		`"a\"b\\c"@b.test`:               {Local: `a"b\c`, Domain: "b.test"},
		`"a@c.test> X"@b.test`:           {Local: "a@c.test> X", Domain: "b.test"},
		`""@b.test`:                      {Domain: "b.test"},
		"a@localhost":                    {Local: "a", Domain: "localhost"},
		"a@mail_1.b.test":                {Local: "a", Domain: "mail_1.b.test"},
		"a@xn--vn-wia.test":              {Local: "a", Domain: "xn--vn-wia.test"},
		"a@1.b2.3d":                      {Local: "a", Domain: "1.b2.3d"},
		"a@[192.0.2.1]":                  {Local: "a", Domain: "[192.0.2.1]"},
		"a@[IPv6:2001:DB8::1]":           {Local: "a", Domain: "[ipv6:2001:db8::1]"},
		long + "@b.test":                 {Local: long, Domain: "b.test"},
		"a@" + name255:                   {Local: "a", Domain: name255},
		"bounce+tag=user@list.gov.test":  {Local: "bounce+tag=user", Domain: "list.gov.test"},
		"${run{/bin/sh}}@b.test":         {Local: "${run{/bin/sh}}", Domain: "b.test"},
		"user%ext.test@b.test":           {Local: "user%ext.test", Domain: "b.test"},
		"người.dùng@b.test":              {Local: "người.dùng", Domain: "b.test"},
		"a@tỉnh.test":                    {Local: "a", Domain: "xn--tnh-dlz.test"},
		"a@TỈNH.test":                    {Local: "a", Domain: "xn--tnh-dlz.test"},
		"\"chữ có dấu\"@b.test":          {Local: "chữ có dấu", Domain: "b.test"},
		"nguye\u0302\u0303n@b.test":      {Local: "nguye\u0302\u0303n", Domain: "b.test"},
		strings.Repeat("ữ", 21) + "@b.c": {Local: strings.Repeat("ữ", 21), Domain: "b.c"},
	} {
		want.Raw = raw
		got, err := ParsePath(raw, true)
		if err != nil || got != want {
			t.Errorf("%q: %#v, %v; want %#v", raw, got, err, want)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	label := strings.Repeat("b", 63)
	for want, all := range map[string][]string{
		"501 5.1.3": {
			"a", "a@", "@b.test", "@", "a@b@c.test", "a b@c.test", "a@b c", " a@b.test", "a@b.test ", "<a@b.test>", "a@b.test>",
			".a@b.test", "a.@b.test", "a..b@c.test", "a@.b.test", "a@b..test", "a@b.test.", "a@.", "a@-b.test", "a@b-.test",
			"a@b.-test", "(c)a@b.test", "a@(c)b.test", "a,b@c.test", "a;b@c.test", "a:b@c.test", `a\b@c.test`, `a"b"@c.test`,
			`"a"b@c.test`, `"a@b.test`, `"a\"@b.test`, `"a\`, `"`, `"a"`, `"a"@`, "a@b/c", "a@b+c", "a@b!c", "a@b%c", "a@b\\c",
			"a@127.0.0.1", "a@10", "a@b.123", "a@[127.0.0.1", "a@[127.0.0]", "a@[127.0.0.1]x", "a@[127.0.0.1].test", "a@[]",
			"a@[IPv6:127.0.0.1]", "a@[IPv6:::1%eth0]", "a@[::1]", "a@[IPv6:]", "a@[x:y]", "a\x00@b.test", "a@b\x00.test",
			"a@b.test\r", "a\n@b.test", "a\x01@b.test", "a\x7f@b.test", "\"a\tb\"@c.test", "a@b\xff.test", "\xc3@b.test",
			strings.Repeat("a", 65) + "@b.test", `"` + strings.Repeat("a", 63) + `"@b.test`, "a@" + label + "b.test",
			"a@" + strings.Repeat(label+".", 4) + "b", strings.Repeat("@", 3), "a@b.test@", "postmaster@", "Postmaster ",
		},
		"550 5.7.1": {"@a:b@c.test", "@a,@b:c@d.test", "@a:postmaster"},
		"553 5.6.7": {"ữ@b.test", "a@tỉnh.test", "\"ữ\"@b.test"},
	} {
		for _, raw := range all {
			got, err := ParsePath(raw, false)
			var bad *pathError
			if !errors.As(err, &bad) {
				t.Errorf("%q: taken as %+v, %v", raw, got, err)
				continue
			}
			if s := bad.reply.String(); !strings.HasPrefix(s, want) || got != (msg.Path{}) {
				t.Errorf("%q: %q with %+v, want %s", raw, s, got, want)
			}
		}
	}
}

func TestParsePathRefusesWithSMTPUTF8(t *testing.T) {
	for _, raw := range []string{
		"a\u0080@b.test", "a\u200e@b.test", "a\u202eb@c.test", "a\u2028@b.test", "a\u00a0@b.test", "a\u3000b@c.test", "\ufeffa@b.test",
		"a@b\u3002test", "a@\uff42.test", "a@b\uff0etest", "a@b\u200d.test", "a@\u00adb.test", "a@tỉ\u0309nh..test", "a@-tỉnh.test",
		"a@ti\u0309nh.test", // not composed: not the normal form
		"\xff@b.test", "\"\\ữ\"@b.test", "\u0301",
	} {
		if got, err := ParsePath(raw, true); err == nil {
			t.Errorf("%+q: taken as %+v", raw, got)
		}
	}
}

func TestCutPath(t *testing.T) {
	for _, one := range []struct{ arg, path, params string }{
		{"FROM:<a@b>", "a@b", ""},
		{"from:<a@b> SIZE=1", "a@b", " SIZE=1"},
		{"FROM:   <a@b>", "a@b", ""},
		{"FROM:<>", "", ""},
		{`FROM:<"a>b"@c> X`, `"a>b"@c`, " X"},
		{`FROM:<"a\">b"@c>`, `"a\">b"@c`, ""},
		{`FROM:<a\>b>`, "", "!"}, // a backslash quotes nothing outside quotes
		{"FROM:a@b", "", "!"},
		{"FROM:<a@b", "", "!"},
		{"FROM:<a@b>x", "", "!"},
		{"FROM <a@b>", "", "!"},
		{"FRO", "", "!"},
		{"FROM:", "", "!"},
		{"TO:<a@b>", "", "!"},
		{`FROM:<"a@b>`, "", "!"},
		{"FROM:\t<a@b>", "", "!"},
	} {
		path, params, valid := cutPath(one.arg, "FROM:")
		if valid != (one.params != "!") || valid && (path != one.path || params != one.params) {
			t.Errorf("%q: %q, %q, %v", one.arg, path, params, valid)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"a@b.test", `"a b"@c.test`, "@a:b@c", "postmaster", "a@[IPv6:::1]", "ữ@tỉnh.test", `"\"@"@b.test`, "a%b@c.test"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, raw string, smtputf8 bool) {
		p, err := ParsePath(raw, smtputf8)
		if err != nil {
			if p != (msg.Path{}) {
				t.Fatalf("an error with a path: %+v", p)
			}
			if r := recipientReply(err); r.Code < 500 {
				t.Fatalf("reply %v", r)
			}
			return
		}
		checkPath(t, p, raw, smtputf8)
	})
}

// checkPath is what others rely on in every Path.
func checkPath(t *testing.T, p msg.Path, raw string, smtputf8 bool) {
	t.Helper()
	if p.Raw != raw {
		t.Fatalf("Raw %q of %q", p.Raw, raw)
	}
	for _, c := range raw {
		if unicode.IsControl(c) || c == utf8.RuneError && !utf8.ValidString(raw) || c >= 0x80 && !smtputf8 {
			t.Fatalf("%q holds %q", raw, c)
		}
	}
	if raw == "" || strings.EqualFold(raw, "postmaster") {
		return
	}
	d := p.Domain
	if d == "" || len(d) > maxDomain || d != strings.ToLower(d) || !isASCII(d) || strings.ContainsAny(d, "@ <>\"\\,;") {
		t.Fatalf("domain %q of %q", d, raw)
	}
	// The brackets around it end where its own text ends, whatever follows.
	path, rest, valid := cutPath("TO:<"+raw+"> NOTIFY=<x>", "TO:")
	if !valid || path != raw || rest != " NOTIFY=<x>" {
		t.Fatalf("%q is cut to %q, %q", raw, path, rest)
	}
	if at := strings.LastIndexByte(raw, '@'); isASCII(raw) && !strings.EqualFold(raw[at+1:], d) {
		t.Fatalf("domain %q of %q", d, raw)
	}
}

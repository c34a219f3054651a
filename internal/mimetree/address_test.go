package mimetree

import (
	"fmt"
	"slices"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		in    string
		want  []string // name|local|domain
		codes []string
	}{
		{"", nil, nil},
		{"a@b.test", []string{"|a|b.test"}, nil},
		{"<a@B.Test>", []string{"|a|b.test"}, nil},
		{"An <a@b.test>", []string{"An|a|b.test"}, nil},
		{`"Nguyễn, An" <a@b.test>, c@d.test`, []string{"Nguyễn, An|a|b.test", "|c|d.test"}, nil},
		{`"a \"q\" b" <a@b.test>`, []string{`a "q" b|a|b.test`}, nil},
		{"=?utf-8?q?S=E1=BB=9F?= <a@b.test>", []string{"Sở|a|b.test"}, nil},
		{`"=?utf-8?q?S=E1=BB=9F?=" <a@b.test>`, []string{"Sở|a|b.test"}, nil},
		{"a@b.test (An (x))", []string{"An (x)|a|b.test"}, nil},
		{"a(c)@(d)b.test", []string{"cd|a|b.test"}, nil},
		{`"a b"@c.test`, []string{"|a b|c.test"}, nil},
		{`"x@evil.test"@c.test`, []string{"|x@evil.test|c.test"}, nil},
		{"a@[192.0.2.1]", []string{"|a|[192.0.2.1]"}, nil},
		{"a@[IPv6:2001:db8::1]", []string{"|a|[ipv6:2001:db8::1]"}, nil},
		{"Nhóm: a@b.test, c@d.test;", []string{"|a|b.test", "|c|d.test"}, []string{AddressGroup}},
		{"undisclosed-recipients:;", nil, []string{AddressGroup}},
		{"<@x.test,@y.test:a@b.test>", []string{"|a|b.test"}, []string{AddressRoute}},
		{"<a@b.test> <c@d.test>", []string{"|a|b.test", "|c|d.test"}, []string{AddressSyntax}},
		{"<a@b.test>c@d.test", []string{"c@d.test|a|b.test"}, []string{AddressSyntax}},
		{"a@b.test <c@d.test>", []string{"a@b.test|c|d.test"}, []string{AddressSyntax}},
		{`"a@b.test" <c@d.test>`, []string{"a@b.test|c|d.test"}, nil},
		{"a@b@c.test", []string{"|a@b|c.test"}, []string{AddressSyntax}},
		{"An", []string{"|An|"}, []string{AddressSyntax}},
		{"<>", []string{"||"}, []string{AddressSyntax}},
		{"Nguyen, An <a@b.test>", []string{"|Nguyen|", "An|a|b.test"}, []string{AddressSyntax}},
		{"<=?utf-8?q?a=40b.test?=>", []string{"|a|b.test"}, []string{AddressEncoded}},
		{"a@b.test.", []string{"|a|b.test."}, []string{AddressSyntax}},
		{"<a@b.test", []string{"|a|b.test"}, []string{AddressSyntax}},
		{`"An <a@b.test>`, []string{`|"An <a@b.test>|`}, []string{AddressSyntax}},
		{"a@b.test; c@d.test", []string{"|a|b.test", "|c|d.test"}, []string{AddressSyntax}},
	} {
		got, amb := Addresses(tt.in)
		var list []string
		for _, a := range got {
			list = append(list, fmt.Sprintf("%s|%s|%s", a.Name, a.Local, a.Domain))
		}
		if !slices.Equal(list, tt.want) {
			t.Errorf("%q: %q, want %q", tt.in, list, tt.want)
		}
		if c := codesOf(amb); !slices.Equal(c, tt.codes) {
			t.Errorf("%q: codes %q, want %q", tt.in, c, tt.codes)
		}
	}
}

func TestSpec(t *testing.T) {
	for _, tt := range []struct {
		a    Address
		want string
	}{{Address{Local: "a", Domain: "b.test"}, "a@b.test"}, {Address{Local: "a"}, "a"}, {Address{}, ""}} {
		if got := tt.a.Spec(); got != tt.want {
			t.Errorf("%+v: %q", tt.a, got)
		}
	}
}

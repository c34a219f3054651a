package mimetree

import (
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestDecodeWords(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?utf-8?q?c=C3=B4ng_v=C4=83n?=", "công văn"},
		{"=?UTF-8?B?Y8O0bmcgdsSDbg==?=", "công văn"},
		{"=?utf-8?b?Y8O0bmcgdsSDbg?=", "công văn"}, // no padding
		{"a =?utf-8?q?b?= c", "a b c"},
		{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
		{"=?utf-8?q?a_?= =?utf-8?q?b?=", "a b"},
		{"=?utf-8?b?xA==?= =?utf-8?b?kQ==?=", "đ"}, // one letter in two words
		{"=?iso-8859-1?q?caf=E9?= =?utf-8?q?_=C4=91?=", "café đ"},
		{"=?windows-1258?q?Vi=EA=F2t?=", "Việt"},
		{"=?utf-8*vi?q?=C4=91?=", "đ"},
		{"=?utf-8?q?a b?=", "a b"}, // a space is not allowed, and common
		{"\"=?utf-8?q?a?=\"", "\"a\""},
		{"=?x-none?q?a?=", "=?x-none?q?a?="},
		{"=?utf-8?x?a?=", "=?utf-8?x?a?="},
		{"=?utf-8?q?a", "=?utf-8?q?a"},
		{"=?utf-8?q?a?= ", "a "},
		{"=?", "=?"},
		{"=?=", "=?="},
		{"=??=", "=??="},
		{"?= =?", "?= =?"},
		{"=?utf-8?q??=", ""},
		{"=?utf-8?q?=ff?=", "\ufffd"},
		{"x=?y =?utf-8?q?a?=", "x=?y a"},
		{"=?us-ascii?q?=E9?=", "\ufffd"},
	} {
		if got := DecodeWords(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTextCharsets(t *testing.T) {
	for _, tt := range []struct{ contentType, body, want, code string }{
		{"text/plain", "xin chào", "xin chào", ""},
		{"text/plain; charset=us-ascii", "xin chào", "xin chào", ""},
		{"text/plain; charset=\"UTF-8\"", "\ufeffxin chào", "xin chào", ""},
		{"text/plain; charset=utf-8", "xin cha\u0300o", "xin chào", ""},
		{"text/plain; charset=iso-8859-1", "caf\xe9", "café", ""},
		{"text/plain; charset=windows-1258", "Ti\xea\xecng Vi\xea\xf2t", "Tiếng Việt", ""},
		{"text/plain; charset=x-nobody", "\xae\xd2", "\xae\xd2", CharsetUnknown},
		{"text/plain; charset=tcvn3", "\xae\xd2", "đề", ""},
		{"text/plain; charset=viqr", "dde^` a.vn", "dde^` a.vn", ""},
		{"text/plain; charset=cp437", "\x82", "é", ""},
		{"text/plain; charset=utf-7", "+AGE-", "a", CharsetTrick},
		{"text/plain; charset=utf-8", "\xae\xd2", "\xae\xd2", CharsetInvalid},
		{"text/plain", "\xae\xd2", "\xae\xd2", CharsetInvalid},
		{"text/html", `<meta charset="windows-1258">Vi` + "\xea\xf2t", `<meta charset="windows-1258">Việt`, ""},
		{"text/html", `<META http-equiv=x content="text/html; charset=iso-8859-1">` + "\xe9", `<META http-equiv=x content="text/html; charset=iso-8859-1">é`, ""},
		{"text/html; charset=utf-8", "<p>\u0111</p>", "<p>đ</p>", ""},
	} {
		root := Parse([]byte("Content-Type: "+tt.contentType+"\r\n\r\n"+tt.body), DefaultLimits())
		if root.Text != tt.want {
			t.Errorf("%s: %q, want %q", tt.contentType, root.Text, tt.want)
		}
		got := codesOf(root.Ambiguities)
		if tt.code == "" && got != nil || tt.code != "" && (len(got) != 1 || got[0] != tt.code) {
			t.Errorf("%s: codes %q, want %q", tt.contentType, got, tt.code)
		}
		if string(root.Decoded) != tt.body {
			t.Errorf("%s: Decoded was changed", tt.contentType)
		}
	}
}

// Every letter that is taken for composed without a look must be so.
func TestPlainlyNFCIsTrue(t *testing.T) {
	plain := 0
	for r := rune(1); r < 0x3000; r++ {
		if s := string(r); plainlyNFC(s) {
			plain++
			if !norm.NFC.IsNormalString(s) || !norm.NFC.PropertiesString(s).BoundaryBefore() {
				t.Errorf("U+%04X is not", r)
			}
		}
	}
	if plain < 1000 {
		t.Errorf("only %d letters: nothing is saved", plain)
	}
}

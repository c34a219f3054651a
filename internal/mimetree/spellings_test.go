package mimetree

import (
	"slices"
	"testing"
)

// However a sender spells payload.exe, one of the candidates is payload.exe: whatever
// looks at all of them refuses it.
func TestSpellingsOfAProgram(t *testing.T) {
	cd := func(s string) string { return "Content-Disposition: attachment; " + s }
	for _, header := range []string{
		cd("filename=payload.exe"),
		cd(`filename="payload.exe"`),
		cd(`filename="payload\.exe"`),
		cd(`filename="payload.exe`),
		cd(`filename="payload.exe\".txt"`),
		cd(`filename="payload.exe. ."`),
		cd(`filename="payload.exe "`),
		cd("filename='payload.exe'"),
		cd("filename*=utf-8''payload.exe"),
		cd("filename*=utf-8'en-US'payload%2Eexe"),
		cd("filename*=utf-16be''%00p%00a%00y%00l%00o%00a%00d%00.%00e%00x%00e"),
		cd(`filename*0="pay"; filename*1="load.exe"`),
		cd(`filename*1="load.exe"; filename*0="pay"`),
		cd(`filename*0="payload.exe"; filename*2=".txt"`),
		cd(`filename*0="pay"; filename*7="load.exe"`),
		cd("filename*0*=utf-8''payload%2E; filename*1=exe"),
		cd(`filename="=?utf-8?q?payload=2Eexe?="`),
		cd(`filename="=?utf-8?b?cGF5bG9hZC5leGU=?="`),
		cd(`filename="=?utf-8?q?pay?= =?utf-8?q?load.exe?="`),
		cd(`filename="=?x-unknown?q?payload.exe?="`),
		cd(`filename="=?utf-8?b?cGF5bG9hZC5leGU="`),
		cd("filename=payload.txt; filename=payload.exe"),
		cd("filename=payload.txt; filename*=utf-8''payload.exe"),
		cd(`filename="payload%2Eexe"`),
		cd("filename=\"payload.exe\x00.txt\""),
		cd(`filename="payload.exe::$DATA"`),
		cd("filename=\"payload.e\u200bxe\""),
		cd("filename=\"\u202epayload.exe\""),
		cd("filename=\"payload．ｅｘｅ\""),
		cd(`; filename=payload.exe`),
		cd("filename (c) = (d) payload.exe (e)"),
		"Content-Type: a/b; name=payload.exe",
		"Content-Type: a/b;; name*=utf-8''payload.exe",
		"Content-Disposition : attachment; filename=payload.exe",
		"Content-Disposition: inline; filename=a.txt\r\nContent-Disposition: attachment; filename=payload.exe",
		"Content-Type: a/b; name=payload.exe\r\nContent-Disposition: attachment; filename=a.txt",
	} {
		root := Parse(crlf(header, "", "x"), DefaultLimits())
		if names := Filenames(root); !slices.Contains(names, "payload.exe") {
			t.Errorf("%q: %q, codes %q", header, names, codes(root))
		}
	}
}

// A name that everybody reads alike has one spelling.
func TestOrdinaryNamesHaveOneSpelling(t *testing.T) {
	for _, name := range []string{"Báo cáo tháng 11.docx", "Nghị quyết 12.NQ-HĐND.pdf", "a(1).exe", "phụ lục_2 - bản cuối.xlsx"} {
		if out := addSpellings([]string{name}, name); len(out) != 1 {
			t.Errorf("%q: %q", name, out)
		}
	}
}

package link_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"congthu/internal/inspect/link"
	"congthu/internal/msg"
)

func inspector() msg.Inspector {
	return link.New(link.Options{
		Local:      func(d string) bool { return d == "so-mau.gov.test" || strings.HasSuffix(d, ".so-mau.gov.test") },
		Brands:     []link.Brand{{Name: "Mẫu Bank", Words: []string{"maubank", "mbx"}, Domains: []string{"maubank.test"}}},
		Shorteners: []string{"ngan.test"},
	})
}

func look(t testing.TB, kind, text string) []msg.Finding {
	t.Helper()
	m := &msg.Message{Root: &msg.Part{Path: "1", MediaType: kind, Text: text, Decoded: []byte(text)}}
	fs, _, err := inspector().Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func found(t testing.TB, kind, text string) string {
	t.Helper()
	var out []string
	for _, f := range look(t, kind, text) {
		out = append(out, strings.TrimPrefix(f.Symbol, "LINK_"))
		if f.Part != "1" || !slices.Contains(link.Symbols(), f.Symbol) {
			t.Errorf("%+v", f)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestLinks(t *testing.T) {
	for text, want := range map[string]string{
		`<a href="https://tin.test/x">xem</a>`:                                                          "",
		`<a href="https://xau.test/">https://maubank.test/login</a>`:                                    "TEXT_DIFFERS",
		`<a href="https://xau.test/">maubank.test</a>`:                                                  "TEXT_DIFFERS",
		`<a href="https://www.tin.test/a">tin.test</a>`:                                                 "",
		`<a href="https://tin.test/">Xem tin.test để biết</a>`:                                          "",
		`<a href="https://xau.test/"><b>tin</b>.test</a>`:                                               "TEXT_DIFFERS",
		`<a href="https://192.0.2.1/">x</a>`:                                                            "IP_HOST",
		`<a href="http://3232235777/">x</a>`:                                                            "IP_HOST",
		`<a href="http://0xC0.0xA8.1.1/">x</a>`:                                                         "IP_HOST",
		`<a href="https://[2001:db8::1]/">x</a>`:                                                        "IP_HOST",
		`<a href="https://maubank.test@xau.test/">x</a>`:                                                "USERINFO",
		`<a href="https:\\maubank.test\@xau.test">x</a>`:                                                "",
		`<a href="//xau.test/">maubank.test</a>`:                                                        "TEXT_DIFFERS",
		"<a href=\"ht\ntps://192.0.2.1/\">x</a>":                                                        "IP_HOST",
		"<a href=\"java\tscript:alert(1)\">x</a>":                                                       "JAVASCRIPT",
		`<a href="data:text/html;base64,x">x</a>`:                                                       "DATA_URI",
		`<a href="ms-msdt:/id x">x</a>`:                                                                 "ODD_SCHEME",
		`<a href="mailto:a@b.test">a@b.test</a> <a href="tel:1">1</a>`:                                  "",
		`<a href="https://ngan.test/abc">x</a>`:                                                         "SHORTENER",
		`<a href="https://tin.test:8081/">x</a>`:                                                        "NON_HTTP_PORT",
		`<a href="https://maubank-xac-minh.test/">x</a>`:                                                "BRAND_LOOKALIKE",
		`<a href="https://mau-bank.xau.test/">x</a>`:                                                    "BRAND_LOOKALIKE",
		`<a href="https://ombxo.test/">x</a>`:                                                           "",
		`<a href="https://login.maubank.test/">x</a>`:                                                   "",
		`<a href="https://maubank.so-mau.gov.test/">x</a>`:                                              "",
		`<a href="https://xn--80ak6aa92e.test/">x</a>`:                                                  "PUNYCODE_LOOKALIKE",
		`<a href="https://tin.test/cai-dat.apk">x</a>`:                                                  "EXECUTABLE",
		`<a href="https://tin.test/go?url=https%3A%2F%2Fxau.test">x</a>`:                                "OPEN_REDIRECT",
		`<a href="https://tin.test/?q=thu+tuc">x</a>`:                                                   "",
		`<form action="https://xau.test/"><input></form>`:                                               "FORM",
		`<form action="https://dvc.so-mau.gov.test/"><input></form>`:                                    "",
		`<base href="https://xau.test/"><a href="x">y</a>`:                                              "BASE_HREF",
		`<meta http-equiv="Refresh" content="0; url=https://192.0.2.1/">`:                               "IP_HOST",
		`<iframe src="https://192.0.2.1/"></iframe>`:                                                    "IP_HOST",
		`<a href="https://tin.test/" href="https://192.0.2.1/">x</a>`:                                   "",
		`<a href="https://xau.test/">maubank.test`:                                                      "TEXT_DIFFERS",
		`<!-- <a href="https://192.0.2.1/">x</a> --><svg><a xlink:href="https://192.0.2.1/"></a></svg>`: "IP_HOST",
	} {
		if got := found(t, "text/html", text); got != want {
			t.Errorf("%s\n\t%q, want %q", text, got, want)
		}
	}
}

func TestLinksInPlainText(t *testing.T) {
	for text, want := range map[string]string{
		"Xem https://tin.test/a, cảm ơn.":          "",
		"Xem (http://192.0.2.1/x)":                 "IP_HOST",
		"HTTPS://NGAN.TEST/abc":                    "SHORTENER",
		"maubank-xac-minh.test không có giao thức": "",
	} {
		if got := found(t, "text/plain", text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestManyLinks(t *testing.T) {
	var hosts, same strings.Builder
	for i := range 25 {
		fmt.Fprintf(&hosts, `<a href="https://h%d.test/">x</a>`, i)
	}
	for range 2001 {
		same.WriteString(`<a href="https://tin.test/">x</a>`)
	}
	m := &msg.Message{Root: &msg.Part{Path: "1", MediaType: "text/html", Text: hosts.String()}}
	fs, _, err := inspector().Inspect(t.Context(), m)
	if err != nil || len(fs) != 1 || fs[0].Symbol != link.ManyHosts {
		t.Errorf("%v %v", fs, err)
	}
	if got := found(t, "text/html", same.String()); got != "TOO_MANY" {
		t.Errorf("too many: %q", got)
	}
	// a tag too long to be read hides what follows: said, not passed over
	if got := found(t, "text/html", `<a title="`+strings.Repeat("x", 2<<20)+`"><a href="https://192.0.2.1/">`); got != "TOO_MANY" {
		t.Errorf("an endless tag: %q", got)
	}
}

func TestLists(t *testing.T) {
	if brands, err := link.LoadBrands("../../../rules/lists/brands.toml"); err != nil || len(brands) < 10 {
		t.Errorf("%d brands: %v", len(brands), err)
	}
	name := filepath.Join(t.TempDir(), "brands.toml")
	if err := os.WriteFile(name, []byte("[[brand]]\nnames = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := link.LoadBrands(name); err == nil || !strings.Contains(err.Error(), "brands.toml:2:1") {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := link.LoadList(name + ".none"); err == nil {
		t.Error("a list that is not there")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(`<a href="https://maubank.test@xau.test/">maubank.test</a>`)
	f.Add(`<meta http-equiv=refresh content="0;url=//x">`)
	f.Add("https://[::1]:99999/%zz?u=//")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []string{"text/html", "text/plain"} {
			for _, x := range look(t, kind, text) {
				if len(x.Evidence) > 1000 || strings.ContainsAny(x.Evidence, "\r\n\x1b") {
					t.Errorf("%q", x.Evidence)
				}
			}
		}
	})
}

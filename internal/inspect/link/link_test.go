package link_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"congthu/internal/inspect/link"
	"congthu/internal/msg"
)

func inspector() *link.Inspector {
	return link.New(link.Options{
		Domains:    []string{"so-mau.gov.test", "*.so-mau.gov.test", "tinh-xa.gov.vn", "gov.vn"},
		FreeHosts:  []string{"trang.test", "bieu.test/mau"},
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
		`<a href="https://xau.test/">https://maubank.test/login</a>`:                                    "TEXT_BRAND TEXT_DIFFERS",
		`<a href="https://xau.test/">maubank.test</a>`:                                                  "TEXT_BRAND TEXT_DIFFERS",
		`<a href="https://www.tin.test/a">tin.test</a>`:                                                 "",
		`<a href="https://tin.test/">Xem tin.test để biết</a>`:                                          "",
		`<a href="https://xau.test/"><b>tin</b>.test</a>`:                                               "TEXT_DIFFERS",
		`<a href="https://192.0.2.1/">x</a>`:                                                            "IP_HOST",
		`<a href="http://3232235777/">x</a>`:                                                            "IP_HOST",
		`<a href="http://0xC0.0xA8.1.1/">x</a>`:                                                         "IP_HOST",
		`<a href="https://[2001:db8::1]/">x</a>`:                                                        "IP_HOST",
		`<a href="https://maubank.test@xau.test/">x</a>`:                                                "USERINFO",
		`<a href="https:\\maubank.test\@xau.test">x</a>`:                                                "",
		`<a href="//xau.test/">maubank.test</a>`:                                                        "TEXT_BRAND TEXT_DIFFERS",
		"<a href=\"ht\ntps://192.0.2.1/\">x</a>":                                                        "IP_HOST OBFUSCATED",
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
		`<a href="https://tin.test/cai-dat.apk">x</a>`:                                                  "APP",
		`<a href="https://tin.test/go?url=https%3A%2F%2Fxau.test">x</a>`:                                "OPEN_REDIRECT",
		`<a href="https://tin.test/?q=thu+tuc">x</a>`:                                                   "",
		`<form action="https://xau.test/"><input></form>`:                                               "FORM",
		`<form action="https://dvc.so-mau.gov.test/"><input></form>`:                                    "",
		`<base href="https://xau.test/"><a href="x">y</a>`:                                              "BASE_HREF",
		`<meta http-equiv="Refresh" content="0; url=https://192.0.2.1/">`:                               "IP_HOST",
		`<iframe src="https://192.0.2.1/"></iframe>`:                                                    "IP_HOST",
		`<a href="https://tin.test/" href="https://192.0.2.1/">x</a>`:                                   "",
		`<a href="https://xau.test/">maubank.test`:                                                      "TEXT_BRAND TEXT_DIFFERS",
		`<!-- <a href="https://192.0.2.1/">x</a> --><svg><a xlink:href="https://192.0.2.1/"></a></svg>`: "IP_HOST",
		// the protected names
		`<a href="https://xau.test/">dichvucong.gov.vn</a>`:            "TEXT_DIFFERS TEXT_GOV",
		`<a href="https://tinh-xa.gov.vn/">dichvucong.gov.vn</a>`:      "TEXT_DIFFERS",
		`<a href="https://xau.test/">cong.so-mau.gov.test</a>`:         "TEXT_DIFFERS TEXT_GOV",
		`<a href="https://tinh-xa.gov.vn.xau.test/">x</a>`:             "GOV_LOOKALIKE",
		`<a href="https://dichvucong-gov.vn/">x</a>`:                   "GOV_LOOKALIKE",
		`<a href="https://tinh-ya.gov.vn/">x</a>`:                      "",
		`<a href="https://tinh-xa.gov.vm/">x</a>`:                      "DOMAIN_LOOKALIKE",
		`<a href="https://so-mau-gov-test.xau.test/">x</a>`:            "DOMAIN_LOOKALIKE",
		`<a href="https://tinh-xa.gov.vn/">x</a>`:                      "",
		"<a href=\"https://so-mаu.gov.test/\">x</a>":                   "DOMAIN_LOOKALIKE PUNYCODE_LOOKALIKE", // a Cyrillic a
		`<a href="https://a@tinh-xa.gov.vn/">x</a>`:                    "USERINFO",
		`<a href="https://xau.test/">van-thu.cong@so-mau.gov.test</a>`: "",
		// places anybody can have, and tricks of writing
		`<a href="https://abc.trang.test/">x</a>`:                                    "FREE_HOST",
		`<a href="https://bieu.test/mau/d/1">x</a>`:                                  "FREE_HOST",
		`<a href="https://bieu.test/tin">x</a>`:                                      "",
		`<a href="https://%78au.test/">x</a>`:                                        "OBFUSCATED",
		`<a href="https://ｘau.test/">x</a>`:                                          "OBFUSCATED",
		`<a href="https://xau。test/">x</a>`:                                          "OBFUSCATED",
		`<a href="https://0300.0250.1.010/">x</a>`:                                   "IP_HOST",
		`<a href="https://192.168.1.09/">x</a>`:                                      "IP_HOST",
		`<a href="https://10.1.2.3/">x</a>`:                                          "IP_HOST",
		`<a href="https://tin.test/tai/phanmem.exe?x=1">x</a>`:                       "EXECUTABLE",
		`<a href="https://tin.test/www.maubank.com">x</a>`:                           "",
		`<a href="https://tin.test/go?next=https://tin.test/a">x</a>`:                "",
		`<a href="https://tin.test/go?next=https://www.tin.test/a">x</a>`:            "",
		`<a href="https://tin.test/go?next=http://ngan.test/a">x</a>`:                "OPEN_REDIRECT SHORTENER",
		`<a href="https://tin.test/go?next=%2F%2F192.0.2.1">x</a>`:                   "IP_HOST OPEN_REDIRECT",
		`<img src="data:image/png;base64,x"><a href="data:image/png;base64,x">x</a>`: "",
		`<object data="https://192.0.2.1/x"></object>`:                               "IP_HOST",
		`<style>a{}</style><script>"https://192.0.2.1"</script>`:                     "",
		// passwords
		`<input type="Password" name=p>`:                                                       "PASSWORD_FIELD",
		`<input type=text placeholder="Nhập mật khẩu">`:                                        "PASSWORD_FIELD",
		`<input type=submit value="Đổi mật khẩu" name=matkhau>`:                                "",
		`Hộp thư sắp đầy, xin <a href="https://xau.test/">nâng cấp</a>`:                        "CREDENTIAL",
		`Hộp thư sắp đầy, xin <a href="https://abc.trang.test/">nâng cấp</a>`:                  "CREDENTIAL CREDENTIAL_HIDDEN FREE_HOST",
		`Hop thu sap day, xin <a href="https://tinh-xa.gov.vn/">nang cap</a>`:                  "",
		`Hộp thư sắp đầy. <a href="https://xau.test/">xem tin</a>`:                             "",
		`Your mailbox <a href="https://192.0.2.1/">verify</a>`:                                 "CREDENTIAL CREDENTIAL_HIDDEN IP_HOST",
		`mật khẩu` + strings.Repeat(" chữ", 200) + `<a href="https://xau.test/">đăng nhập</a>`: "",
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

// A web page under another name is read as one; other files are not.
func TestPages(t *testing.T) {
	page := []byte(`<form action="https://xau.test/"><input type=password></form>`)
	for name, want := range map[string]int{"hoadon.HTML": 2, "hoadon.xhtml": 2, "hoadon.pdf": 0} {
		p := &msg.Part{Path: "1", MediaType: "application/octet-stream", Filename: name, Decoded: page, Params: map[string]string{"name": name}, Header: []msg.Field{{Name: "Content-Type", Value: `application/octet-stream; name="` + name + `"`}}}
		fs, _, err := inspector().Inspect(t.Context(), &msg.Message{Root: p})
		if err != nil || len(fs) != want {
			t.Errorf("%s: %v %v", name, fs, err)
		}
	}
}

// What DMARC proves to be the author's own host asks for its own password.
func TestAuthorsOwnHost(t *testing.T) {
	p := &msg.Part{Path: "1", MediaType: "text/plain", Text: "Verify your account: https://app.xau.test/"}
	for status, want := range map[string]int{"pass": 0, "fail": 1} {
		m := &msg.Message{Root: p, Auth: []msg.AuthResult{{Method: "dmarc", Status: status, Value: "xau.test"}}}
		if fs, _, _ := inspector().Inspect(t.Context(), m); len(fs) != want {
			t.Errorf("%s: %v", status, fs)
		}
	}
}

// In an old character set the part's own text is in the wrong letters.
func TestOldLetters(t *testing.T) {
	p := &msg.Part{Path: "1", MediaType: "text/plain", Text: "M\u00cbt kh\u00c8u https://xau.test/"}
	m := &msg.Message{Root: p, Text: &msg.Text{Bare: "mat khau het han", Charset: "tcvn3"}}
	if fs, _, _ := inspector().Inspect(t.Context(), m); len(fs) != 1 || fs[0].Symbol != link.Credential {
		t.Errorf("%v", fs)
	}
}

func TestJudge(t *testing.T) {
	got := inspector().Judge(t.Context(), []link.Found{
		{URL: "www.xau.test/x", Part: "1.2", Source: "qr"},
		{URL: "https://so-mau.gov.test/x", Part: "1.2", Source: "qr"},
		{URL: "https://192.0.2.1/", Text: "dichvucong.gov.vn", Part: "1.3", Source: "pdf"},
		{URL: "WIFI:S:phonghop;;", Part: "1.4", Source: "qr"},
		{URL: "hai chữ", Part: "1.5", Source: "qr"},
		{URL: "javascript:x", Part: "1.6", Source: "pdf"},
	})
	var out []string
	for _, f := range got {
		out = append(out, f.Part+" "+strings.TrimPrefix(f.Symbol, "LINK_")+" "+f.Evidence)
	}
	want := []string{
		"1.2 QR qr: http://www.xau.test/x",
		"1.3 IP_HOST pdf: https://192.0.2.1/",
		"1.3 TEXT_GOV pdf: dichvucong.gov.vn -> 192.0.2.1",
		"1.3 TEXT_DIFFERS pdf: dichvucong.gov.vn -> 192.0.2.1",
		"1.6 JAVASCRIPT pdf: javascript:x",
	}
	if !slices.Equal(out, want) {
		t.Errorf("got %q", out)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if fs := inspector().Judge(gone, []link.Found{{URL: "https://192.0.2.1/"}}); fs != nil {
		t.Errorf("judged for nobody: %v", fs)
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
	f.Add("<input name=\u212a><meta http-equiv=refresh content=\"\u0130\u0130url=\">")
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range inspector().Judge(t.Context(), []link.Found{{URL: text, Text: text, Source: "qr"}}) {
			if len(x.Evidence) > 1000 {
				t.Errorf("%q", x.Evidence)
			}
		}
		for _, kind := range []string{"text/html", "text/plain"} {
			for _, x := range look(t, kind, text) {
				if len(x.Evidence) > 1000 || strings.ContainsAny(x.Evidence, "\r\n\x1b") {
					t.Errorf("%q", x.Evidence)
				}
			}
		}
	})
}

func TestHosts(t *testing.T) {
	root := &msg.Part{Path: "0", MediaType: "multipart/mixed", Children: []*msg.Part{
		{Path: "1", MediaType: "text/plain", Text: "https://a.test/x http://B.test/ https://a.test/y mailto:x@c.test"},
		{Path: "2", MediaType: "text/html", Text: `<a href="//d.test/">x</a><img src="https://e.test/">`},
	}}
	if got := link.Hosts(&msg.Message{Root: root}); !slices.Equal(got, []string{"a.test", "b.test", "d.test"}) {
		t.Errorf("got %q", got)
	}
}

// Words that ask with their letters spread, or in a character set that the part lies about,
// count with any link to somebody else; those that stand openly, and far from it, do not.
func TestDisguisedDemands(t *testing.T) {
	const url = "https://la.example/x"
	for name, c := range map[string]struct {
		body, bare, charset string
		want                bool
	}{
		"spread":           {"m ậ t k h ẩ u đ ă n g n h ậ p " + url, "mat khau dang nhap " + url, "", true},
		"old letters":      {"mËt khÈu ®¨ng nhËp " + url, "mat khau dang nhap " + url, "tcvn3", true},
		"openly, far":      {"mật khẩu đăng nhập " + strings.Repeat("một dòng chữ khác. ", 200) + url, "mat khau dang nhap " + strings.Repeat("mot dong chu khac. ", 200) + url, "", false},
		"spread, no link":  {"m ậ t k h ẩ u đ ă n g n h ậ p", "mat khau dang nhap", "", false},
		"spread, our link": {"m ậ t k h ẩ u đ ă n g n h ậ p https://so-mau.gov.test/x", "mat khau dang nhap", "", false},
		"asks for nothing": {"k í n h g ử i " + url, "kinh gui " + url, "", false},
	} {
		m := &msg.Message{Root: &msg.Part{Path: "0", MediaType: "text/plain", Text: c.body}, Text: &msg.Text{Body: c.body, Bare: c.bare, Charset: c.charset}}
		fs, _, err := inspector().Inspect(context.Background(), m)
		got := slices.ContainsFunc(fs, func(f msg.Finding) bool { return f.Symbol == link.Credential })
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v", name, fs, err)
		}
	}
}

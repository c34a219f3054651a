package corpus

import (
	"encoding/hex"
	"os/exec"
	"strings"
	"testing"
)

// The sample of vietnam.md's table, as the fonts and the RFC have it.
func TestEncodings(t *testing.T) {
	const sample = "Kính gửi: Ủy ban nhân dân huyện; đề nghị báo cáo trước ngày 15"
	for f, want := range map[Form]string{
		TCVN3: "K\xddnh g\xf6i: \xf1y ban nh\xa9n d\xa9n huy\xd6n; \xae\xd2 ngh\xde b\xb8o c\xb8o tr\xad\xedc ng\xb5y 15",
		VNI:   "K\xednh g\xf6\xfbi: U\xdby ban nha\xe2n da\xe2n huye\xe4n; \xf1e\xe0 ngh\xf2 ba\xf9o ca\xf9o tr\xf6\xf4\xf9c nga\xf8y 15",
	} {
		if got := string(f.encode(sample)); got != want {
			t.Errorf("%s:\n%q, want\n%q", f, got, want)
		}
	}
}

// VISCII and windows-1258 are in iconv, whose tables are not ours.
func TestEncodingsAgainstIconv(t *testing.T) {
	if _, err := exec.LookPath("iconv"); err != nil {
		t.Skip("iconv is not installed (Debian package libc-bin, which every system has)")
	}
	all := vietnamese + strings.ToUpper(vietnamese)
	for f, name := range map[Form]string{VISCII: "VISCII", CP1258: "CP1258"} {
		cmd := exec.Command("iconv", "-f", name, "-t", "UTF-8")
		cmd.Stdin = strings.NewReader(string(f.encode(all)))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(name, err)
		}
		if got := string(NFC.encode(string(out))); got != all {
			t.Errorf("%s: %s", name, hex.EncodeToString(out))
		}
	}
	cmd := exec.Command("iconv", "-f", "TCVN5712-1", "-t", "UTF-8")
	cmd.Stdin = strings.NewReader(string(TCVN3.encode(vietnamese)))
	out, err := cmd.Output()
	if got := string(NFC.encode(string(out))); err != nil || got != vietnamese {
		t.Errorf("TCVN3: %s %v", got, err)
	}
}

func TestSpelling(t *testing.T) {
	for f, want := range map[Form]string{
		NFC:       "Vay vốn, xem https://a.test/x1 ngay",
		Bare:      "Vay von, xem https://a.test/x1 ngay",
		Spaced:    "V.a.y vốn, x.e.m https://a.test/x1 ngay",
		Lookalike: "Vау vốn, хеm https://a.test/x1 ngay",
		ZeroWidth: "V\u200ba\u200by vốn, x\u200be\u200bm https://a.test/x1 ngay",
	} {
		if got := f.spell("Vay vốn, xem https://a.test/x1 ngay"); got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
	if got := Spans.markup("Vay <vốn>"); got != "<span>V</span><span>a</span><span>y</span> <vốn>" {
		t.Errorf("%q", got)
	}
}

// What is a link stays one in every form, and nothing else of the letter becomes one.
func TestBodyForms(t *testing.T) {
	const body = "Chào em\nnhé.\n\nXem [tại đây](https://a.test/b?c=1&d=2).\n\n![Ảnh](https://a.test/x.png)\n\n%% Chữ ẩn"
	if got, want := NFC.plain(body), "Chào em\nnhé.\n\nXem tại đây (https://a.test/b?c=1&d=2).\n\nhttps://a.test/x.png\n"; got != want {
		t.Errorf("%q", got)
	}
	page := NFC.page(body)
	for _, want := range []string{"<p>Chào em<br>\nnhé.</p>", `<a href="https://a.test/b?c=1&amp;d=2">tại đây</a>.`, `<img src="https://a.test/x.png" alt="Ảnh">`, `<p style="display:none"> Chữ ẩn</p>`} {
		if !strings.Contains(page, want) {
			t.Errorf("%q lacks %q", page, want)
		}
	}
	if page := TCVN3.page("Chào"); !strings.Contains(page, `<font face=".VnTime">`) || !strings.Contains(page, "charset=iso-8859-1") {
		t.Errorf("%q", page)
	}
}

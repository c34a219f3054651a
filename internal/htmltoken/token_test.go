package htmltoken_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"congthu/internal/htmltoken"
)

// reader is what the two tokenizers have in common.
type reader interface {
	SetMaxBuf(int)
	Next() html.TokenType
	Err() error
	Raw() []byte
	Text() []byte
	TagName() ([]byte, bool)
	TagAttr() (key, val []byte, more bool)
}

// tokens lists all tokens of a page with all that is said of each.
func tokens(z reader, most int) []string {
	z.SetMaxBuf(most)
	var out []string
	for {
		kind := z.Next()
		line := fmt.Sprintf("%v %q", kind, z.Raw())
		switch kind {
		case html.ErrorToken:
			return append(out, fmt.Sprintf("%s: %v", line, z.Err()))
		case html.TextToken, html.CommentToken, html.DoctypeToken:
			line += fmt.Sprintf(" text %q %q", z.Text(), z.Text())
		default:
			name, more := z.TagName()
			line += fmt.Sprintf(" name %q %v", name, more)
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				line += fmt.Sprintf(" %q=%q", k, v)
			}
		}
		out = append(out, line)
	}
}

func same(t *testing.T, page string, most int) {
	t.Helper()
	want := tokens(html.NewTokenizer(strings.NewReader(page)), most)
	got := tokens(htmltoken.New(page), most)
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%.300q, bound %d:\n got %.500q\nwant %.500q", page, most, fmt.Sprint(got[min(i, len(got)):]), fmt.Sprint(want[min(i, len(want)):]))
		}
	}
}

// hard are pages in which tokenizers differ.
var hard = []string{
	"", "a", "<", "a<", "a<b", "a<b>", "</", "</>", "</a", "</a x='>'>b", "</ a>b", "</1>", "<1>", "<a/>", "<a/b/>", "<a b=/>", "<a b/>", "<a =b>", "<a ==b>", "<a b=c d>", "<a b = 'c' d>",
	"<a b='c\"d\">", "<a b=c'd>e", "<a b=>c", "<a b= >c", "<a b", "<a b=", "<a b='", "<a b='c", "<a b='c'", "<a b='c' ", "<A B=C b=D>", "<a / b>", "<a /", "<a b/c=d>", "<a\x00b c\x00d=e\x00f>",
	"<!", "<!>", "<!>x", "<!x", "<!->x", "<!-", "<!--", "<!-->x", "<!--->x", "<!---->x", "<!--a-->x", "<!--a--!>x", "<!----!>x", "<!--!>x-->", "<!--a--!-->x", "<!--a--!!>x", "<!--a->b-->c", "<!--a--", "<!--a-", "<!--a--!", "<!-- > -- > --> b", "<!---!>-->",
	"<!doctype html>x", "<!DOCTYPE", "<!DOCTYPE ", "<!DOCTYPE\n\n>a", "<!DOCTYP>", "<!doctypehtml>", "<!doctypE  x", "<?xml a?>b", "<?", "<?>", "<![CDATA[a]]>b",
	"<script>a<b></script>c", "<script>a</scriptx></SCRIPT >c", "<script><!-- <script> </script> --></script>d", "<script><!--<script></script>x", "<script></script>", "<script>a", "<script/>a</script>", "<script><!-- </script>a",
	"<title>a&amp;b</title>c", "<textarea>a&lt\x00</textarea>", "<style>a&amp;<b></style>", "<xmp></xmp>a", "<plaintext>a</plaintext>b", "<plaintext>", "<iframe>a<b></iframe/>c", "<noscript><p></noscript>", "<title></title", "<title>a</titl</title>",
	"a&amp;b &notit; &#65;&#x41; &lt &nbsp", "<a b='&amp;&notit;&not=&copy;' c=&lt;d e=\"&quot;&#0;\">", "<a b=&>", "<a b='&\r\n&amp;\r'>", "a\r\nb\rc\r\r\nd\r", "a\x00b<title>a\x00b</title><!--a\x00-->", "<a b=\"x\r\ny\">",
	"<a " + strings.Repeat("b=1 ", 20) + strings.Repeat("c B=2 ", 3) + ">", "<a a b c d e f g h i j k l m n o p q r s t u v w x y z A Z z1 Z1>",
}

func FuzzTokens(f *testing.F) {
	for _, page := range hard {
		f.Add(page, uint16(0))
	}
	names, _ := filepath.Glob("../../testdata/vn/*.eml")
	for i := 0; i < len(names); i += 100 {
		if data, err := os.ReadFile(names[i]); err == nil {
			f.Add(string(data), uint16(500))
		}
	}
	f.Fuzz(func(t *testing.T, page string, most uint16) {
		same(t, page, 0)
		if most > 16 { // below, the other one reads beyond its own bound
			same(t, page, int(most))
		}
	})
}

// Each hard page in another, so that each begins in the middle of something.
func TestPairs(t *testing.T) {
	for _, a := range hard {
		for _, b := range hard {
			same(t, a[:len(a)/2]+b+a[len(a)/2:], 0)
			same(t, a+b+a, 20+len(a))
		}
	}
}

func TestLarge(t *testing.T) {
	for _, part := range []string{"<!---->", "<a b=&amp;>", "<script><!--</script>", "<title></title>", "<!-->", "-", "<!--->>", "<a b", "<a b='&'>\r\n", "</"} {
		page := strings.Repeat(part, 1000)
		same(t, page, 0)
		same(t, page, 1000)
	}
	same(t, "<a "+strings.Repeat("b=c ", 50000)+">", 0)
}

func BenchmarkPage(b *testing.B) {
	var page strings.Builder
	for i := range 150 {
		fmt.Fprintf(&page, "<tr><td class=\"a\" style=\"padding:4px 8px;color:#222;font-size:14px\" valign=\"top\"><p>Kính gửi Phòng số %d: Ủy ban nhân dân huyện đề nghị báo cáo kết quả.</p></td></tr>\r\n", i)
	}
	read := func(z reader) {
		for z.Next() != html.ErrorToken {
			z.Text()
			for _, more := z.TagName(); more; {
				_, _, more = z.TagAttr()
			}
		}
	}
	b.Run("other", func(b *testing.B) {
		for b.Loop() {
			read(html.NewTokenizer(strings.NewReader(page.String())))
		}
	})
	b.Run("own", func(b *testing.B) {
		for b.Loop() {
			read(htmltoken.New(page.String()))
		}
	})
}

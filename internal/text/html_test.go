package text

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each case has "xem" where the reader sees it and "khuat" where not.
func TestShownAndHidden(t *testing.T) {
	for _, c := range []struct{ name, in, shown, hidden string }{
		{"plain", "<p>xem <b>x</b>em</p>", "xem xem", ""},
		{"words end at blocks", "xem<div>xem</div>xem<br>xem<td>xem", "xem xem xem xem xem", ""},
		{"one letter a span", "<span>x</span><span>e</span><font>m</font>", "xem", ""},
		{"display", "<div style='DISPLAY : none'>khuat</div>xem", "xem", "khuat"},
		{"display of one around", "<div style='display:none'><p style='display:block'>khuat</p></div>xem", "xem", "khuat"},
		{"hidden attribute", "<p hidden>khuat</p>xem", "xem", "khuat"},
		{"the next paragraph ends it", "<p hidden>khuat<p>xem", "xem", "khuat"},
		{"so does the next link", "<a hidden>khuat<a href=x>xem</a>", "xem", "khuat"},
		{"and the next cell", "<table><tr><td hidden>khuat<td>xem</table>", "xem", "khuat"},
		{"visibility comes back", "<div style='visibility:hidden'>khuat<b style='visibility:visible'>xem</b></div>", "xem", "khuat"},
		{"no size", "<div style='font-size:0'>khuat<b style='font-size:14px'>xem</b></div>", "xem", "khuat"},
		{"one pixel", "<b style='font-size:1px'>khuat</b><b style='font:0/0 a'>khuat</b><b style='font:bold 12px Arial'>xem</b>", "xem", "khuatkhuat"},
		{"sizes that can be read", "<b style='font-size:0.9em'>xem</b><b style='font-size:80%'>xem</b><b style='font-size:10px'>xem</b><font size=0>xem</font>", "xemxemxemxem", ""},
		{"opacity", "<b style='opacity:0'>khuat</b><b style='opacity:0.6'>xem</b>", "xem", "khuat"},
		{"white on white", "<font color=#ffffff>khuat</font><font color=white>khuat</font><b style='color:rgb(255, 254,255)'>khuat</b>xem", "xem", "khuatkhuatkhuat"},
		{"white on blue", "<td bgcolor=#003366><font color=white>xem</font></td>", "xem", ""},
		{"white on blue by style", "<div style='background:#036'><b style='color:#fff'>xem</b></div>", "xem", ""},
		{"white on a picture", "<td background=x.png><font color=white>xem</font></td><div style='background:#fff url(x)'><b style='color:#fff'>xem</b></div>", "xem xem", ""},
		{"blue on blue", "<body bgcolor=#003366 text=#003367>khuat<p style='color:yellow'>xem", "xem", "khuat"},
		{"black on black", "<div style='background-color:black'>khuat</div>xem", "xem", "khuat"},
		{"transparent letters", "<b style='color:transparent'>khuat</b><b style='color:rgba(0,0,0,0)'>khuat</b>xem", "xem", "khuatkhuat"},
		{"far off", "<div style='position:absolute;left:-9999px'>khuat</div><div style='text-indent:-999em'>khuat</div>xem", "xem", "khuat khuat"},
		{"no room", "<div style='max-height:0;overflow:hidden'>khuat</div><div style='height:0'>xem</div>", "xem", "khuat"},
		{"clipped", "<div style='position:absolute;clip:rect(0 0 0 0)'>khuat</div>xem", "xem", "khuat"},
		{"style sheet by class", "<style>.k{display:none}</style><p class='a k'>khuat</p>xem", "xem", "khuat"},
		{"style sheet by id and tag", "<style><!-- #k {color:#fff} u{font-size:0} /* x */ b.k{opacity:0} --></style><i id=k>khuat</i><u>khuat</u><b class=k>khuat</b><i class=k>xem</i>", "xem", "khuatkhuatkhuat"},
		{"own style over the sheet", "<style>.k{display:none}</style><p class=k style='display:block'>xem</p>", "xem", ""},
		{"important over own style", "<style>.k{display:none !important}</style><p class=k style='display:block'>khuat</p>xem", "xem", "khuat"},
		{"only where it may hold", "<style>@media print{.k{display:none}} div > .k{display:none} .k:hover{display:none}</style><p class=k>xem</p>", "xem", ""},
		{"comes back where it may hold", "<style>@media screen{.k{display:block !important}}</style><p class=k style='display:none'>xem</p>", "xem", ""},
		{"ground that may be other", "<style>td .k{background:#000}</style><td><p class=k style='color:#fff'>xem</p>", "xem", ""},
		{"text of a table outside its cells", "<table hidden>xem<tr><td>khuat</td></tr></table>", "xem", "khuat"},
		{"an element of a table outside its cells", "<table style='display:none'><div>xem</div></table>", "xem", ""},
		{"script, style, title", "<title>x</title><script>x</script><style>x</style>xem", "xem", ""},
		{"template", "<template>khuat</template>xem", "xem", "khuat"},
		{"without scripts", "<noscript><p>xem</p></noscript><iframe>xem</iframe>", "xem xem", ""},
		{"a frame leaves nothing open", "<noscript><p hidden></noscript>xem", "xem", ""},
		{"for Outlook", "<!--[if mso]><p>xem</p><![endif]--><!--[if !mso]><!-->xem<!--<![endif]--><!-- khuat -->", "xem xem", ""},
		{"said by a picture", "<img alt='xem'><input type=submit value=xem>", "xem xem", ""},
		{"entities", "x&#101;m &lt;xem&gt;&nbsp;x&#xeb;m", "xem <xem>\u00a0xëm", ""},
		{"a tag that never ends", "xem<p title='xem", "xem<p title='xem", ""},
		{"void elements", "<input hidden>xem<br hidden>xem", "xem xem", ""},
		{"self-closing", "<div hidden/>xem", "xem", ""},
		{"unknown elements", "<o:p hidden>khuat</o:p>xem", "xem", "khuat"},
		{"line feeds of the source", "xem\r\n\txem", "xem xem", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := readPage(c.in, Limit)
			one := func(b []byte) string {
				return strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return r == ' ' || r == '\n' }), " ")
			}
			if shown, hidden := one(p.shown), one(p.hidden); shown != c.shown || hidden != c.hidden {
				t.Errorf("shown %q, hidden %q; want %q and %q", shown, hidden, c.shown, c.hidden)
			}
		})
	}
}

func TestColors(t *testing.T) {
	for in, want := range map[string]color{
		"#fff": white, "FFFFFF": white, " White ": white, "rgb(255,255,255)": white, "rgb(100% 100% 100%)": white, "hsl(0, 0%, 100%)": white,
		"#ffffff00": seeThrough, "rgba(1,2,3,0)": seeThrough, "rgba(0,0,0,.5)": black, "#12": unknown, "burlywood": unknown, "inherit": none, "": none,
		"rgb(1": unknown, "rgb(999,-5,0)": known | 0xff0000,
	} {
		if got := parseColor([]byte(in)); got != want {
			t.Errorf("%q: %x, want %x", in, got, want)
		}
	}
}

// Markup made to be expensive is read in time that grows with its length only: twice the
// length takes about twice the time.
func TestHostileMarkupIsLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"open": "<div>", "shut": "</b>", "depth": "<b><i>", "noscript": "<noscript>", "hidden": "<p hidden>", "attributes": "<a x='", "many attributes": " a=b",
		"comments": "<!--[if mso]>", "styles": "<style>.a{color:red}</style>", "classes": "<p class='a b c d e f g h'>", "tables": "<table><tr>x", "rows": "a b ", "marks": "a\u0301\u0302", "less": "<", "entities": "&#x1;&amp;",
	} {
		page := func(n int) time.Duration {
			s := strings.Repeat(unit, n/len(unit))
			if name == "many attributes" {
				s = "<p" + s + ">"
			}
			best := time.Hour
			for range 3 {
				start := cpu(t)
				p := readPage(s, Limit)
				Fold(string(p.shown))
				best = min(best, cpu(t)-start)
			}
			return best
		}
		small, large := page(1<<17), page(1<<19)
		t.Log(name, small, large)
		if large > 12*small+50*time.Millisecond {
			t.Errorf("%s: 128 KB took %v, 512 KB %v", name, small, large)
		}
	}
}

// cpu is the time that this process has had: what else the machine does is none of it.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func FuzzReadPage(f *testing.F) {
	f.Add("<p>a<div hidden>b</div><noscript><b>c</noscript>")
	f.Add("<script>x</script><style>.y{color:#fff;}@media{z{display:none}}</style><template>z")
	f.Add("<table><tr>x<td style='font:0/0 a;background:url(x)'><!--[if mso]>y<![endif]--><p class='a b' id=c>")
	f.Fuzz(func(t *testing.T, s string) {
		p := readPage(s, 1000)
		if len(p.shown)+len(p.hidden) > 2*(1000+len(s)) {
			t.Fatalf("%d octets of text from %d", len(p.shown)+len(p.hidden), len(s))
		}
		if len(p.stack) > maxStack {
			t.Fatal("too deep")
		}
	})
}

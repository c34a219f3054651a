package header

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"congthu/internal/corpus"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
)

// stranger is a letter from outside, looked at by a house with all lists.
func stranger(t testing.TB, raw string, set func(*msg.Message)) []string {
	t.Helper()
	o := options()
	o.Hostname, o.Freemail, o.AgencyWords, o.Mailers = "gw.so-mau.gov.test", []string{"thu.example"}, []string{"vpcp", "ubnd", "syt"}, []string{"Gửi Loạt", "bulker"}
	o.Agencies = []Agency{{Name: "Sở Xa", Domains: []string{"so-xa.example"}}}
	m := &msg.Message{Raw: []byte(raw), Received: received, Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
	if set != nil {
		set(m)
	}
	found, _, err := New(o).Inspect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !slices.Contains(Symbols(), f.Symbol) {
			t.Errorf("%s is not listed", f.Symbol)
		}
	}
	return lines(found)
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      []string
	}{
		{"a list", good("List-Id: <a.list.example>", "Precedence: list"), []string{"HEADER_LIST <a.list.example>"}},
		{"bulk", good("Precedence: Bulk"), []string{"HEADER_BULK bulk"}},
		{"a newsletter", good("List-Unsubscribe: <https://a.example>"), []string{"HEADER_BULK"}},
		{"an answer of a machine", good("Auto-Submitted: auto-replied (vacation)"), []string{"HEADER_AUTOMATIC auto-replied (vacation)"}},
		{"no machine", good("Auto-Submitted: no"), nil},
		{"a mass mailer", good("X-Mailer: Super BULKER 2"), []string{"HEADER_MAILER_BULK Super BULKER 2"}},
		{"a mass mailer as user agent", good("User-Agent: bulker"), []string{"HEADER_MAILER_BULK bulker"}},
		{"Outlook Express", good("X-Mailer: Microsoft Outlook Express 6", "X-MimeOLE: Produced By"), nil},
		{"said to be it", good("X-Mailer: Microsoft Outlook Express 6"), []string{"HEADER_MAILER_FORGED Microsoft Outlook Express 6"}},
		{"to itself", good("To: AN@ngoai.example"), []string{"HEADER_TO_SELF AN@ngoai.example"}},
		{"ASCII in base64", good("Subject: =?utf-8?B?VklBR1JB?="), []string{"HEADER_CHARSET_HIDES Subject"}},
		{"Vietnamese in base64", good("Subject: =?utf-8?B?Q2jDoG8=?="), nil},
		{"an answer", good("Subject: Re: Chao", "In-Reply-To: <1@a.example>"), nil},
		{"an answer to nothing", good("Subject: Trả lời: Chao"), []string{"HEADER_8BIT_RAW Subject", "SUBJECT_FAKE_REPLY Trả lời: Chao"}},
		{"not an answer", good("Subject: Regarding: Chao"), nil},
		{"invisible", good("Subject: =?utf-8?q?Ch=E2=80=8Bao?="), []string{"SUBJECT_TRICK Ch\u200bao"}},
		{"turned", good("Subject: =?utf-8?q?Ch=E2=80=AEao?="), []string{"SUBJECT_TRICK Ch\u202eao"}},
		{"two alphabets in a word", good("Subject: =?utf-8?q?m=D0=B0t?= khau"), []string{"SUBJECT_TRICK m\u0430t"}},
		{"two alphabets in two words", good("Subject: =?utf-8?b?0JzQvtGB0LrQstCw?= khau"), nil},
		{"a title", good("Subject: GIAY MOI DU HOI NGHI TONG KET"), nil},
		{"shouting", good("Subject: GIAM GIA CUC SOC!"), []string{"SUBJECT_SHOUTS GIAM GIA CUC SOC!"}},
		{"a tail", good("Subject: Chao              x8f2k"), []string{"SUBJECT_PADDED Chao              x8f2k"}},
	} {
		want := c.want
		if got := stranger(t, c.raw, nil); !slices.Equal(sorted(got), sorted(want)) {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func TestMessageID(t *testing.T) {
	for id, want := range map[string]string{
		"<1@ngoai.example>":            "",
		"1@ngoai.example":              MessageIDMalformed,
		"<1@ngoai.example> <2@b.test>": MessageIDMalformed,
		"<1>":                          MessageIDMalformed,
		"<@a.example>":                 MessageIDMalformed,
		"<a b@a.example>":              MessageIDMalformed,
		"<1@>":                         MessageIDMalformed,
		"<>":                           MessageIDMalformed,
		"<1@mail.chinhphu.gov.vn>":     MessageIDForeign,
		"<1@so-mau.gov.test>":          MessageIDForeign,
		"<1@other.example>":            "",
	} {
		got := strings.Join(stranger(t, good("Message-ID: "+id), nil), " ")
		if symbol, _, _ := strings.Cut(got, " "); symbol != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if got := stranger(t, good("Message-ID: <1@so-mau.gov.test>"), func(m *msg.Message) { m.Session.Outbound = true }); got != nil {
		t.Errorf("our own server: %q", got)
	}
}

func TestReceived(t *testing.T) {
	hop := func(by, at string) string {
		return "+Received: from a (a [192.0.2.1]) by " + by + " with ESMTP id 1 for <b@c>; " + at
	}
	const now, before, later = "Tue, 24 Nov 2026 08:59:30 +0000", "Mon, 23 Nov 2026 08:59:00 +0000 (UTC)", "Thu, 26 Nov 2026 08:59:00 +0000"
	outbound := func(m *msg.Message) { m.Session.Outbound = true }
	for _, c := range []struct {
		name, raw string
		set       func(*msg.Message)
		want      string
	}{
		{"honest", good(hop("mx.ngoai.example", now), hop("b.example", before)), nil, ""},
		{"our name at the top", good(hop("GW.so-mau.gov.test.", now)), nil, ReceivedForged},
		{"from our own server", good(hop("gw.so-mau.gov.test", now)), outbound, ""},
		{"our name further down", good(hop("list.example", now), hop("gw.so-mau.gov.test", before)), nil, ""},
		{"backwards", good(hop("a.example", before), hop("b.example", now)), nil, ReceivedTime},
		{"after it came", good(hop("a.example", later)), nil, ReceivedTime},
		{"no time", good(hop("a.example", "never"), hop("b.example", before)), nil, ""},
		{"no semicolon", good("+Received: x"), nil, ""},
		{"zones that are off", good(hop("a.example", "Tue, 24 Nov 2026 16:00:00 +0000")), nil, ""},
	} {
		got := strings.Join(stranger(t, c.raw, c.set), " ")
		if symbol, _, _ := strings.Cut(got, " "); symbol != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestGreeting(t *testing.T) {
	for helo, want := range map[string]string{
		"mx.ngoai.example": "", "GW.so-mau.gov.test": HeloOurs, "yte.so-mau.gov.test.": HeloOurs, "": "", "localhost": "",
	} {
		got := stranger(t, good(), func(m *msg.Message) { m.Session.Helo = helo })
		if strings.HasPrefix(strings.Join(got, ""), HeloOurs) != (want != "") {
			t.Errorf("%s: %q", helo, got)
		}
	}
	for _, auth := range []struct {
		value string
		found bool
	}{{"a@so-mau.gov.test", false}, {"yte.so-mau.gov.test", false}, {"a@ngoai.example", true}} {
		got := stranger(t, good(), func(m *msg.Message) {
			m.Session.Helo = "yte.so-mau.gov.test"
			m.Auth = []msg.AuthResult{{Method: "spf", Status: "pass", Value: auth.value}}
		})
		if (len(got) > 0) != auth.found {
			t.Errorf("SPF pass of %s: %q", auth.value, got)
		}
	}
}

func TestFreemail(t *testing.T) {
	for from, want := range map[string]string{
		"nguyen.van.an@thu.example":       Freemail,
		"vpcp@thu.example":                Freemail + " " + FreemailAgency,
		"vpcp2026@thu.example":            Freemail + " " + FreemailAgency,
		"tinhmau.ubnd@thu.example":        Freemail + " " + FreemailAgency,
		"ubndtinhmau@thu.example":         Freemail + " " + FreemailAgency,
		"syt-mau@thu.example":             Freemail + " " + FreemailAgency,
		"syta@thu.example":                Freemail, // three letters stand alone or not at all
		"kubndo@thu.example":              Freemail,
		"vpcp@rieng.example":              "",
		`"Sở Xa" <so.xa@thu.example>`:     Freemail + " " + NameAgency,
		`"Sở Xa" <van-thu@so-xa.example>`: "",
	} {
		var got []string
		for _, l := range stranger(t, good("From: "+from, "Message-ID: <1@a.example>"), func(m *msg.Message) { m.Envelope.SMTPUTF8 = true }) {
			symbol, _, _ := strings.Cut(l, " ")
			got = append(got, symbol)
		}
		if g := strings.Join(sorted(got), " "); g != strings.Join(sorted(strings.Fields(want)), " ") {
			t.Errorf("%s: %q, want %q", from, g, want)
		}
	}
}

func TestReplyToFreemail(t *testing.T) {
	proven := func(m *msg.Message) {
		m.Auth = []msg.AuthResult{{Method: "dmarc", Status: "pass", Value: "so-mau.gov.test"}}
	}
	for _, c := range []struct {
		from, reply string
		found       bool
	}{
		{"a@so-mau.gov.test", "a@thu.example", true},
		{"a@x.gov.vn", "a@thu.example", true},
		{"a@so-xa.example", "a@thu.example", true},
		{"a@ngoai.example", "a@thu.example", false},
		{"a@x.gov.vn", "b@y.gov.vn", false},
	} {
		got := stranger(t, good("From: "+c.from, "Reply-To: "+c.reply, "Message-ID: <1@"+strings.SplitN(c.from, "@", 2)[1]+">"), proven)
		if strings.Contains(strings.Join(got, "\n"), ReplyToFreemail) != c.found {
			t.Errorf("%s, %s: %q", c.from, c.reply, got)
		}
	}
}

// A list that asks for answers to itself is no trick.
func TestReplyToTheList(t *testing.T) {
	for _, more := range [][]string{
		{"To: ban-tin@list.example"},
		{"List-Id: <ban-tin.list.example>"},
		{"List-Post: <mailto:ban-tin@list.example>"},
	} {
		got := strings.Join(stranger(t, good(append(more, "Reply-To: ban-tin@list.example")...), nil), " ")
		if strings.Contains(got, ReplyToDiffers) {
			t.Errorf("%q: %s", more, got)
		}
	}
}

func TestBccOnly(t *testing.T) {
	to := func(domain string) func(*msg.Message) {
		return func(m *msg.Message) { m.Envelope.To = []msg.Path{{Raw: "b@" + domain, Local: "b", Domain: domain}} }
	}
	if got := stranger(t, good(), to("so-mau.gov.test")); got != nil {
		t.Errorf("named: %q", got)
	}
	if got := stranger(t, good(), to("x.so-mau.gov.test")); !slices.Equal(got, []string{BccOnly}) {
		t.Errorf("not named: %q", got)
	}
	if got := stranger(t, good("List-Id: <a.example>"), to("x.so-mau.gov.test")); slices.Contains(got, BccOnly) {
		t.Errorf("through a list: %q", got)
	}
}

func TestLoadWords(t *testing.T) {
	if words, err := LoadWords(lists + "/mailers.txt"); err != nil || len(words) < 10 {
		t.Errorf("%d words, %v", len(words), err)
	}
	if words, err := LoadAgencyWords(lists + "/agency-words.txt"); err != nil || len(words) < 10 || !slices.Contains(words, "ubnd 25") {
		t.Errorf("%q, %v", words, err)
	}
	name := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(name, []byte("vpcp\nubnd 25\nubnd a\nhdnd 0\nab\nsoyte 101\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadAgencyWords(name)
	for _, line := range []string{":3:", ":4:", ":5:", ":6:"} {
		if err == nil || !strings.Contains(err.Error(), "words.txt"+line) {
			t.Errorf("line %s is not in %v", line, err)
		}
	}
}

// A commune that has no other mailbox is not taken for who forges a ministry.
func TestAgencyWordsHaveTheirShare(t *testing.T) {
	i := New(Options{Freemail: []string{"thu.example"}, AgencyWords: []string{"ubnd 25", "vpubnd", "vpcp"}})
	for from, want := range map[string]int{
		"ubnd-xa-mau@thu.example": 25, "xamau.ubnd@thu.example": 25, "vpubnd.tinh@thu.example": 100, "vpcp2026@thu.example": 100, "ubnd.vpcp@thu.example": 100, "an@thu.example": 0,
	} {
		raw := good("From: " + from)
		found, _, err := i.Inspect(context.Background(), &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())})
		got := 0
		for _, f := range found {
			if f.Symbol == FreemailAgency {
				got = f.Percent
			}
		}
		if err != nil || got != want {
			t.Errorf("%s: %d %%, want %d (%v)", from, got, want, err)
		}
	}
}

// In the old charsets 0xAD is a letter, and marks look like letters of other alphabets: the
// subject is judged as its reader sees it, and names are read in the charset of the letter.
// So the same letter has the same findings in all of them.
func TestSameFindingsInEveryCharset(t *testing.T) {
	letters, err := corpus.Of(corpus.Tune, 1)
	if err != nil {
		t.Fatal(err)
	}
	i := New(Options{Agencies: []Agency{{Name: "Sở Nội vụ", Words: []string{"Giám đốc", "Sở Tài chính"}, Domains: []string{"khac.gov.test"}}}})
	findings := func(l corpus.Letter) string {
		m := &msg.Message{Raw: l.Raw, Received: received, Root: mimetree.Parse(l.Raw, mimetree.DefaultLimits())}
		m.Text = text.Read(m.Root)
		found, _, err := i.Inspect(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		var symbols []string
		for _, f := range found {
			symbols = append(symbols, f.Symbol)
		}
		return strings.Join(sorted(symbols), " ")
	}
	named := 0
	for _, l := range letters {
		want := findings(l)
		if strings.Contains(want, NameAgency) {
			named++
		}
		for _, f := range corpus.Encodings() {
			v, err := corpus.As(l, f)
			if err != nil {
				t.Fatal(err)
			}
			// Without marks a name has not to be encoded, and may be no agency's any more.
			if got := findings(v); got != want && f != corpus.Bare {
				t.Errorf("%s as %s: %q, want %q", l.Name, f, got, want)
			}
		}
	}
	if named < 3 {
		t.Errorf("%d letters bear an agency's name: the test sees nothing", named)
	}
}

// Whatever stands in a header, the look ends and says only what is listed.
func FuzzMarks(f *testing.F) {
	f.Add("Re:     x", "<a@b>", "by gw.so-mau.gov.test; Tue, 24 Nov 2026 08:59:30 +0000", "vpcp@thu.example")
	f.Add("\u202e!!!", "<<@>", ";;", "=?utf-8?b?dg==?= <a@b>, c")
	f.Fuzz(func(t *testing.T, subject, id, hop, from string) {
		root := &msg.Part{Path: "0", MediaType: "text/plain", Header: []msg.Field{
			{Name: "Subject", Value: subject},
			{Name: "Message-ID", Value: id},
			{Name: "Received", Value: hop},
			{Name: "Received", Value: id},
			{Name: "From", Value: from},
			{Name: "To", Value: from},
			{Name: "Reply-To", Value: subject},
			{Name: "Date", Value: hop},
		}}
		found, _, err := New(options()).Inspect(t.Context(), &msg.Message{Root: root, Received: received, Session: msg.Session{Helo: from}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if !slices.Contains(Symbols(), x.Symbol) || len(x.Evidence) > 1000 {
				t.Errorf("%+v", x)
			}
		}
	})
}

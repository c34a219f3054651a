package header

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

var received = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func options() Options {
	return Options{
		Local: func(d string) bool { return d == "so-mau.gov.test" || strings.HasSuffix(d, ".so-mau.gov.test") },
		Brands: []Brand{
			{Name: "Mẫu Bank", Words: []string{"MBX", "Ngân hàng Mẫu", "maubank24"}, Domains: []string{"maubank.test"}},
			{Name: "Cổng dịch vụ công", Domains: []string{"dichvucong.test", "xn--cng-qmz.test"}},
		},
	}
}

// good is a header without anything to say about it; change replaces fields by name, and
// removes those that are changed to "".
func good(change ...string) string {
	fields := []string{
		"From: An <an@ngoai.example>", "To: b@so-mau.gov.test", "Subject: Chao",
		"Date: Tue, 24 Nov 2026 08:59:00 +0000", "Message-ID: <1@ngoai.example>",
	}
	for _, c := range change {
		name, value, _ := strings.Cut(c, ":")
		at := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, name+":") })
		switch {
		case at < 0 || strings.HasPrefix(c, "+"):
			fields = append(fields, strings.TrimPrefix(c, "+"))
		case value == "":
			fields = slices.Delete(fields, at, at+1)
		default:
			fields[at] = c
		}
	}
	return strings.Join(fields, "\r\n") + "\r\n\r\nbody\r\n"
}

func inspect(t testing.TB, raw string, set func(*msg.Message)) []msg.Finding {
	t.Helper()
	m := &msg.Message{Raw: []byte(raw), Received: received, Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
	if set != nil {
		set(m)
	}
	found, auth, err := New(options()).Inspect(context.Background(), m)
	if err != nil || auth != nil {
		t.Fatalf("%v %v", auth, err)
	}
	return found
}

// lines renders findings as "SYMBOL evidence".
func lines(found []msg.Finding) []string {
	var out []string
	for _, f := range found {
		s := strings.TrimSpace(f.Symbol + " " + f.Evidence)
		if f.Part != "" {
			s += " @" + f.Part
		}
		out = append(out, s)
	}
	return out
}

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  string
		want []string
	}{
		{"nothing to say", good(), nil},
		{"no From", good("From:"), []string{"HEADER_FROM_MISSING"}},
		{"From without address", good("From: An"), []string{"HEADER_FROM_MISSING An"}},
		{"empty From", good("From: <>"), []string{"HEADER_FROM_MISSING <>"}},
		{"two From fields", good("+From: c@d.example"), []string{"HEADER_DUPLICATE From", "HEADER_FROM_MANY an@ngoai.example, c@d.example"}},
		{"From and From with a space", good("+From : c@d.example"), []string{"HEADER_DUPLICATE From", "MIME_AMBIGUOUS MIME_SPACE_BEFORE_COLON @0", "HEADER_FROM_MANY an@ngoai.example, c@d.example"}},
		{"two authors", good("From: a@b.example, c@d.example"), []string{"HEADER_FROM_MANY a@b.example, c@d.example"}},
		{"two brackets", good("From: <a@b.example> <c@d.example>"), []string{"HEADER_FROM_MANY a@b.example, c@d.example"}},
		{"unquoted comma", good("From: Nguyen, An <a@b.example>"), nil},
		{"no date", good("Date:"), []string{"HEADER_DATE_MISSING"}},
		{"no date in Date", good("Date: yesterday"), []string{"HEADER_DATE_INVALID yesterday"}},
		{"tomorrow", good("Date: Wed, 25 Nov 2026 08:59:00 +0000"), nil},
		{"next week", good("Date: Wed, 02 Dec 2026 08:59:00 +0000"), []string{"HEADER_DATE_FUTURE Wed, 02 Dec 2026 08:59:00 +0000"}},
		{"fourteen days", good("Date: 10 Nov 2026 09:00 GMT"), nil},
		{"last year", good("Date: Mon, 24 Nov 2025 09:00:00 +0700 (ICT)"), []string{"HEADER_DATE_OLD Mon, 24 Nov 2025 09:00:00 +0700 (ICT)"}},
		{"no Message-ID", good("Message-ID:"), []string{"HEADER_MSGID_MISSING"}},
		{"no subject", good("Subject:"), []string{"HEADER_SUBJECT_EMPTY"}},
		{"blank subject", good("Subject: =?utf-8?q?_?="), []string{"HEADER_SUBJECT_EMPTY"}},
		{"no To", good("To:"), []string{"HEADER_TO_MISSING"}},
		{"Cc only", good("To:", "Cc: b@so-mau.gov.test"), nil},
		{"two subjects, two dates", good("+Subject: x", "+Date: Tue, 24 Nov 2026 08:59:00 +0000"), []string{"HEADER_DUPLICATE Date", "HEADER_DUPLICATE Subject"}},
		{"two Received", good("+Received: a", "+Received: b"), nil},
		{"raw 8-bit", good("Subject: Chào"), []string{"HEADER_8BIT_RAW Subject"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lines(inspect(t, tt.raw, nil)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAuthor(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  string
		want []string
	}{
		{"name is another address", good(`From: "giamdoc@so-mau.gov.test" <x@ngoai.example>`), []string{"FROM_NAME_IS_ADDRESS giamdoc@so-mau.gov.test <x@ngoai.example>"}},
		{"unquoted", good("From: giamdoc@so-mau.gov.test <x@ngoai.example>"), []string{"FROM_NAME_IS_ADDRESS giamdoc@so-mau.gov.test <x@ngoai.example>"}},
		{"encoded", good("From: =?utf-8?q?giamdoc=40so-mau.gov.test?= <x@ngoai.example>"), []string{"FROM_NAME_IS_ADDRESS giamdoc@so-mau.gov.test <x@ngoai.example>"}},
		{"full-width at", good("From: =?utf-8?q?gd=EF=BC=A0so-mau.gov.test?= <x@ngoai.example>"), []string{"FROM_NAME_IS_ADDRESS gd@so-mau.gov.test <x@ngoai.example>"}},
		{"comment", good("From: x@ngoai.example (gd@so-mau.gov.test)"), []string{"FROM_NAME_IS_ADDRESS gd@so-mau.gov.test <x@ngoai.example>"}},
		{"name is the address", good(`From: "X@ngoai.example" <x@ngoai.example>`), nil},

		{"brand", good("From: =?utf-8?q?M=E1=BA=ABu_Bank?= <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: Mẫu Bank <x@ngoai.example>"}},
		{"brand without marks", good("From: CSKH MAU BANK <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: CSKH MAU BANK <x@ngoai.example>"}},
		{"brand in NFD", good("From: =?utf-8?q?Ma=CC=82=CC=83u_Bank?= <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: Mẫu Bank <x@ngoai.example>"}},
		{"brand in Cyrillic", good("From: =?utf-8?b?0JzQsHUgQmFuaw==?= <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: Маu Bank <x@ngoai.example>"}},
		{"brand spaced", good("From: M A U B A N K <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: M A U B A N K <x@ngoai.example>"}},
		{"brand inside a word", good("From: MauBankVN <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: MauBankVN <x@ngoai.example>"}},
		{"brand with an invisible letter", good("From: =?utf-8?q?Mau_Ba=E2=80=8Bnk?= <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: Mau Ba\u200bnk <x@ngoai.example>"}},
		{"other word", good("From: MBX <x@ngoai.example>"), []string{"FROM_NAME_BRAND Mẫu Bank: MBX <x@ngoai.example>"}},
		{"short word in a word", good("From: AMBXA <x@ngoai.example>"), nil},
		{"words apart", good("From: Mau xanh Bank <x@ngoai.example>"), nil},
		{"brand itself", good("From: Mau Bank <x@maubank.test>"), nil},
		{"brand below itself", good("From: Mau Bank <x@mail.maubank.test>"), nil},
		{"brand beside itself", good("From: Mau Bank <x@xmaubank.test>"), []string{"FROM_NAME_BRAND Mẫu Bank: Mau Bank <x@xmaubank.test>"}},

		{"reply elsewhere", good("Reply-To: y@khac.example"), []string{"REPLY_TO_DIFFERS an@ngoai.example -> y@khac.example"}},
		{"reply below", good("Reply-To: y@mail.ngoai.example"), nil},
		{"reply above", good("From: a@mail.ngoai.example", "Reply-To: y@ngoai.example"), nil},
		{"reply to nobody", good("Reply-To: y"), nil},

		{"our domain", good("From: gd@so-mau.gov.test"), []string{"FROM_LOCAL_FROM_OUTSIDE gd@so-mau.gov.test"}},

		{"Cyrillic letter in ours", good("From: gd@so-m\u0430u.gov.test", "+X: y"), []string{"HEADER_8BIT_RAW From", "FROM_DOMAIN_LOOKALIKE so-m\u0430u.gov.test ~ so-mau.gov.test"}},
		{"punycode of it", good("From: gd@xn--so-mu-6cd.gov.test"), nil}, // not a valid label; shown as it is
		{"digit for a letter", good("From: gd@s0-mau.gov.test"), []string{"FROM_DOMAIN_LOOKALIKE s0-mau.gov.test ~ so-mau.gov.test"}},
		{"marks on ours", good("From: gd@=?utf-8?b?c+G7nw==?=-mau.gov.test"), []string{"HEADER_FROM_AMBIGUOUS ADDRESS_ENCODED: gd@=?utf-8?b?c+G7nw==?=-mau.gov.test", "FROM_DOMAIN_LOOKALIKE sở-mau.gov.test ~ so-mau.gov.test"}},
		{"rn for m", good("From: gd@so-rnau.gov.test"), []string{"FROM_DOMAIN_LOOKALIKE so-rnau.gov.test ~ so-mau.gov.test"}},
		{"like a brand", good("From: x@rnaubank.test"), []string{"FROM_DOMAIN_LOOKALIKE rnaubank.test ~ maubank.test"}},
		{"below one like a brand", good("From: x@login.d1chvucong.test"), []string{"FROM_DOMAIN_LOOKALIKE login.d1chvucong.test ~ dichvucong.test"}},
		{"brand in A-labels", good("From: x@xn--cng-qmz.test"), nil},
		{"plain form of a brand's U-label", good("From: x@cong.test"), []string{"FROM_DOMAIN_LOOKALIKE cong.test ~ xn--cng-qmz.test"}},
		{"mixed scripts", good("From: x@=?utf-8?b?Z29vZNCw?=.example"), []string{"HEADER_FROM_AMBIGUOUS ADDRESS_ENCODED: x@=?utf-8?b?Z29vZNCw?=.example", "FROM_DOMAIN_LOOKALIKE gooda.example"}},
		{"one foreign script", good("From: x@=?utf-8?b?0L/RgNC40LLQtdGC?=.example"), []string{"HEADER_FROM_AMBIGUOUS ADDRESS_ENCODED: x@=?utf-8?b?0L/RgNC40LLQtdGC?=.example"}},
		{"a group", good("From: Nhom: <a@b.example>;"), []string{"HEADER_FROM_AMBIGUOUS ADDRESS_GROUP: Nhom: <a@b.example>;"}},
		{"a route", good("From: <@c.example:a@b.example>"), []string{"HEADER_FROM_AMBIGUOUS ADDRESS_ROUTE: <@c.example:a@b.example>"}},
		{"a slip of syntax", good("From: Cty. ABC (HN), <a@b.example>"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := lines(inspect(t, tt.raw, nil))
			if strings.Contains(tt.name, "mixed") { // the evidence shows the Cyrillic letter
				tt.want[1] = "FROM_DOMAIN_LOOKALIKE good\u0430.example"
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLocalFromOutsideNeedsProof(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*msg.Message)
		want bool // reported
	}{
		{"nothing", nil, true},
		{"outbound", func(m *msg.Message) { m.Session.Outbound = true }, false},
		{"dmarc pass", auth("dmarc", "pass", "header.from", "so-mau.gov.test"), false},
		{"dmarc pass of another", auth("dmarc", "pass", "header.from", "ngoai.example"), true},
		{"dmarc fail", auth("dmarc", "fail", "header.from", "so-mau.gov.test"), true},
		{"dkim pass", auth("dkim", "pass", "header.d", "SO-MAU.gov.test"), false},
		{"dkim pass of another", auth("dkim", "pass", "header.d", "ngoai.example"), true},
		{"dkim pass of the suffix", auth("dkim", "pass", "header.d", "gov.test"), true},
		{"dkim identity", auth("dkim", "pass", "header.i", "so-mau.gov.test"), true},
		{"spf pass", auth("spf", "pass", "smtp.mailfrom", "so-mau.gov.test"), true},
	} {
		found := inspect(t, good("From: gd@so-mau.gov.test"), tt.set)
		if got := len(found) == 1 && found[0].Symbol == LocalFromOutside; got != tt.want || len(found) > 1 {
			t.Errorf("%s: %q", tt.name, lines(found))
		}
	}
	below := good("From: gd@phong.so-mau.gov.test")
	if found := inspect(t, below, auth("dkim", "pass", "header.d", "so-mau.gov.test")); found != nil {
		t.Errorf("signed by the domain above: %q", lines(found))
	}
}

func auth(method, status, property, value string) func(*msg.Message) {
	return func(m *msg.Message) {
		m.Auth = []msg.AuthResult{{Method: method, Status: status, Property: property, Value: value}}
	}
}

func TestRaw8BitIsFineWithSMTPUTF8(t *testing.T) {
	if found := inspect(t, good("Subject: Chào"), func(m *msg.Message) { m.Envelope.SMTPUTF8 = true }); found != nil {
		t.Errorf("%q", lines(found))
	}
}

func TestStructure(t *testing.T) {
	raw := good("+Content-Type: multipart/mixed; boundary=a; boundary=b") +
		"preamble\r\n--a\r\nContent-Transfer-Encoding: base64\r\n\r\nQ!Q==QQ==\r\n--b\r\n\r\nx\r\n--b--\r\nepilogue\r\n"
	want := []string{"MIME_AMBIGUOUS MIME_TWO_BOUNDARIES @0", "MIME_AMBIGUOUS MIME_BASE64_JUNK @1", "MIME_AMBIGUOUS MIME_BASE64_STREAMS @1"}
	if got := lines(inspect(t, raw, nil)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	deep := strings.TrimSuffix(good(), "\r\nbody\r\n") + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 50)
	found := inspect(t, deep, nil)
	if len(found) != 1 || found[0].Symbol != MIMELimit || found[0].Evidence != mimetree.LimitDepth {
		t.Errorf("%q", lines(found))
	}
}

func TestStructureIsBoundedAndKeepsLimits(t *testing.T) {
	raw := good("+Content-Type: multipart/mixed; boundary=a") +
		strings.Repeat("--a\r\nContent-Transfer-Encoding: x\r\n\r\nx\r\n", 2000) + "--a--\r\n"
	found := inspect(t, raw, nil)
	if len(found) != maxStructure+1 || found[0].Symbol != MIMELimit {
		t.Errorf("%d findings, first %v", len(found), found[0])
	}
}

func TestUnparsedIsAnError(t *testing.T) {
	i := New(Options{})
	if i.Name() != "header" {
		t.Error(i.Name())
	}
	if _, _, err := i.Inspect(context.Background(), &msg.Message{}); err == nil {
		t.Error("a message that was not parsed was looked at")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := i.Inspect(ctx, &msg.Message{Root: &msg.Part{}}); err == nil {
		t.Error("no error when there is no time left")
	}
	found, _, err := i.Inspect(context.Background(), &msg.Message{Root: &msg.Part{}})
	if err != nil || len(found) == 0 {
		t.Errorf("without options: %v %v", found, err)
	}
}

func TestEvidenceIsShort(t *testing.T) {
	for _, f := range inspect(t, good("Date: "+strings.Repeat("ơ", 500), "From: "+strings.Repeat("a", 5000)+"@so-mau.gov.test"), nil) {
		if n := utf8.RuneCountInString(f.Evidence); n > evidenceRunes || !utf8.ValidString(f.Evidence) {
			t.Errorf("%s: %d runes", f.Symbol, n)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, s := range []string{
		good(), good("From: a@b <c@d>, e@f"), good("From: =?utf-8?q?M=E1=BA=ABu_Bank=40x.y?= <x@xn--a.test>", "+From : z"),
		good("Date: Mon, 1 Jan 99 10:00 X"), good("Subject: [qc]", "Reply-To: \xff@\xfe"), "",
	} {
		f.Add([]byte(s))
	}
	known := Symbols()
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, x := range inspect(t, string(raw), nil) {
			if !slices.Contains(known, x.Symbol) {
				t.Fatalf("symbol %s is not in Symbols", x.Symbol)
			}
			if utf8.RuneCountInString(x.Evidence) > evidenceRunes || !utf8.ValidString(x.Evidence) {
				t.Fatalf("evidence %q", x.Evidence)
			}
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	raw := []byte(good("From: =?utf-8?q?M=E1=BA=ABu_Bank?= <x@ngoai.example>"))
	m := &msg.Message{Raw: raw, Received: received, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	i := New(options())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := i.Inspect(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
}

package aggregate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has everything that a report of ours can say.
func sample() *Report {
	begin := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	return &Report{
		Org: `Cổng thư <"tỉnh" & xã>`, Email: "bao-cao@gov.test", Contact: "https://gov.test/dmarc", ID: "20261124-0a1b2c-0",
		Begin: begin, End: begin.Add(24*time.Hour - time.Second), Errors: []string{"3 messages are not listed"},
		Policy: Policy{Domain: "a.test", P: "reject", SP: "quarantine", NP: "reject", ADKIM: "s", ASPF: "r", Testing: true},
		Records: []Record{
			{Row{
				Source: "192.0.2.1", Disposition: Pass, DKIM: Pass, SPF: Fail, HeaderFrom: "x.a.test", EnvelopeFrom: "list.test",
				Keys:   []Key{{"a.test", "k1", Pass}, {"list.test", "s", "temperror"}},
				Sender: &Sender{"list.test", "mfrom", Pass},
			}, 12},
			{Row{
				Source: "2001:db8::1", Disposition: "quarantine", DKIM: Fail, SPF: Fail, HeaderFrom: "a.test",
				Reasons: []Reason{{"policy_test_mode", ""}, {"local_policy", "known forwarder"}},
				Sender:  &Sender{"", "mfrom", None},
			}, 1},
		},
	}
}

// What is written is read back as it was.
func TestRoundTrip(t *testing.T) {
	doc, err := sample().XML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if want := sample(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v\n%s", got, want, doc)
	}
	if got.Messages() != 13 {
		t.Errorf("%d messages", got.Messages())
	}
}

// Others read it as well: a validator with the schema, and a parser that is not Go's.
func TestOthersReadIt(t *testing.T) {
	doc, err := sample().XML()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.xml")
	if err := os.WriteFile(name, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("xmllint", func(t *testing.T) {
		if _, err := exec.LookPath("xmllint"); err != nil {
			t.Skip("needs xmllint (Debian: libxml2-utils)")
		}
		out, err := exec.Command("xmllint", "--noout", "--nonet", "--schema", "testdata/aggregate.xsd", name).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, out, doc)
		}
	})
	t.Run("python3", func(t *testing.T) {
		if _, err := exec.LookPath("python3"); err != nil {
			t.Skip("needs python3")
		}
		script := `import sys, xml.etree.ElementTree as e
n = {"d": "urn:ietf:params:xml:ns:dmarc-2.0"}
f = e.parse(sys.argv[1]).getroot()
print(f.find("d:report_metadata/d:org_name", n).text)
print(sum(int(r.find("d:row/d:count", n).text) for r in f.findall("d:record", n)), f.find("d:policy_published/d:testing", n).text)`
		out, err := exec.Command("python3", "-X", "utf8", "-c", script, name).CombinedOutput()
		if want := "Cổng thư <\"tỉnh\" & xã>\n13 y\n"; err != nil || string(out) != want {
			t.Errorf("%v\n%s, want\n%s", err, out, want)
		}
	})
}

// older is a report as RFC 7489 has it, with what is seen in the field.
const older = `<?xml version="1.0" encoding="UTF-8" ?>
<!-- made by somebody -->
<feedback>
  <report_metadata>
    <org_name>reporter.test</org_name><email>noreply@reporter.test</email>
    <report_id>17</report_id>
    <date_range><begin>1793404800</begin><end>1793491199</end></date_range>
  </report_metadata>
  <policy_published><domain>Gov.test</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
  <record>
    <row><source_ip>::ffff:192.0.2.7</source_ip><count>3</count>
      <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf><reason><type>forwarded</type><comment/></reason></policy_evaluated></row>
    <identifiers><header_from>Gov.test</header_from></identifiers>
    <auth_results><dkim><domain>x.test</domain><result>fail</result><human_result>body hash</human_result></dkim><spf><domain>gov.test</domain><result>pass</result></spf></auth_results>
    <extension xmlns:x="https://x.test/"><x:deep><x:deeper><record><row/></record></x:deeper></x:deep></extension>
  </record>
</feedback>`

func TestReadsTheOlderFormat(t *testing.T) {
	r, err := Parse([]byte(older))
	if err != nil {
		t.Fatal(err)
	}
	x := r.Records[0]
	if r.Org != "reporter.test" || r.Policy.Domain != "gov.test" || len(r.Records) != 1 || x.Source != "192.0.2.7" || x.Messages != 3 || x.SPF != Pass || x.HeaderFrom != "gov.test" {
		t.Errorf("%+v", r)
	}
	if len(x.Keys) != 1 || x.Keys[0].Result != Fail || x.Sender.Result != Pass || x.Reasons[0].Type != "forwarded" {
		t.Errorf("%+v", x)
	}
}

func TestRefuses(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(older, old) {
			t.Fatalf("the sample does not contain %q", old)
		}
		return strings.Replace(older, old, new, 1)
	}
	record := older[strings.Index(older, "  <record>"):strings.Index(older, "</feedback>")]
	for _, c := range []struct{ name, doc, want string }{
		{"nothing", "", "empty"},
		{"no XML", "hello", "empty"},
		{"another document", "<html/>", "no feedback"},
		{"cut off", older[:len(older)/2], "unexpected EOF"},
		{"two documents", older + "<feedback/>", "something follows"},
		{"document type", edit("<feedback>", "<!DOCTYPE feedback><feedback>"), "document type"},
		{"entity", edit("<feedback>", `<!DOCTYPE f [<!ENTITY a "aaa">]><feedback>`), "document type"},
		{"unknown entity", edit("reporter.test</org", "&a;</org"), "invalid character entity"},
		{"stylesheet", edit("<feedback>", `<?xml-stylesheet href="x"?><feedback>`), "processing instruction"},
		{"another character set", edit(`"UTF-8"`, `"windows-1258"`), "not UTF-8"},
		{"broken UTF-8", edit("reporter.test</org", "\xff\xfe</org"), "invalid UTF-8"},
		{"control character", edit("reporter.test</org", "\x1b</org"), "illegal character"},
		{"deep", edit("<comment/>", strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60)), "nested too deeply"},
		{"deep extension", edit("<x:deeper>", "<x:deeper>"+strings.Repeat("<a>", 60)), "nested too deeply"},
		{"long text", edit("reporter.test</org", strings.Repeat("a", maxText+1)+"</org"), "too long"},
		{"no organisation", edit("<org_name>reporter.test</org_name>", ""), "names no organisation"},
		{"no id", edit("<report_id>17</report_id>", ""), "no id"},
		{"no time", edit("<begin>1793404800</begin>", ""), "no span"},
		{"end before begin", edit("1793491199", "1793404799"), "no span"},
		{"wild time", edit("1793404800", "99999999999999"), "is no time"},
		{"no domain", edit("Gov.test</domain>", "</domain>"), "is no domain"},
		{"a path as domain", edit("Gov.test</domain>", "../x.test</domain>"), "is no domain"},
		{"no client", edit("<source_ip>::ffff:192.0.2.7</source_ip>", ""), "record 1"},
		{"no address", edit("::ffff:192.0.2.7", "mx.test"), "no IP address"},
		{"scoped address", edit("::ffff:192.0.2.7", "fe80::1%eth0"), "no IP address"},
		{"negative count", edit("<count>3", "<count>-3"), "no number"},
		{"giant count", edit("<count>3", "<count>9999999999999999999"), "no number"},
		{"disposition", edit("<disposition>none", "<disposition>deleted"), "record 1"},
		{"many results", edit("<spf><domain>", strings.Repeat("<dkim/>", maxResults)+"<spf><domain>"), "DKIM results"},
		{"many records", strings.Replace(older, record, strings.Repeat("<record/>", maxRecords+1), 1), "records"},
		{"large", older + strings.Repeat(" ", MaxDocument), "larger than"},
	} {
		_, err := Parse([]byte(c.doc))
		var m *Malformed
		if !errors.As(err, &m) || !strings.Contains(m.What.EN, c.want) || m.What.VI == "" {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: the complaint has %d octets", c.name, len(err.Error()))
		}
	}
}

// A mistake is named with its place.
func TestComplaintHasAPlace(t *testing.T) {
	_, err := Parse([]byte(strings.Replace(older, "::ffff:192.0.2.7", "x", 1)))
	if err == nil || !strings.Contains(err.Error(), "11:34: ") {
		t.Error(err)
	}
}

// Whatever is read can be written and read again with the same figures.
func FuzzParse(f *testing.F) {
	doc, err := sample().XML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(older))
	f.Add([]byte("<feedback><record><row><source_ip>::1</source_ip></row></record></feedback>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		doc, err := r.XML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(doc)
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if again.Messages() != r.Messages() || again.Policy.Domain != r.Policy.Domain || len(again.Records) != len(r.Records) {
			t.Fatalf("%+v\n%+v", r, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	r := sample()
	for i := range 1000 {
		x := r.Records[0]
		x.Source = fmt.Sprintf("192.0.%d.%d", i/256, i%256)
		r.Records = append(r.Records, x)
	}
	doc, err := r.XML()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := Parse(bytes.Clone(doc)); err != nil {
			b.Fatal(err)
		}
	}
}

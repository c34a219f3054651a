package header

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/tomlfile"
)

const lists = "../../../rules/lists"

// province is an inspector with the shipped lists, as a province would have it.
func province(t testing.TB) msg.Inspector {
	t.Helper()
	var f struct{ Brand []Brand }
	if _, err := tomlfile.Read(filepath.Join(lists, "brands.toml"), &f); err != nil {
		t.Fatal(err)
	}
	agencies, err := LoadAgencies(filepath.Join(lists, "agencies.toml"))
	if err != nil {
		t.Fatal(err)
	}
	agencies = append(agencies, Agency{Name: "Sở Y tế tỉnh Hải Dương", Words: []string{"SYT Hải Dương"}, Domains: []string{"haiduong.gov.vn"}})
	ours := []string{"haiduong.gov.vn", "cangbienquangninh.com.vn"}
	return New(Options{
		Local:   func(d string) bool { return slices.Contains(ours, d) || strings.HasSuffix(d, ".haiduong.gov.vn") },
		Domains: append(ours, "*.haiduong.gov.vn"), Brands: f.Brand, Agencies: agencies,
	})
}

// letterOf makes a letter out of a line of identity.txt.
func letterOf(t testing.TB, line string) *msg.Message {
	t.Helper()
	m := &msg.Message{Received: received, Envelope: msg.Envelope{SMTPUTF8: true}}
	head := "To: b@haiduong.gov.vn\r\nSubject: Chao\r\nDate: Tue, 24 Nov 2026 08:59:00 +0000\r\nMessage-ID: <1@ngoai.example>\r\n"
	for field := range strings.SplitSeq(line, " | ") {
		if address, ok := strings.CutPrefix(field, "Envelope: "); ok {
			local, domain, _ := strings.Cut(address, "@")
			m.Envelope.From = msg.Path{Raw: address, Local: local, Domain: domain}
			continue
		}
		if strings.Contains(field, `\u`) { // letters that an editor would show as others
			s, err := strconv.Unquote(`"` + strings.ReplaceAll(field, `"`, `\"`) + `"`)
			if err != nil {
				t.Fatalf("%s: %v", field, err)
			}
			field = s
		}
		head += field + "\r\n"
	}
	m.Raw = []byte(head + "\r\nbody\r\n")
	m.Root = mimetree.Parse(m.Raw, mimetree.DefaultLimits())
	return m
}

// harmless are the symbols that honest mail has as well; they weigh next to nothing.
var harmless = []string{SenderDiffers, EnvelopeDiffers, ReplyToDiffers}

func TestIdentity(t *testing.T) {
	data, err := os.ReadFile("testdata/identity.txt")
	if err != nil {
		t.Fatal(err)
	}
	i := province(t)
	forged, honest := 0, 0
	for n, line := range strings.Split(string(data), "\n") {
		want, fields, ok := strings.Cut(line, " ")
		if !ok || want == "#" {
			continue
		}
		found, _, err := i.Inspect(context.Background(), letterOf(t, strings.TrimSpace(fields)))
		if err != nil {
			t.Fatal(err)
		}
		var symbols []string
		for _, f := range found {
			symbols = append(symbols, f.Symbol)
		}
		switch against := slices.DeleteFunc(slices.Clone(symbols), func(s string) bool { return slices.Contains(harmless, s) }); {
		case want == "-" && len(against) > 0:
			t.Errorf("line %d: %s: found %q", n+1, fields, lines(found))
		case want == "-":
			honest++
		case !slices.Contains(symbols, want):
			t.Errorf("line %d: %s: found %q, want %s", n+1, fields, lines(found), want)
		default:
			forged++
		}
	}
	if forged < 30 || honest < 30 {
		t.Errorf("%d forged and %d honest letters: the list is not whole", forged, honest)
	}
}

// BenchmarkIdentity is a stranger's letter under the shipped lists.
func BenchmarkIdentity(b *testing.B) {
	i, m := province(b), letterOf(b, "From: Trần Thị Bình <binh@congty-hungthinh.com.vn> | Envelope: x@bounce.example")
	for b.Loop() {
		if _, _, err := i.Inspect(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOtherSenders(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"From: <a@x.example> | Sender: b@y.example", "SENDER_DIFFERS a@x.example, Sender b@y.example"},
		{"From: <a@x.example> | Sender: b@mail.x.example", ""},
		{"From: <a@x.com.vn> | Envelope: b@y.com.vn", "FROM_ENVELOPE_DIFFERS a@x.com.vn, MAIL FROM b@y.com.vn"},
		{"From: <a@news.x.com.vn> | Envelope: b@bounce.x.com.vn", ""},
		{"From: <a@x.example>", ""},
	} {
		found, _, err := province(t).Inspect(context.Background(), letterOf(t, c.line))
		if err != nil || strings.Join(lines(found), ";") != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.line, lines(found), c.want, err)
		}
	}
}

func TestLoadAgenciesNamesThePlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agencies.toml")
	if err := os.WriteFile(name, []byte("[[agency]]\nname = \"A\"\nwords = [\"ab\"]\ndomains = [\"A B\"]\n[[agency]]\nname = \"B\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadAgencies(name)
	for _, want := range []string{"agencies.toml:3:", "agencies.toml:4:", "agencies.toml:5:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add("a@haiduong.gov.vn.example.top")
	f.Add("\"chutich@haiduong.gov.vn\" <a@xn--hidung-xqb.vn>, =?utf-8?q?=00?= <@>")
	i := province(f)
	f.Fuzz(func(t *testing.T, from string) {
		raw := []byte("From: " + from + "\r\n\r\n")
		m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
		found, _, err := i.Inspect(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if !slices.Contains(Symbols(), x.Symbol) {
				t.Errorf("%s is not listed", x.Symbol)
			}
		}
	})
}

// A domain that spells the sender's own name with look-alikes is one; the name itself, in
// whatever way it is put together, is none.
func TestDomainThatMimicsTheName(t *testing.T) {
	for from, want := range map[string]bool{
		`"Hansung Machinery" <a@hansung-rnachinery.example>`:   true,
		`"Công ty Thiết bị Mẫu" <ketoan@thietbi-rnau.example>`: true,
		`"Hansung Machinery" <a@hansung-machinery.example>`:    false,
		`"Công ty Thiết bị Mẫu" <ketoan@thietbimau.example>`:   false,
		`"Văn phòng Modern House" <a@modern-house.example>`:    false,
		`"Kinh doanh" <kinhdoanh@in-nhanh.example>`:            false,
		`"Hansung rnachinery" <a@hansung-rnachinery.example>`:  false,
		`"Tam" <tam@tarn-shop.example>`:                        true,
		`"Mẫu" <mau@rnau.example>`:                             true,
	} {
		m := letterOf(t, "From: "+from)
		found, _, err := province(t).Inspect(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		findings := lines(found)
		got := slices.ContainsFunc(findings, func(s string) bool { return strings.HasPrefix(s, "FROM_DOMAIN_LOOKALIKE") })
		if got != want {
			t.Errorf("%s: %v, want %v: %v", from, got, want, findings)
		}
	}
}

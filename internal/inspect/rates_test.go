package inspect_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/corpus"
	"congthu/internal/inspect/adlaw"
	"congthu/internal/inspect/header"
	"congthu/internal/inspect/link"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
	"congthu/internal/tomlfile"
)

// house is the inspectors of header, advertising and links with the shipped lists, as a
// province would have them.
func house(t testing.TB) []msg.Inspector {
	t.Helper()
	lists := filepath.Join("..", "..", "rules", "lists")
	list := func(name string, load func(string) ([]string, error)) []string {
		out, err := load(filepath.Join(lists, name))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	brands, err := link.LoadBrands(filepath.Join(lists, "brands.toml"))
	agencies, err2 := header.LoadAgencies(filepath.Join(lists, "agencies.toml"))
	law, err3 := adlaw.Load(filepath.Join(lists, "ad-law.toml"))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	local := func(d string) bool {
		return d == "so-mau.tinh-mau.gov.vn" || strings.HasSuffix(d, ".so-mau.tinh-mau.gov.vn")
	}
	domains := []string{"so-mau.tinh-mau.gov.vn", "*.so-mau.tinh-mau.gov.vn"}
	h := header.Options{
		Local: local, Domains: domains, Agencies: agencies, Hostname: "gw.so-mau.tinh-mau.gov.vn",
		Freemail: list("freemail.txt", link.LoadList), AgencyWords: list("agency-words.txt", header.LoadAgencyWords), Mailers: list("mailers.txt", header.LoadWords),
	}
	for _, b := range brands {
		h.Brands = append(h.Brands, header.Brand(b))
	}
	for _, a := range agencies {
		domains = append(domains, a.Domains...)
	}
	l := link.Options{Local: local, Domains: domains, Brands: brands, Shorteners: list("shorteners.txt", link.LoadList), FreeHosts: list("free-hosts.txt", link.LoadPlaces)}
	return []msg.Inspector{header.New(h), adlaw.New(law, nil), link.New(l)}
}

// rates counts how many good and bad letters a symbol is found in.
type rates struct {
	letters  [2]int
	hits     map[string]*[2]int
	examples map[string][]string
}

func (r *rates) see(t testing.TB, in []msg.Inspector, m *msg.Message, name string, spam bool) {
	t.Helper()
	kind := 0
	if spam {
		kind = 1
	}
	r.letters[kind]++
	m.Text = text.Read(m.Root)
	seen := map[string]bool{}
	for _, i := range in {
		found, _, err := i.Inspect(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if !seen[f.Symbol] {
				seen[f.Symbol] = true
				if r.hits[f.Symbol] == nil {
					r.hits[f.Symbol] = &[2]int{}
				}
				r.hits[f.Symbol][kind]++
				if !spam {
					r.examples[f.Symbol] = append(r.examples[f.Symbol], name+": "+f.Evidence)
				}
			}
		}
	}
}

func newRates() *rates { return &rates{hits: map[string]*[2]int{}, examples: map[string][]string{}} }

// weights are the scores of rules/weights.toml.
func weights(t testing.TB) map[string]float64 {
	t.Helper()
	var f struct {
		Group  map[string]any
		Symbol map[string]struct {
			Score         float64
			Group, VI, EN string
			Unless        []string
		}
	}
	if _, err := tomlfile.Read(filepath.Join("..", "..", "rules", "weights.toml"), &f); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for name, s := range f.Symbol {
		out[name] = s.Score
	}
	return out
}

// check prints the table and fails for a symbol that costs more than its false alarms
// allow: 3 points at one good letter in 100, 1 point at one in 20.
func (r *rates) check(t *testing.T) {
	t.Helper()
	w := weights(t)
	names := make([]string, 0, len(r.hits))
	for name := range r.hits {
		names = append(names, name)
	}
	slices.Sort(names)
	t.Logf("%d good, %d bad", r.letters[0], r.letters[1])
	for _, name := range names {
		good, bad := share(r.hits[name][0], r.letters[0]), share(r.hits[name][1], r.letters[1])
		t.Logf("%-26s %5.1f  good %6.2f %%  bad %6.2f %%", name, w[name], good, bad)
		if w[name] >= 3 && good > 1 || w[name] >= 1 && good > 5 {
			t.Errorf("%s weighs %.1f and is found in %.2f %% of good letters, such as %q", name, w[name], good, r.examples[name][:min(3, len(r.examples[name]))])
		}
		if os.Getenv("CONGTHU_EXAMPLES") == name {
			t.Log(strings.Join(r.examples[name], "\n"))
		}
	}
}

func share(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// Found in English mail of 2002 and 2003, half of it lists and newsletters.
func TestRatesOnPublicMail(t *testing.T) {
	dir := os.Getenv("CONGTHU_SUITES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "suites")
	}
	f, err := os.Open(filepath.Join(dir, "spam", "sa_open.tgz"))
	if err != nil {
		t.Skipf("the public letters are missing (CONGTHU_SUITES names the folder of the suites): %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in, r := house(t), newRates()
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(h.Name, "/data/") || h.Typeflag != tar.TypeReg {
			continue
		}
		raw, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		r.see(t, in, public(raw), h.Name, strings.Contains(h.Name, "/spam"+"-") || strings.Contains(h.Name, "/data/spam"))
	}
	r.check(t)
}

// public is a letter of a collection: it came when its newest trace says.
func public(raw []byte) *msg.Message {
	letter := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
	if strings.HasPrefix(letter, "From ") { // of an mbox
		_, letter, _ = strings.Cut(letter, "\r\n")
	}
	m := &msg.Message{Raw: []byte(letter), Root: mimetree.Parse([]byte(letter), mimetree.DefaultLimits())}
	if hop := m.Root.Get("Received"); hop != "" {
		date := strings.TrimSpace(hop[strings.LastIndexByte(hop, ';')+1:])
		date, _, _ = strings.Cut(date, "(")
		m.Received, _ = time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", strings.TrimSpace(date))
	}
	return m
}

// Found in the Vietnamese letters that weights are tuned on.
func TestRatesOnOfficialMail(t *testing.T) {
	in, r := house(t), newRates()
	for _, set := range []corpus.Set{corpus.Train, corpus.Tune} {
		letters, err := corpus.Of(set, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range letters {
			r.see(t, in, official(l), l.Name, l.Spam)
		}
	}
	if r.letters[0] < 50 || r.letters[1] < 50 {
		t.Fatalf("only %v letters", r.letters)
	}
	r.check(t)
}

func official(l corpus.Letter) *msg.Message {
	path := func(s string) msg.Path {
		local, domain, _ := strings.Cut(s, "@")
		return msg.Path{Raw: s, Local: local, Domain: domain}
	}
	m := &msg.Message{
		Raw: l.Raw, Root: mimetree.Parse(l.Raw, mimetree.DefaultLimits()), Envelope: msg.Envelope{From: path(l.From), To: []msg.Path{path(l.To)}},
		Session: msg.Session{Helo: l.Helo, Remote: netip.AddrPortFrom(l.Client, 25), Outbound: l.Inside},
	}
	if at, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", m.Root.Get("Date")); err == nil {
		m.Received = at.Add(time.Minute)
	}
	return m
}

// The three together stay under a quarter of a millisecond for a usual letter.
func BenchmarkHouse(b *testing.B) {
	in := house(b)
	letters, err := corpus.Of(corpus.Tune, 1)
	if err != nil {
		b.Fatal(err)
	}
	var ms []*msg.Message
	for _, l := range letters {
		m := official(l)
		m.Text = text.Read(m.Root)
		ms = append(ms, m)
	}
	for _, i := range in {
		b.Run(i.Name(), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				if _, _, err := i.Inspect(b.Context(), ms[n%len(ms)]); err != nil {
					b.Fatal(fmt.Errorf("%s: %w", i.Name(), err))
				}
			}
		})
	}
}

// A letter of 40 KB in HTML with a hundred links: what the three cost at most.
func BenchmarkLongLetter(b *testing.B) {
	var body strings.Builder
	for n := range 100 {
		fmt.Fprintf(&body, "<p>Kính gửi các đơn vị trực thuộc, đề nghị báo cáo kết quả thực hiện nhiệm vụ trước ngày %d hằng tháng; tài liệu kèm theo tại <a href=\"https://tai-lieu-%d.ngoai.example/bao-cao/%d?id=1\">tài liệu số %d</a>.</p>\r\n"+
			"<p>Mọi vướng mắc xin liên hệ văn phòng, điện thoại 0220 3852 123, để được hướng dẫn.</p>\r\n", n, n%12, n, n)
	}
	raw := []byte("From: Van phong <vp@ngoai.example>\r\nTo: a@so-mau.tinh-mau.gov.vn\r\nSubject: Bao cao\r\nDate: Tue, 24 Nov 2026 08:59:00 +0000\r\nMessage-ID: <1@ngoai.example>\r\n" +
		"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body.String())
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	m.Text = text.Read(m.Root)
	b.Logf("%d octets", len(raw))
	for _, i := range house(b) {
		b.Run(i.Name(), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := i.Inspect(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

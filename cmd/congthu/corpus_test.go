package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/config"
	"congthu/internal/corpus"
	"congthu/internal/dns/fake"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/smtpd"
)

// The Vietnamese letters (internal/corpus, testdata/vn) before the whole judge: the rules
// as shipped, DNS from a zone, and no scan worker, so that the words of the letters and
// their links have to carry the verdict.

const shelf = "../../testdata/vn"

// bench is a judge with what it needs.
type bench struct{ path *pipeline.Pipeline }

func newBench(t testing.TB) *bench {
	t.Helper()
	b, _ := newBenchWithJudge(t)
	return b
}

// newBenchWithJudge is newBench for who wants to teach the judge as well.
func newBenchWithJudge(t testing.TB) (*bench, *judge) {
	t.Helper()
	return newBenchAt(t, shelf)
}

// newBenchAt is newBenchWithJudge with the zone of another folder of letters.
func newBenchAt(t testing.TB, dir string) (*bench, *judge) {
	t.Helper()
	zone, err := os.ReadFile(filepath.Join(dir, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := fake.ParseZone(string(zone))
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.RulesDir = "../../rules"
	c.Route = []config.Route{{Domains: []string{"so-mau.tinh-mau.gov.vn"}, NextHop: "127.0.0.1:1"}}
	c.DNS.Servers = []string{serve(t, z)}
	c.Inspect.Skip = []string{"attach"}
	c.PGP.Keys = t.TempDir()
	c.DKIM.Keys = t.TempDir()
	j, err := newJudge(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{j.pipeline()}, j
}

func serve(t testing.TB, zone fake.Zone) string {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { _ = fake.Serve(ctx, udp, tcp, zone) }()
	return tcp.Addr().String()
}

// judge returns what is decided about the letter, a minute after it was written.
func (b *bench) judge(t testing.TB, l corpus.Letter) msg.Decision {
	t.Helper()
	return b.walk(t, l).Decisions[0]
}

// walk is all that is found of the letter, too.
func (b *bench) walk(t testing.TB, l corpus.Letter) pipeline.Walk {
	t.Helper()
	from, err := smtpd.ParsePath(l.From, true)
	if err != nil {
		t.Fatal(l.Name, err)
	}
	to, err := smtpd.ParsePath(l.To, true)
	if err != nil {
		t.Fatal(l.Name, err)
	}
	m := &msg.Message{
		ID: "t", Received: written(t, l).Add(time.Minute), Raw: l.Raw,
		Session:  msg.Session{Remote: netip.AddrPortFrom(l.Client, 4000), Helo: l.Helo, ESMTP: true},
		Envelope: msg.Envelope{From: from, To: []msg.Path{to}},
	}
	if l.Inside {
		m.Session.Outbound = true
		m.Session.Identity = msg.Identity{Proof: msg.ByNetwork, Agency: "so-mau", Senders: []string{"so-mau.tinh-mau.gov.vn"}}
	}
	walk := b.path.Judge(context.Background(), m)
	checkWalk(t, l, walk)
	return walk
}

func checkWalk(t testing.TB, l corpus.Letter, walk pipeline.Walk) {
	t.Helper()
	if len(walk.Decisions) != 1 {
		t.Fatalf("%s: %d decisions", l.Name, len(walk.Decisions))
	}
	for _, o := range walk.Outcomes {
		if o.Err != nil {
			t.Fatalf("%s: %s could not look: %v", l.Name, o.Inspector, o.Err)
		}
	}
}

func written(t testing.TB, l corpus.Letter) time.Time {
	t.Helper()
	head, err := mail.ReadMessage(bytes.NewReader(l.Raw))
	if err != nil {
		t.Fatal(l.Name, err)
	}
	at, err := head.Header.Date()
	if err != nil {
		t.Fatal(l.Name, err)
	}
	return at
}

func caught(d msg.Decision) bool { return d.Action != msg.Deliver }

// why lists what counted, gravest first.
func why(d msg.Decision) string {
	counted := slices.DeleteFunc(slices.Clone(d.Why.Counted), func(w msg.Weighed) bool { return w.Score == 0 })
	slices.SortStableFunc(counted, func(a, b msg.Weighed) int { return int(100 * (b.Score - a.Score)) })
	var out []string
	for _, w := range counted {
		out = append(out, fmt.Sprintf("%s %+.1f (%.60s)", w.Symbol, w.Score, w.Evidence))
	}
	return strings.Join(out, ", ")
}

// shelved are the letters of testdata/vn.
func shelved(t testing.TB) []corpus.Letter {
	t.Helper()
	return lettersOf(t, shelf)
}

// lettersOf are the letters of a folder with an index.
func lettersOf(t testing.TB, dir string) []corpus.Letter {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	letters, err := corpus.ParseIndex(string(data))
	if err != nil {
		t.Fatal(err)
	}
	for i := range letters {
		if letters[i].Raw, err = os.ReadFile(filepath.Join(dir, letters[i].Name+".eml")); err != nil {
			t.Fatal(err)
		}
	}
	return letters
}

// tally counts letters by topic and set.
type tally map[string]*count

type count struct{ n, hit int }

func (c tally) add(key string, hit bool) {
	if c[key] == nil {
		c[key] = &count{}
	}
	c[key].n++
	if hit {
		c[key].hit++
	}
}

func (c *count) share() float64 {
	if c == nil {
		return 0
	}
	return 100 * float64(c.hit) / float64(c.n)
}

// No official letter is held, and nineteen of twenty bad ones are, in the set on which
// the rules were tuned and in the one on which they were not.
func TestVietnameseMail(t *testing.T) {
	b := newBench(t)
	topics, sets := tally{}, tally{}
	for _, l := range shelved(t) {
		d := b.judge(t, l)
		topics.add(string(l.Set)+" "+label(l)+" "+l.Topic, caught(d))
		sets.add(string(l.Set)+" "+label(l), caught(d))
		switch {
		case !l.Spam && caught(d):
			t.Errorf("%s (%s) is held: %.1f %s: %s", l.Name, l.Set, d.Why.Score, d.Reason, why(d))
		case l.Spam && !caught(d):
			t.Logf("missed %s (%s): %.1f: %s", l.Name, l.Set, d.Why.Score, why(d))
		}
	}
	for _, set := range []corpus.Set{corpus.Tune, corpus.Held} {
		ham, spam := sets[string(set)+" ham"], sets[string(set)+" spam"]
		if ham == nil || spam == nil || ham.n < 100 || spam.n < 90 {
			t.Fatalf("%s: too few letters to tell", set)
		}
		if spam.share() < 95 {
			t.Errorf("%s: only %.1f %% of the bad letters are caught", set, spam.share())
		}
		fmt.Printf("accuracy: vn %-5s %3d/%3d good letters held, %3d/%3d bad letters caught (%.1f %%)\n", set, ham.hit, ham.n, spam.hit, spam.n, spam.share())
	}
	for _, k := range sorted(topics) {
		t.Logf("%-40s %3d letters, %3d held", k, topics[k].n, topics[k].hit)
		if strings.Contains(k, " spam ") && topics[k].share() < 80 {
			t.Errorf("%s: only %.1f %% are caught", k, topics[k].share())
		}
	}
}

func label(l corpus.Letter) string {
	if l.Spam {
		return "spam"
	}
	return "ham"
}

func sorted(c tally) []string {
	var out []string
	for k := range c {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// The same letter in another character set or spelling meets the same fate: a good one is
// not held and its score moves by less than a tenth of what holds a letter, a bad one stays
// caught and its score falls by less than a tenth. It may rise: who hides shows himself.
func TestVietnameseForms(t *testing.T) {
	b := newBench(t)
	moves := map[corpus.Form]*move{}
	for _, l := range shelved(t) {
		if !strings.HasSuffix(l.Name, ".0") {
			continue // the second letters of the texts say nothing new here
		}
		forms := corpus.Encodings()
		if l.Spam {
			forms = append(forms, corpus.Evasions()...)
		}
		base := b.judge(t, l)
		for _, f := range forms {
			v, err := corpus.As(l, f)
			if err != nil {
				t.Fatal(err)
			}
			if moves[f] == nil {
				moves[f] = &move{}
			}
			moves[f].add(t, l, f, base, b.judge(t, v))
		}
	}
	all := move{}
	for _, f := range append(corpus.Encodings(), corpus.Evasions()...) {
		m := moves[f]
		fmt.Printf("accuracy: vn as %-12s %s\n", f, m)
		if 100*m.kept < 95*m.bad {
			t.Errorf("%s: only %d of %d bad letters stay caught", f, m.kept, m.bad)
		}
		all.join(m)
	}
	fmt.Printf("accuracy: vn in all forms   %s\n", all)
	if all.bad < 1000 || all.good < 500 {
		t.Errorf("too few variants to tell: %d bad, %d good", all.bad, all.good)
	}
}

// move is how far scores move when letters change their form.
type move struct {
	bad, kept, good, held int
	foreign               int     // good letters without a Vietnamese letter
	fall, rise            float64 // of bad letters, the farthest, as a share of the score
	up, down              float64 // of good letters, as a share of what holds a letter
}

const tenth = 0.1

func (m *move) add(t *testing.T, l corpus.Letter, f corpus.Form, base, d msg.Decision) {
	t.Helper()
	far := d.Why.Score - base.Why.Score
	switch {
	case l.Spam && caught(base):
		m.bad++
		if caught(d) {
			m.kept++
		}
		m.fall, m.rise = max(m.fall, -far/base.Why.Score), max(m.rise, far/base.Why.Score)
		if -far >= tenth*base.Why.Score {
			t.Errorf("%s as %s falls to %.2f from %.2f: %s\n\twas %s", l.Name, f, d.Why.Score, base.Why.Score, why(d), why(base))
		}
	case !l.Spam:
		m.good++
		if caught(d) {
			m.held++
			t.Errorf("%s as %s is held: %.1f: %s", l.Name, f, d.Why.Score, why(d))
		}
		// Nobody writes English in a Vietnamese font: such a letter has become another one.
		if f.Foreign(l) {
			m.foreign++
			return
		}
		m.up, m.down = max(m.up, far/d.Why.Required), max(m.down, -far/d.Why.Required)
		if max(far, -far) >= tenth*d.Why.Required {
			t.Errorf("%s as %s moves to %.2f from %.2f: %s\n\twas %s", l.Name, f, d.Why.Score, base.Why.Score, why(d), why(base))
		}
	}
}

func (m *move) join(o *move) {
	m.bad, m.kept, m.good, m.held, m.foreign = m.bad+o.bad, m.kept+o.kept, m.good+o.good, m.held+o.held, m.foreign+o.foreign
	m.fall, m.rise, m.up, m.down = max(m.fall, o.fall), max(m.rise, o.rise), max(m.up, o.up), max(m.down, o.down)
}

func (m move) String() string {
	s := fmt.Sprintf("%4d/%d bad letters stay caught, none falls by more than %.1f %%, one rises by %.0f %%", m.kept, m.bad, 100*m.fall, 100*m.rise)
	if m.good > 0 {
		s += fmt.Sprintf("; %d/%d good letters held, moved by at most +%.1f and -%.1f %% of what holds one (%d in English aside)", m.held, m.good, 100*m.up, 100*m.down, m.foreign)
	}
	return s
}

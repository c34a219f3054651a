package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/corpus"
	"congthu/internal/learn"
	"congthu/internal/lessons"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
	"congthu/internal/text"
)

const shippedModel = "../../rules/model/start.model"

// publicMail unpacks the open half of the SpamAssassin corpus and returns its index and
// where the paths in it begin.
func publicMail(t testing.TB) (index, root string) {
	t.Helper()
	dir := os.Getenv("CONGTHU_SUITES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "suites")
	}
	f, err := os.Open(filepath.Join(dir, "spam", "sa_open.tgz"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the public corpus is not at hand: set CONGTHU_SUITES")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(dir, "spam", "sa_open.tsv"), root
		}
		if err != nil {
			t.Fatal(err)
		}
		unpack(t, root, h, r)
	}
}

func unpack(t testing.TB, root string, h *tar.Header, r io.Reader) {
	t.Helper()
	if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
		return
	}
	name := filepath.Join(root, h.Name)
	data, err := io.ReadAll(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The shipped model is what the command makes of the material that its README names, to
// the octet. Where the material is read otherwise than when it was made, because the
// training texts or the readers of letters have changed, only a new one can be compared.
func TestShippedModelIsMadeByTheCommand(t *testing.T) {
	index, root := publicMail(t)
	c := &trainCmd{Index: []string{index}, Root: []string{root}, Vietnamese: 10}
	letters, err := c.material()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile(shippedModel)
	if err != nil {
		t.Fatal(err)
	}
	was, err := learn.Unpack(shipped)
	if err != nil {
		t.Fatal(err)
	}
	anew := func() []byte {
		m := learn.New()
		teach(m, letters)
		m.Material = materialHash(letters)
		packed, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return packed
	}
	once := anew()
	if was.Material != materialHash(letters) {
		if !bytes.Equal(once, anew()) {
			t.Error("two models of the same letters differ")
		}
		t.Skip("letters are read otherwise than when the model was made: make it anew with `make model`")
	}
	if !bytes.Equal(once, shipped) {
		t.Error("the model made anew is not the one that is shipped; make it with `make model`")
	}
}

// The bars of the issue on the public corpus, by cross validation; and letters of one of
// its sources by a model of the others, where a filter that has learned the mailbox and
// not the spam fails.
func TestAccuracyOnPublicMail(t *testing.T) {
	index, root := publicMail(t)
	cv := &trial{cmd: &trainCmd{Index: []string{index}, Root: []string{root}, CV: 5}}
	report(t, "sa_open", cv, 0.10, 90)
	all, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	split := func(test ...string) *trial {
		d := t.TempDir()
		var in, out []string
		for _, l := range strings.Split(strings.TrimSpace(string(all)), "\n") {
			if strings.Contains(l, "/"+test[0]+"/") || strings.Contains(l, "/"+test[1]+"/") {
				out = append(out, l)
			} else {
				in = append(in, l)
			}
		}
		a, b := filepath.Join(d, "train"), filepath.Join(d, "test")
		if err := errors.Join(os.WriteFile(a, []byte(strings.Join(in, "\n")), 0o600), os.WriteFile(b, []byte(strings.Join(out, "\n")), 0o600)); err != nil {
			t.Fatal(err)
		}
		return &trial{cmd: &trainCmd{Train: []string{a}, Test: []string{b}, Root: []string{root}}}
	}
	report(t, "sa_open sources easy-ham-1, spam-1 left out", split("easy-ham-1", "spam-1"), 1.2, 80)
	report(t, "sa_open sources easy-ham-2, spam-2 left out", split("easy-ham-2", "spam-2"), 1.0, 60)
}

// report measures, prints, and holds against what was measured before.
func report(t *testing.T, name string, tr *trial, worstAUC, leastCaught float64) {
	t.Helper()
	how, err := tr.run()
	if err != nil {
		t.Fatal(err)
	}
	f := tr.figures()
	fmt.Printf("accuracy: %s, %s: (1-AUC)%% %.3f, caught at 0.1 %% fp %.1f %%, at 1 %% %.1f %%, LAM %.2f %%\n", name, how, f.OneMinusAUC, f.CaughtAtTenth, f.CaughtAtOne, f.LAM)
	if f.OneMinusAUC > worstAUC || f.CaughtAtTenth < leastCaught {
		t.Errorf("%s: (1-AUC)%% %.3f above %.2f, or %.1f %% below %.0f caught", name, f.OneMinusAUC, worstAUC, f.CaughtAtTenth, leastCaught)
	}
}

// Two hundred reports, by twenty people, that an agency's official letters are spam, and
// as many of letters with the same words under other names: none of the agency's letters
// is held by it.
func TestPoisonedReportsHoldNoOfficialLetter(t *testing.T) {
	b, j := newBenchWithJudge(t)
	db, err := store.Open(t.Context(), store.Options{URL: storetest.SQLite, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	j.lessons.Keep(db)
	letters, err := corpus.Of(corpus.Tune, 3)
	if err != nil {
		t.Fatal(err)
	}
	var official []corpus.Letter
	for _, l := range letters {
		if !l.Spam && strings.HasSuffix(l.From, ".gov.vn") && !caught(b.judge(t, l)) {
			official = append(official, l)
		}
	}
	if len(official) < 50 {
		t.Fatalf("only %d letters of agencies", len(official))
	}
	before := opinions(j, official)
	n := 0
	for i := range 200 {
		l := official[i%len(official)]
		raw := append([]byte(fmt.Sprintf("X-Copy: %d\r\n", i)), l.Raw...)
		for _, forged := range [][]byte{raw, forge(raw)} {
			x, err := (school{j}).Teach(t.Context(), forged, lessons.Report{Spam: true, Actor: fmt.Sprint("reporter ", i%20)})
			if err != nil {
				t.Fatal(err)
			}
			if x.Counts {
				n++
			}
		}
	}
	for _, l := range official {
		if d := b.judge(t, l); caught(d) {
			t.Errorf("%s is held after false reports: %.1f: %s", l.Name, d.Why.Score, why(d))
		}
	}
	if n < 100 {
		t.Errorf("only %d reports counted: the test tries nothing", n)
	}
	t.Logf("%d of 400 false reports counted; mean log-odds of %d official letters %.1f -> %.1f", n, len(official), before, opinions(j, official))
}

// forge is the letter under another name.
func forge(raw []byte) []byte {
	raw = bytes.Replace(raw, []byte("\r\nFrom: "), []byte("\r\nX-From: "), 1)
	return append([]byte("From: gia@mao.example\r\n"), raw...)
}

// opinions is the mean opinion of letters.
func opinions(j *judge, list []corpus.Letter) float64 {
	sum := 0.0
	for _, l := range list {
		m := &msg.Message{Raw: l.Raw, Root: mimetree.Parse(l.Raw, mimetree.DefaultLimits())}
		m.Text = text.Read(m.Root)
		sum += j.lessons.Judge(m).LogOdds
	}
	return sum / float64(len(list))
}

func TestStartingModelLoadsFast(t *testing.T) {
	b, err := os.ReadFile(shippedModel)
	if err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 5 {
		begun := cpu()
		if _, err := learn.Unpack(b); err != nil {
			t.Fatal(err)
		}
		best = min(best, cpu()-begun)
	}
	if best > time.Second {
		t.Errorf("loading takes %v of CPU", best)
	}
	if len(b) > 3<<20 {
		t.Errorf("the model has %d octets", len(b))
	}
}

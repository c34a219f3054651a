package ruledesk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/canary"
	"congthu/internal/msg"
	"congthu/internal/rulebook"
	"congthu/internal/ruledesk"
	"congthu/internal/rules"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

const shipped = "../../rules"

// bench is a desk with a rules directory of its own and a clock that the test sets.
type bench struct {
	t       *testing.T
	dir     string
	db      *store.DB
	opt     ruledesk.Options
	desk    *ruledesk.Desk
	now     time.Time
	log     bytes.Buffer
	scanned []string
	base    canary.Arm // what the set before has judged
}

// named finds what the shipped rules speak of, so that the desk's tests do not hang on
// which inspectors there are.
func named(t *testing.T, file, pattern string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shipped, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(data, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

func newBench(t *testing.T, url string) *bench {
	t.Helper()
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "rules"), now: time.Now().Truncate(time.Second), base: canary.Arm{Letters: 1000, Held: 20}}
	if err := os.CopyFS(b.dir, os.DirFS(shipped)); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.db, err = store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	var ids atomic.Int64
	b.opt = ruledesk.Options{
		Source: rules.Source{
			Dir:        b.dir,
			Symbols:    named(t, "weights.toml", `(?m)^\[symbol\.(\w+)\]`),
			Inspectors: named(t, "policy.toml", `(?m)^(\w+) = "(?:defer|deliver)"`),
		},
		Book: &rulebook.Book{Store: b.db, Keep: 5, NewID: func() string { return fmt.Sprintf("E%06d", ids.Add(1)) }},
		Dir:  t.TempDir(), Watch: time.Hour, FallBack: true, Bounds: canary.Bounds{MaxRise: 5, MinLetters: 50},
		Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: func() time.Time { b.now = b.now.Add(time.Millisecond); return b.now },
		Scan: func(_ context.Context, dir string) error { b.scanned = append(b.scanned, dir); return nil },
		Rate: func(context.Context, string, time.Time) (canary.Arm, error) { return b.base, nil },
	}
	b.open()
	return b
}

// open opens the desk, as a restart does.
func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.desk, err = ruledesk.Open(b.t.Context(), b.opt); err != nil {
		b.t.Fatal(err)
	}
}

// edit changes a number in the policy.
func (b *bench) edit(old, new string) {
	b.t.Helper()
	name := filepath.Join(b.dir, "policy.toml")
	data, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(data, []byte(old)) {
		b.t.Fatalf("%q: %v", old, err)
	}
	if err := os.WriteFile(name, bytes.Replace(data, []byte(old), []byte(new), 1), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// obstruct puts a directory in the place of the policy: nobody can write the file, not even
// root, who may write everywhere.
func (b *bench) obstruct() {
	b.t.Helper()
	name := filepath.Join(b.dir, "policy.toml")
	b.must(os.Remove(name))
	b.must(os.MkdirAll(filepath.Join(name, "in-the-way"), 0o700))
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// required is the threshold in use, which names the set.
func (b *bench) required() float64 {
	live, _ := b.desk.Live()
	return live.Get().Policy.Inward.Required
}

// judge lets letters pass, of which held of a hundred are held by each set.
func (b *bench) judge(n int, held map[string]int) {
	live, _ := b.desk.Live()
	for i := range n {
		m := &msg.Message{ID: fmt.Sprintf("0QK%013d", i)}
		live.Pin(m)
		b.desk.Count(m, i%100 < held[m.Rules], false)
	}
}

// what lists the events, the oldest first.
func (b *bench) what() string {
	b.t.Helper()
	events, err := b.opt.Book.Events(b.t.Context(), 100)
	b.must(err)
	var out []string
	for _, e := range events {
		out = append(out, e.What)
	}
	slices.Reverse(out)
	return strings.Join(out, " ")
}

// Reload is all or nothing: with a mistake anywhere the set in use stays, the same
// pointer; without one a new set is in use.
func TestReloadKeepsTheLastGoodSet(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	live, _ := b.desk.Live()
	before := live.Get()
	name := filepath.Join(b.dir, "content", "zz-broken.toml")
	b.must(os.WriteFile(name, []byte("[[rule]]\nsymbol = \"BROKEN\"\nregex = \"(\"\n"), 0o600))
	if err := b.desk.Reload(t.Context(), "lan"); err == nil || !strings.Contains(err.Error(), "zz-broken.toml:") {
		t.Fatalf("a broken content rule was taken: %v", err)
	}
	if live.Get() != before || len(b.scanned) != 0 {
		t.Error("the set in use was replaced by a broken one")
	}
	b.must(os.Remove(name))
	b.edit("required = 6.0", "required = 6.5")
	b.opt.Scan = nil
	b.must(b.desk.Reload(t.Context(), "lan"))
	if live.Get() == before || b.required() != 6.5 {
		t.Error("the good set was not taken into use")
	}
	events, err := b.opt.Book.Events(t.Context(), 1)
	b.must(err)
	if e := events[0]; e.What != rulebook.Reload || e.Actor != "lan" || strings.Join(e.Changes, ",") != "policy.toml +1 -1" || e.Before != before.Hash || !e.Kept {
		t.Errorf("%+v", e)
	}
}

// YARA rules with a mistake are found last and must undo nothing.
func TestReloadWithBadYARA(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	b.edit("required = 6.0", "required = 6.5")
	bad := errors.New("x.yar:3: syntax error")
	b.opt.Scan = func(context.Context, string) error { return bad }
	b.open() // the directory is taken at the start: what is in it is in use
	b.edit("required = 6.5", "required = 7.5")
	if err := b.desk.Reload(t.Context(), "lan"); !errors.Is(err, bad) || b.required() != 6.5 {
		t.Errorf("%v, required %v", err, b.required())
	}
}

// Rollback brings the files back, keeps what was edited and never used, and a restart
// finds the same set in use.
func TestRollback(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url)
		b.edit("required = 6.0", "required = 6.5")
		b.must(b.desk.Reload(t.Context(), "lan"))
		b.edit("required = 6.5", "required = 9.0") // half done
		edited, err := rules.ReadFiles(b.dir)
		b.must(err)
		hash, written, err := b.desk.Rollback(t.Context(), "", "minh")
		if err != nil || !written || b.required() != 6.0 {
			t.Fatalf("%s, written %v, required %v, %v", hash, written, b.required(), err)
		}
		if got := b.what(); got != "start reload edited rollback" {
			t.Errorf("events: %s", got)
		}
		if now, err := rules.ReadFiles(b.dir); err != nil || now.Hash() != hash {
			t.Errorf("the directory holds %s, %v", now.Hash(), err)
		}
		if b.open(); b.required() != 6.0 {
			t.Errorf("after a restart: %v", b.required())
		}
		if _, _, err := b.desk.Rollback(t.Context(), edited.Hash()[:6], "minh"); err != nil || b.required() != 9.0 {
			t.Errorf("what was edited is lost: %v", err)
		}
		if _, _, err := b.desk.Rollback(t.Context(), "ffff", "minh"); err == nil || !strings.Contains(err.Error(), "no set with the hash") {
			t.Errorf("%v", err)
		}
	})
}

// A rules directory with mistakes at a start: the set that was in use last goes on.
func TestStartWithMistakes(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	b.edit("required = 6.0", "required = six")
	b.open()
	if b.required() != 6.0 || !strings.Contains(b.log.String(), "policy.toml:") {
		t.Errorf("required %v\n%s", b.required(), b.log.String())
	}
	if _, dir := b.desk.Live(); dir == b.dir {
		t.Error("the YARA rules would be those of the broken directory")
	}
	_, err := ruledesk.Open(t.Context(), func() ruledesk.Options { // a gateway that has never run
		o := b.opt
		db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
		b.must(err)
		t.Cleanup(func() { _ = db.Close() })
		o.Book = &rulebook.Book{Store: db, Keep: 5, NewID: o.Book.NewID}
		return o
	}())
	if err == nil || !strings.Contains(err.Error(), "policy.toml:") {
		t.Errorf("%v", err)
	}
}

// Where the directory cannot be written, the kept set is used all the same.
func TestRollbackWithoutWriting(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	b.edit("required = 6.0", "required = 6.5")
	b.must(b.desk.Reload(t.Context(), "lan"))
	b.obstruct()
	if _, written, err := b.desk.Rollback(t.Context(), "", "lan"); err != nil || written || b.required() != 6.0 {
		t.Errorf("written %v, required %v, %v", written, b.required(), err)
	}
	if b.open(); b.required() != 6.0 {
		t.Error("a restart forgot the rollback")
	}
}

// The number of sets is bounded, and the one in use is always there.
func TestHistoryIsBounded(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	for i := range 12 {
		b.edit(fmt.Sprintf("required = %d.0", 6+i), fmt.Sprintf("required = %d.0", 7+i))
		b.must(b.desk.Reload(t.Context(), "lan"))
	}
	events, err := b.opt.Book.Events(t.Context(), 100)
	b.must(err)
	kept := 0
	for _, e := range events {
		if e.Kept {
			kept++
		}
	}
	if kept != 5 || !events[0].Kept {
		t.Errorf("%d sets are kept, the newest %v", kept, events[0].Kept)
	}
}

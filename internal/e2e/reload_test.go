package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/e2e"
)

// reloading is a gateway of two workers with a rule that every letter of the test meets.
const reloading = `Letters flow while rules change.

-- config --
[scan]
workers = 2
-- dns --
a.test           TXT  "v=spf1 ip4:192.0.2.1 -all"
mx.a.test        A    192.0.2.1
192.0.2.1        PTR  mx.a.test
-- dialogue --
SLEEP 1ms
-- want --
queue 0
`

// version is the rule file of a version: what every letter has, and what only those of the
// version have.
func version(n int) string {
	return fmt.Sprintf("rule Always : suspicious { strings: $a = \"dau hieu co dinh\" condition: $a }\n"+
		"rule Version_%d : suspicious { strings: $a = \"chi phien ban %d.\" condition: $a }\n", n, n)
}

// one plays a letter with that text, which must be accepted.
func one(g *e2e.Gateway, text string) error {
	raw := strings.ReplaceAll("From: Van thu <van-thu@a.test>\nTo: <van-thu@gov.test>\nSubject: Thong bao\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@a.test>\n\nKinh gui, "+text+"\n", "\n", "\r\n")
	return g.Play(&e2e.Case{
		Messages: map[string][]byte{"a": []byte(raw)},
		Dialogue: []string{"LETTER a from=van-thu@a.test to=van-thu@gov.test ip=192.0.2.1 helo=mx.a.test => 250"},
	})
}

// Letters flow while the YARA rules change again and again, once to a file with a mistake:
// none is lost, none is delivered unscanned, each is looked at by the rules that were in
// use by then, and the workers of the old rules end.
func TestReloadUnderLoad(t *testing.T) {
	c, err := e2e.Parse([]byte(reloading))
	if err != nil {
		t.Fatal(err)
	}
	c.Rules = map[string]string{"yara/versions.yar": version(0)}
	dir := t.TempDir()
	g, err := build(t).Start(t.Context(), c, dir, rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Stop() })
	var sent atomic.Int64
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := one(g, "dau hieu co dinh."); err != nil {
					t.Error(err)
					return
				}
				sent.Add(1)
			}
		})
	}
	change := func(n int, text string, want int, says string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "rules/yara/versions.yar"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, status, err := g.Run("rules", "reload"); err != nil || status != want || !strings.Contains(out, says) {
			t.Errorf("version %d: status %d, want %d: %v\n%s", n, status, want, err, out)
		}
	}
	inUse := 0
	for n := 1; n <= 6; n++ {
		before, began := sent.Load(), time.Now()
		if n == 3 {
			change(n, "\n\nrule Version_3 : suspicious { condition: nonsense }\n", 78, "versions.yar:3:")
		} else {
			change(n, version(n), 0, "")
			inUse = n
		}
		if err := one(g, fmt.Sprintf("chi phien ban %d.", inUse)); err != nil {
			t.Error(err)
		}
		sent.Add(1)
		if n != inUse { // what was refused is not in use
			if err := one(g, fmt.Sprintf("dau hieu co dinh, khong phai phien ban %d.", n)); err != nil {
				t.Error(err)
			}
			sent.Add(1)
		}
		t.Logf("version %d: %v, %d letters meanwhile", n, time.Since(began).Round(time.Millisecond), sent.Load()-before)
		if sent.Load()-before < 3 {
			t.Errorf("version %d: no letter was under way", n)
		}
	}
	close(stop)
	senders.Wait()
	deliveredScanned(t, g, int(sent.Load()))
	oldWorkersEnd(t, g, 2)
}

// deliveredScanned wants that many deliveries, each with the finding of a rule.
func deliveredScanned(t *testing.T, g *e2e.Gateway, want int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(g.Sink.Deliveries()) < want && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	all := g.Sink.Deliveries()
	if len(all) != want {
		t.Errorf("%d delivered, %d accepted", len(all), want)
	}
	for _, d := range all {
		head, _, _ := strings.Cut(string(d.Data), "\r\n\r\n")
		if !strings.Contains(head, "YARA_SUSPICIOUS") {
			t.Fatalf("delivered unscanned:\n%s", head)
		}
	}
	t.Logf("%d letters through 6 changes of the rules", want)
}

// oldWorkersEnd wants the gateway to have no more workers than it should.
func oldWorkersEnd(t *testing.T, g *e2e.Gateway, workers int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		n := len(g.Processes()) - 1
		if n == workers {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d workers are left, want %d", n, workers)
			return
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/internal/config"
	"congthu/internal/msg"
	"congthu/internal/record"
	"congthu/internal/store"
)

// processor is the processor time of this process.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// recorded is a recorder on a store in the directory, and what it says of one letter of
// 4 KB that was judged by the shipped rules.
func recorded(t *testing.T, dir string) (*store.DB, *record.Recorder, *judge) {
	t.Helper()
	c := config.Default()
	c.RulesDir, c.DataDir = "../../rules", dir
	c.Inspect.Skip = []string{"auth", "dnsbl", "attach"} // what needs a network or a worker
	j, err := newJudge(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, record.New(record.Options{Store: db, Log: slog.New(slog.DiscardHandler), NewID: newID, Now: time.Now, Keep: time.Hour, Letters: 1 << 40}), j
}

func fourKB(n int) *msg.Message {
	raw := "From: Lan <lan@x.test>\r\nTo: <a@example.gov.vn>\r\nSubject: Vay tien nhanh\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <1@x.test>\r\n\r\n" +
		strings.Repeat("Kinh gui Van phong, xin gui bao cao thang nay. https://bit.ly/abc\r\n", 60)
	to := msg.Path{Raw: "a@example.gov.vn", Local: "a", Domain: "example.gov.vn"}
	return &msg.Message{
		ID: fmt.Sprintf("M%07d", n), Received: time.Now(), Raw: []byte(raw), Session: msg.Session{Remote: netip.MustParseAddrPort("192.0.2.1:25"), Helo: "x.test"},
		Envelope: msg.Envelope{From: msg.Path{Raw: "lan@x.test", Local: "lan", Domain: "x.test"}, To: []msg.Path{to}},
	}
}

// Two hundred thousand letters are simulated in some seconds.
func TestSimulateManyLetters(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	db, r, j := recorded(t, filepath.Join(dir, "data"))
	m := fourKB(0)
	e := j.event(m, j.pipeline().Judge(t.Context(), m))
	const letters = 200_000
	for i := range letters {
		copied := *m
		copied.ID = fmt.Sprintf("M%07d", i)
		e.Message = &copied
		if r.Note(e); i%5000 == 4999 {
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("../../rules")
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "c.toml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "data_dir = %q\nrules_dir = %q\n", filepath.Join(dir, "data"), rules), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	before := processor(t)
	status := run(t.Context(), []string{"--config", settings, "--json", "rules", "simulate"}, func(string) string { return "" }, strings.NewReader(""), &out, &errs)
	took := processor(t) - before
	if status != 0 || !strings.Contains(out.String(), `"letters": 200000`) || !strings.Contains(out.String(), `"changed": 0`) {
		t.Fatalf("status %d: %s%.500s", status, errs.String(), out.String())
	}
	t.Logf("%d letters in %v of processor time", letters, took)
	if took > 20*time.Second {
		t.Errorf("%v of processor time", took)
	}
}

// Recording costs little beside judging, both by processor time, interleaved.
func TestWhatRecordingCosts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	_, r, j := recorded(t, t.TempDir())
	p := j.pipeline()
	var judging, recording time.Duration
	for round := range 6 {
		const letters = 200
		events := make([]record.Event, letters)
		start := processor(t)
		for i := range events {
			m := fourKB(round*letters + i)
			w := p.Judge(t.Context(), m)
			_, _ = io.WriteString(io.Discard, w.Reply.String())
			events[i] = j.event(m, w)
		}
		middle := processor(t)
		for _, e := range events {
			r.Note(e)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if round > 0 { // the first warms up
			judging, recording = judging+middle-start, recording+processor(t)-middle
		}
	}
	share := 100 * float64(recording) / float64(judging)
	t.Logf("judging %v, recording %v a letter: %.1f %%", judging/1000, recording/1000, share)
	if share > 10 { // the bar is 3; a machine that does other things measures badly
		t.Errorf("recording costs %.1f %% of judging", share)
	}
}

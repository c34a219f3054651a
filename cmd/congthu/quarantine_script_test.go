package main

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"congthu/internal/config"
	"congthu/internal/labelled"
	"congthu/internal/learn"
	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/smtpd"
	"congthu/internal/store"
)

// openHere opens the store of a gateway that does not run. While another script forks, its
// child has our lock for a moment: it is tried again.
func openHere(ts *testscript.TestScript, dir string) *store.DB {
	dir = ts.MkAbs(dir)
	ts.Check(os.MkdirAll(dir, 0o700))
	for n := 0; ; n++ {
		db, err := store.Open(context.Background(), store.Options{Dir: dir})
		if err == nil {
			return db
		}
		if n == 100 {
			ts.Fatalf("%v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// holdLetter holds a letter in the store of a gateway that does not run:
// hold DATADIR FILE ID REASON FROM TO… The reason is also what was found. proven: DMARC
// says that FROM has sent it.
func holdLetter(proven bool) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 6 {
			ts.Fatalf("usage: hold DATADIR FILE ID REASON FROM TO…")
		}
		dir := ts.MkAbs(args[0])
		ts.Check(os.MkdirAll(dir, 0o700))
		db := openSoon(ts, dir)
		defer func() { ts.Check(db.Close()) }()
		raw := labelled.Wire([]byte(ts.ReadFile(args[1])))
		m := &msg.Message{ID: args[2], Raw: raw}
		from, err := smtpd.ParsePath(args[4], true)
		ts.Check(err)
		m.Envelope.From = from
		if proven {
			m.Auth = []msg.AuthResult{{Method: "dmarc", Status: "pass", Property: "header.from", Value: m.Envelope.From.Domain}}
		}
		d := msg.Decision{Action: msg.Quarantine, Reason: args[3], NextHop: "127.0.0.1:1", Why: msg.Verdict{Score: 7.5, Required: 6}}
		d.Why.Counted = []msg.Weighed{{Finding: msg.Finding{Symbol: args[3], Evidence: "\x1b[2J\u202e"}, Score: 7.5}}
		for _, to := range args[5:] {
			p, err := smtpd.ParsePath(to, true)
			ts.Check(err)
			d.To = append(d.To, p)
		}
		q := quarantine.New(quarantine.Options{Store: db})
		ts.Check(q.Hold(context.Background(), m, d, [][]byte{raw}))
	}
}

// reportLetter reports a letter in the store of a gateway that does not run, as a user who
// forwards it to [report_address] does: report DATADIR FILE spam|ham REPORTER.
func reportLetter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: report DATADIR FILE spam|ham REPORTER")
	}
	db := openHere(ts, args[0])
	defer func() { ts.Check(db.Close()) }()
	m := (&judge{cfg: &config.Config{Hostname: "gw.tinh.test"}}).asItCame(labelled.Wire([]byte(ts.ReadFile(args[1]))))
	l, err := lessons.Open(lessons.Options{
		Store: db, NewID: newID, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Base: func() (*learn.Model, error) { return learn.New(), nil },
	})
	ts.Check(err)
	_, heard, err := l.Propose(context.Background(), m, args[2] == "spam", args[3], 10, nil)
	ts.Check(err)
	if heard != lessons.HeardFirst && heard != lessons.HeardAlso {
		ts.Fatalf("the report was not taken: %s", heard)
	}
}

// openSoon opens the store of a gateway that does not run. A program that another script
// starts at this moment has the lock of the one closed just now for as long as it takes from
// fork to exec.
func openSoon(ts *testscript.TestScript, dir string) *store.DB {
	for n := 0; ; n++ {
		db, err := store.Open(context.Background(), store.Options{Dir: dir})
		if err == nil {
			return db
		}
		if n == 50 {
			ts.Fatalf("%v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// masked writes what the last command printed to a file, with X for what is another at
// each run: masked FILE.
func masked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: masked FILE")
	}
	out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, m := range []struct{ pattern, with string }{
		{`\d\d/\d\d \d\d:\d\d`, "DD/MM HH:MM"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`, "TIME"},
		{`\b[0-9a-z]{8}-[0-9a-f]{12}\b`, "WORD"},
		{`\b[0-9A-HJKMNP-Z]{16}\b`, "LESSON"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d`, "DAY"},
	} {
		out = regexp.MustCompile(m.pattern).ReplaceAllString(out, m.with)
	}
	out = regexp.MustCompile(`\b`+regexp.QuoteMeta(actor())+`\b`).ReplaceAllString(out, "USER")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(out, ts.MkAbs("."), "WORK")), 0o600))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/sink"
	"congthu/internal/tomlfile"
)

type demoCmd struct {
	Stay     bool   `help:"Leave the gateway running until it is interrupted / để cổng chạy tiếp."`
	Listen   string `help:"With --stay: where to listen / với --stay: địa chỉ nghe." default:"127.0.0.1:2525"`
	Messages string `help:"Directory of the letters / thư mục các lá thư." default:"testdata/messages"`
	Rules    string `help:"Rules directory / thư mục quy tắc." default:"rules"`
}

// script is demo.toml: the letters, how they arrive and what must become of them.
type script struct {
	Message []letter `toml:"message"`
}

// letter is one message of the demo.
type letter struct {
	File    string   `toml:"file"`
	From    string   `toml:"from"`
	To      []string `toml:"to"`
	Client  string   `toml:"client"`
	Helo    string   `toml:"helo"`
	Expect  string   `toml:"expect"`
	Symbols []string `toml:"symbols"`
	VI      string   `toml:"vi"`
	EN      string   `toml:"en"`
}

// Run shows the gateway at work on loopback: a stand-in for the civil-service mail
// server, a local DNS zone, the shipped rules and nine letters. Status 0 only if each
// met the fate it must meet.
func (c *demoCmd) Run(a *app) error {
	stage, err := c.raise(a)
	if err != nil {
		return err
	}
	defer stage.close()
	if c.Stay {
		return stage.stay(a)
	}
	var s script
	if _, err := tomlfile.Read(filepath.Join(c.Messages, "demo.toml"), &s); err != nil {
		return err
	}
	if len(s.Message) == 0 {
		return fail(exitConfig, "demo.toml không có lá thư nào", "demo.toml has no letters")
	}
	missed := 0
	for i, l := range s.Message {
		ok, err := stage.play(a, i+1, l)
		if err != nil {
			return err
		}
		if !ok {
			missed++
		}
	}
	if err := stage.curtain(a); err != nil {
		return err
	}
	if missed > 0 {
		return fail(exitSoftware, "%d lá thư không gặp đúng số phận", "%d letters did not meet their fate", missed)
	}
	a.say(lang.T("\nCả %d lá thư đều đúng như mong đợi.", "\nAll %d letters met the expected fate."), len(s.Message))
	return nil
}

// play sends one letter, finds out what became of it and prints one line.
func (st *demoStage) play(a *app, n int, l letter) (bool, error) {
	raw, err := os.ReadFile(filepath.Join(st.messages, l.File))
	if err != nil {
		return false, fail(exitNoInput, "không đọc được thư: %v", "cannot read a letter: %v", err)
	}
	before := len(st.sink.Deliveries())
	ctx, cancel := context.WithTimeout(a.ctx, 60*time.Second)
	defer cancel()
	reply, err := sendLetter(ctx, st.smtp, l, raw)
	if err != nil {
		return false, fail(exitUnavailable, "gửi %s: %v", "sending %s: %v", l.File, err)
	}
	f, err := st.fate(ctx, l, raw, reply, before)
	if err != nil {
		return false, err
	}
	a.printFate(n, l, f, reply)
	return f.ok, nil
}

func (a *app) printFate(n int, l letter, f fate, reply string) {
	mark := "✓"
	if !f.ok {
		mark = "✗"
	}
	fmt.Fprintf(a.stdout, "%s %d. %s\n     -> %s", mark, n, lang.T(l.VI, l.EN).In(a.lang), f.word.In(a.lang))
	if f.why != "" {
		fmt.Fprintf(a.stdout, ": %s", f.why)
	}
	fmt.Fprintln(a.stdout)
	if !f.ok {
		fmt.Fprintf(a.stdout, "     %s: %s (%s)\n", a.word("mong đợi", "expected"), l.Expect, lang.Safe(reply, 200))
	}
}

// curtain prints the quarantine list.
func (st *demoStage) curtain(a *app) error {
	items, err := st.client.Quarantine(a.ctx, quarantine.Filter{Limit: 50})
	if err != nil {
		return operatorError(err)
	}
	fmt.Fprintln(a.stdout)
	a.say(lang.T("Thư đang bị giữ (congthu quarantine list):", "Held messages (congthu quarantine list):"))
	return a.heldTable(items)
}

// stay leaves everything running until interrupted and says how to use it.
func (st *demoStage) stay(a *app) error {
	a.say(lang.T(`Cổng thư đang chạy ở %s (Ctrl-C để dừng). Thư giao được ghi vào %s.
Thử:  swaks --server %s --from a@huyen-mau.test --to van-thu@so-mau.gov.test
Xem:  bin/congthu quarantine list --config %s`,
		`The gateway runs on %s (Ctrl-C ends it). What is delivered is written to %s.
Try:  swaks --server %s --from a@huyen-mau.test --to van-thu@so-mau.gov.test
See:  bin/congthu quarantine list --config %s`), st.smtp, filepath.Join(st.dir, "delivered"), st.smtp, st.config)
	select {
	case <-a.ctx.Done():
		return nil
	case err := <-st.ended:
		return fail(exitSoftware, "cổng thư đã dừng: %v; xem %s", "the gateway ended: %v; see %s", err, st.logName)
	}
}

// save writes a delivery to a file, for `make run`.
func (st *demoStage) save(d sink.Delivery) {
	name := filepath.Join(st.dir, "delivered", fmt.Sprintf("%s.eml", newID()))
	if err := os.WriteFile(name, d.Data, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "congthu demo:", err)
	}
}

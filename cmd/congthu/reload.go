package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"congthu/internal/lang"
	"congthu/internal/notice"
	"congthu/internal/tomlfile"
)

func (g *gateway) reloadOnHangup(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = g.reload(ctx, "SIGHUP") // it has logged why not
		}
	}
}

// reload takes the rule files, and the texts of notices, into use, or says what is wrong
// with them and goes on with the ones in use. A mistake in the one keeps nothing of the
// other from being used.
func (g *gateway) reload(ctx context.Context, actor string) error {
	g.judge.signer.Forget()
	texts := g.post.reload()
	g.unlock()
	g.recordSettings(ctx, "at a reload")
	rules := g.desk.Reload(ctx, actor)
	if rules == nil {
		g.log.Info("rules reloaded")
	}
	g.complain("rules not reloaded, the last good ones stay", rules)
	var all tomlfile.Problems
	for _, err := range []error{rules, texts} {
		var ps tomlfile.Problems
		if err != nil && !errors.As(err, &ps) {
			return err
		}
		all = append(all, ps...)
	}
	return all.Err()
}

// complain logs an error, and of mistakes in files each with its place.
func (g *gateway) complain(what string, err error) {
	var ps tomlfile.Problems
	if err != nil && !errors.As(err, &ps) {
		g.log.Error(what, "error", err)
	}
	for _, p := range ps {
		g.log.Error(what, "problem", p.In(lang.VI), "en", p.In(lang.EN))
	}
}

// reload takes the administrator's texts into use, or says what is wrong with them and
// goes on with those in use.
func (p *post) reload() error {
	t, err := notice.Load(shippedTexts(), p.g.cfg.Notice.Texts)
	if err == nil {
		p.texts.Store(t)
	}
	p.g.complain("texts of notices not taken, those in use stay", err)
	return err
}

package main

import (
	"io"
	"log/slog"

	"congthu/internal/lang"
)

type checkCmd struct{}

// Run checks what serve would need, without touching live state: settings, rules,
// TLS certificate, key store and the scan worker.
func (checkCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	if _, err := certificate(c); err != nil {
		return err
	}
	j, err := newJudge(a.ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer j.close()
	if a.json {
		return a.printJSON(map[string]any{"ok": true, "config": a.config, "keys": len(j.keys.List())})
	}
	a.say(lang.T("cấu hình tốt: %s; %d khoá OpenPGP; bộ quét sẵn sàng", "the settings are good: %s; %d OpenPGP keys; the scan worker is ready"), a.config, len(j.keys.List()))
	return nil
}

package main

import (
	"io"
	"log/slog"

	"congthu/internal/lang"
	"congthu/internal/store"
)

type checkCmd struct{}

// Run checks what serve would need, without touching live state: settings, rules,
// TLS certificate, database, key store and the scan worker; and how the gateway is that
// runs.
func (checkCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	if _, err := certificate(c); err != nil {
		return err
	}
	if _, err := agencies(c); err != nil {
		return err
	}
	if err := storeError(store.Check(a.ctx, store.Options{URL: c.Store.URL, Dir: c.DataDir})); err != nil {
		return err
	}
	j, err := newJudge(a.ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer j.close()
	if err := a.checkRunning(c.Admin.Socket); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"ok": true, "config": a.config, "keys": len(j.keys.List())})
	}
	for _, n := range c.Relay.Networks {
		a.say(lang.T("lưu ý: máy trong mạng %s (relay.networks) được gửi ra ngoài với mọi tên miền; muốn giới hạn thì chuyển mạng vào [[agency]]", "note: hosts in %s (relay.networks) may send outward as any domain; to bind them to their own, move the network into an [[agency]]"), n)
	}
	a.say(lang.T("cấu hình tốt: %s; %d khoá OpenPGP; bộ quét sẵn sàng", "the settings are good: %s; %d OpenPGP keys; the scan worker is ready"), a.config, len(j.keys.List()))
	return nil
}

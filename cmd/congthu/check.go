package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"congthu/internal/config"
	"congthu/internal/inspect/sender"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/store"
)

type checkCmd struct{}

// Run checks what serve would need, without touching live state: settings, rules,
// TLS certificate, database, both key stores and the scan worker; and how the gateway is that
// runs.
func (checkCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	if err := checkFiles(c); err != nil {
		return err
	}
	if err := storeError(store.Check(a.ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir})); err != nil {
		return err
	}
	j, err := newJudge(a.ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer j.close()
	if err := checkSigning(j.signer); err != nil {
		return err
	}
	keys, err := checkKeys(a.ctx, c, j.keys)
	if err != nil {
		return err
	}
	if err := checkSecrets(j.keys); err != nil {
		return err
	}
	if err := a.checkRunning(c.Admin.Socket); err != nil {
		return err
	}
	clam, err := a.checkClamAV(c)
	if err != nil {
		return err
	}
	notes := slices.Concat(senderNotes(c, j), keys, passphraseNotes(c), sandboxNotes(j), clam)
	return a.checked(j, notes)
}

// checkFiles reads what the settings name: certificates, roots, agencies.
func checkFiles(c *config.Config) error {
	if _, err := certificate(c); err != nil {
		return err
	}
	if c.Admin.Listen != "" {
		if err := (&renewed{cert: c.Admin.Cert, key: c.Admin.Key, now: time.Now}).load(); err != nil {
			return fail(exitConfig, "[admin] không đọc được chứng thư TLS: %v", "[admin] cannot read the TLS certificate: %v", err)
		}
	}
	if _, err := rootsOf(c.Relay); err != nil {
		return err
	}
	_, err := agencies(c)
	return err
}

// checked says that all is well, and what is to be known all the same.
func (a *app) checked(j *judge, notes []lang.Text) error {
	if a.json {
		said := []string{}
		for _, n := range notes {
			said = append(said, n.In(a.lang))
		}
		return a.printJSON(map[string]any{"ok": true, "config": a.config, "keys": j.keys.Count(), "notes": said, "sandbox": sandboxReport(j)})
	}
	for _, n := range notes {
		a.say(lang.T("lưu ý: %s", "note: %s"), n.In(a.lang))
	}
	for _, t := range fences(j) {
		fmt.Fprintln(a.stdout, t.In(a.lang))
	}
	a.say(lang.T("cấu hình tốt: %s; %d khoá OpenPGP; bộ quét sẵn sàng", "the settings are good: %s; %d OpenPGP keys; the scan worker is ready"), a.config, j.keys.Count())
	return nil
}

// senderNotes says where senders are less bound to their domains than one may think.
// Each is allowed, and none should come as a surprise.
func senderNotes(c *config.Config, j *judge) (notes []lang.Text) {
	for _, n := range c.Relay.Networks {
		notes = append(notes, lang.T(
			"máy trong mạng "+n.String()+" (relay.networks) được gửi ra ngoài với mọi tên miền; muốn giới hạn thì chuyển mạng vào [[agency]]",
			"hosts in "+n.String()+" (relay.networks) may send outward as any domain; to bind them to their own, move the network into an [[agency]]"))
	}
	refused := slices.ContainsFunc(j.rules.Get().Policy.Forces, func(f policy.Force) bool {
		return f.Action == msg.Reject && f.Direction == "" && slices.Contains(f.Symbols, sender.NotYours)
	})
	if len(c.Agency) > 0 && (!refused || j.skips("sender")) {
		notes = append(notes, lang.T(
			"không có gì từ chối thư của cơ quan mà mục From không thuộc cơ quan đó: cần [[force]] "+sender.NotYours+" trong policy.toml, và không bỏ bộ kiểm tra sender",
			"nothing refuses an agency's mail whose From is not its own: policy.toml needs a [[force]] for "+sender.NotYours+", and the inspector sender must not be skipped"))
	}
	return notes
}

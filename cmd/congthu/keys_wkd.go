package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/dns"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/pgp"
	"congthu/internal/wkd"
)

type keysLookupCmd struct {
	Address []string `arg:"" help:"Addresses / địa chỉ."`
}

// Run asks for keys and proposes what it finds. Exit 69 when one could not be asked for, 65
// when there is none.
func (c *keysLookupCmd) Run(a *app) error {
	return a.withKeysHere(func(cfg *config.Config, keys admin.Keys) error {
		return a.lookup(cfg, keys, c.Address)
	})
}

type keysRefreshCmd struct{}

// Run asks again for every pinned address: a revocation or a longer life of the same key is
// taken, another key is a proposal.
func (keysRefreshCmd) Run(a *app) error {
	return a.withKeysHere(func(cfg *config.Config, keys admin.Keys) error {
		list, err := keys.List(a.ctx)
		if err != nil {
			return err
		}
		var addresses []string
		for _, k := range list {
			for _, p := range k.Pins {
				if !strings.HasPrefix(p.Subject, "@") {
					addresses = append(addresses, p.Subject)
				}
			}
		}
		return a.lookup(cfg, keys, addresses)
	})
}

// lookup goes through the addresses to the end, and then fails by the worst that it met.
func (a *app) lookup(cfg *config.Config, keys admin.Keys, addresses []string) error {
	client, err := wkdClient(cfg)
	if err != nil {
		return err
	}
	all := []keyring.Imported{}
	worst := 0
	for _, addr := range addresses {
		done, err := a.lookupOne(client, keys, addr)
		var f *failure
		switch {
		case errors.As(err, &f):
			a.complain(f.what)
			worst = max(worst, f.code)
		case err != nil:
			return err
		}
		all = append(all, done...)
	}
	if err := a.imported(all); err != nil {
		return err
	}
	if worst != 0 {
		return &failure{code: worst}
	}
	return nil
}

func (a *app) lookupOne(client *wkd.Client, keys admin.Keys, addr string) ([]keyring.Imported, error) {
	subject := keyring.Subject(addr)
	where, err := wkd.Parse(cmp.Or(subject, addr))
	if err != nil {
		return nil, keyError(err)
	}
	found, err := client.Lookup(a.ctx, where)
	if errors.Is(err, wkd.ErrNone) {
		return nil, fail(exitData, "%s: tên miền không công bố khoá (%s)", "%s: its domain publishes no key (%s)", subject, found.URL)
	}
	var p *lang.Problem
	if errors.As(err, &p) {
		return nil, &failure{exitUnavailable, lang.T(p.In(lang.VI), p.In(lang.EN))}
	}
	if err != nil {
		return nil, err
	}
	octets, err := naming(found.Octets, subject)
	if err != nil {
		return nil, keyError(err)
	}
	return keys.Import(a.ctx, keyring.Import{Octets: octets, Source: "wkd", For: subject, Actor: actor()})
}

// naming keeps the keys that name the address, with that name alone: what else a server
// puts beside it is none of ours.
func naming(octets []byte, subject string) ([]byte, error) {
	ks, err := pgp.ReadKeys(octets)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, k := range ks {
		if one, err := k.Only(subject); err == nil {
			out = append(out, one...)
		}
	}
	if len(out) == 0 {
		return nil, fail(exitData, "%s: không khoá nào trong câu trả lời ghi địa chỉ này", "%s: no key in the answer names this address", subject)
	}
	return out, nil
}

// wkdClient builds the client by the settings.
func wkdClient(c *config.Config) (*wkd.Client, error) {
	r, err := dns.New(dns.Options{Servers: c.DNS.Servers, Timeout: c.DNS.Timeout.Std(), TrustAD: c.DNS.TrustAD})
	if err != nil {
		return nil, fail(exitConfig, "DNS: %v", "DNS: %v", err)
	}
	o := wkd.Options{Exists: func(ctx context.Context, host string) (bool, error) { return exists(ctx, r, host) }, Lookup: r.LookupIPAddr}
	if c.PGP.WKDProxy != "" {
		if o.Proxy, err = url.Parse(c.PGP.WKDProxy); err != nil {
			return nil, fail(exitConfig, "pgp.wkd_proxy: %v", "pgp.wkd_proxy: %v", err)
		}
	}
	if c.PGP.WKDRoots != "" {
		data, err := os.ReadFile(c.PGP.WKDRoots)
		o.Roots = x509.NewCertPool()
		if err != nil || !o.Roots.AppendCertsFromPEM(data) {
			return nil, fail(exitConfig, "không đọc được CA ở pgp.wkd_roots: %v", "cannot read the CAs of pgp.wkd_roots: %v", err)
		}
	}
	return wkd.New(o), nil
}

func exists(ctx context.Context, r *dns.Resolver, host string) (bool, error) {
	ips, err := r.LookupIPAddr(ctx, host)
	if dns.NotFound(err) {
		return false, nil
	}
	return len(ips) > 0, err
}

type keysExportCmd struct {
	Key    []string `arg:"" optional:"" help:"Fingerprints or addresses; none: all / vân tay hoặc địa chỉ; không ghi là tất cả."`
	WKD    string   `help:"Write the keys of our own domains as a Web Key Directory below DIR / xuất thành thư mục WKD." placeholder:"DIR"`
	Domain []string `help:"Domains of the directory; none: those of the routes / tên miền." placeholder:"DOMAIN"`
}

// Run writes keys.
func (c *keysExportCmd) Run(a *app) error {
	if c.WKD != "" {
		return a.withKeysHere(func(cfg *config.Config, keys admin.Keys) error { return c.publish(a, cfg, keys) })
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		data, err := keys.Export(a.ctx, c.Key)
		if err == nil {
			_, err = a.stdout.Write(data)
		}
		return err
	})
}

// publish writes the directory. A key stands in it for the addresses that it is pinned to
// and names, with no other name of it.
func (c *keysExportCmd) publish(a *app, cfg *config.Config, keys admin.Keys) error {
	domains := c.Domain
	for _, r := range cfg.Route {
		if len(c.Domain) == 0 {
			domains = append(domains, r.Domains...)
		}
	}
	domains = wkd.Domains(domains)
	list, err := keys.List(a.ctx)
	if err != nil {
		return err
	}
	var entries []wkd.Entry
	for _, k := range list {
		if len(k.Pins) == 0 || !k.Usable {
			continue
		}
		data, err := keys.Export(a.ctx, []string{k.Fingerprint})
		if err != nil {
			return err
		}
		more, err := entriesOf(k, data)
		if err != nil {
			return err
		}
		entries = append(entries, more...)
	}
	n, err := wkd.Publish(c.WKD, domains, entries)
	if err != nil {
		return err
	}
	return a.done(n, lang.T("đã xuất khoá của %d địa chỉ", "published the keys of %d address(es)"))
}

func entriesOf(k keyring.Entry, armored []byte) (out []wkd.Entry, err error) {
	ks, err := pgp.ReadKeys(armored)
	if err != nil {
		return nil, err
	}
	for _, p := range k.Pins {
		where, err := wkd.Parse(p.Subject)
		if err != nil || strings.HasPrefix(p.Subject, "@") {
			continue
		}
		if one, err := ks[0].Only(p.Subject); err == nil {
			out = append(out, wkd.Entry{Address: where, Octets: one})
		}
	}
	return out, nil
}

type keysSignCmd struct {
	Domain         string `arg:"" help:"Domain of the authors / tên miền của người gửi."`
	File           string `arg:"" help:"File with the secret key, or - / tệp khoá bí mật, hoặc -."`
	PassphraseFile string `help:"File with the passphrase that the key has now; none: that of the settings / tệp mật khẩu hiện tại của khoá." placeholder:"FILE"`
}

// Run keeps a secret key, encrypted by the passphrase of the settings.
func (c *keysSignCmd) Run(a *app) error {
	data, err := keyOctets(c.File, a.stdin)
	if err != nil {
		return fail(exitNoInput, "không đọc được tệp khoá: %v", "cannot read the key file: %v", err)
	}
	return a.withKeysHere(func(cfg *config.Config, keys admin.Keys) error {
		pass, err := passphrase(cfg)
		if err != nil {
			return err
		}
		secret, _, err := protect(data, c.PassphraseFile, pass)
		if err != nil {
			return err
		}
		done, err := keys.SetSecret(a.ctx, keyring.NewSecret{Domain: c.Domain, Octets: secret, Actor: actor()})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(done)
		}
		fmt.Fprintf(a.stdout, a.word("%s: thư ký bằng khoá %s\n", "%s: letters are signed by the key %s\n"), done.Domain, done.Fingerprint)
		return nil
	})
}

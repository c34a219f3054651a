package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/pgp"
)

// protect reads a secret key and encrypts it by the passphrase of the settings. The file, if
// any, has the passphrase that it has now.
func protect(data []byte, file string, pass []byte) ([]byte, *pgp.Key, error) {
	defer clear(data)
	old := pass
	if file != "" {
		var err error
		if old, err = passphraseIn(file); err != nil {
			return nil, nil, err
		}
		defer clear(old)
	}
	return pgp.ProtectSecret(data, old, pass)
}

// secret imports one secret key that opens letters. Its public half comes with it, so that
// it can be exported; it is pinned to nobody, for letters that the gateway would encrypt to
// its own key nobody else could read.
func (c *keysImportCmd) secret(a *app) error {
	if len(c.From) != 1 {
		return fail(exitUsage, "--secret cần đúng một tệp", "--secret takes exactly one file")
	}
	data, err := keyOctets(c.From[0], a.stdin)
	if err != nil {
		return fail(exitNoInput, "không đọc được tệp khoá: %v", "cannot read the key file: %v", err)
	}
	return a.withKeys(func(cfg *config.Config, keys admin.Keys) error {
		pass, err := passphrase(cfg)
		if err != nil {
			return err
		}
		defer clear(pass)
		secret, public, err := protect(data, c.PassphraseFile, pass)
		if err != nil {
			return err
		}
		domain := c.Domain
		if domain == "" {
			if domain, err = domainOf(public); err != nil {
				return err
			}
		}
		return a.opener(keys, domain, secret, public)
	})
}

// domainOf is the one domain that a key names.
func domainOf(k *pgp.Key) (string, error) {
	var domains []string
	for _, addr := range k.Info(time.Now()).Addresses {
		domains = append(domains, addr[strings.LastIndexByte(addr, '@')+1:])
	}
	slices.Sort(domains)
	if domains = slices.Compact(domains); len(domains) != 1 {
		return "", fail(exitUsage, "khoá %s không ghi đúng một tên miền; thêm --domain", "the key %s does not name exactly one domain; add --domain", k.Fingerprint())
	}
	return domains[0], nil
}

// opener gives a domain a key and says so.
func (a *app) opener(keys admin.Keys, domain string, secret []byte, public *pgp.Key) error {
	done, err := keys.AddOpener(a.ctx, keyring.NewOpener{Domain: domain, Octets: secret, Actor: actor()})
	if err != nil {
		return err
	}
	if _, err := keys.Import(a.ctx, keyring.Import{Octets: public.Bytes(), Source: "secret", Actor: actor()}); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(done)
	}
	a.say(lang.T("%s: khoá %s mở thư mã hoá gửi đến tên miền này", "%s: the key %s opens what is encrypted to this domain"), done.Domain, done.Fingerprint)
	a.say(lang.T("  khoá công khai để gửi cho đối tác: congthu keys export %s", "  the public half, for those who write to it: congthu keys export %s"), done.Fingerprint)
	return nil
}

type keysGenerateCmd struct {
	Domain  string `arg:"" help:"Domain whose letters it opens / tên miền nhận thư."`
	Address string `help:"Address that the key names; none: postmaster of the domain / địa chỉ ghi trong khoá." placeholder:"ADDRESS"`
	V6      bool   `name:"v6" help:"Version 6 (RFC 9580), which older programs do not read / phiên bản 6, phần mềm cũ không đọc được."`
}

// Run makes a key pair, keeps its secret half encrypted, and takes its public half in.
func (c *keysGenerateCmd) Run(a *app) error {
	address := c.Address
	if address == "" {
		address = "postmaster@" + c.Domain // RFC 2142 section 5
	}
	subject := keyring.Subject(address)
	if subject == "" || keyring.Subject("@"+c.Domain) != subject[strings.LastIndexByte(subject, '@'):] {
		return fail(exitUsage, "%q không phải địa chỉ của tên miền %q", "%q is no address of the domain %q", address, c.Domain)
	}
	return a.withKeys(func(cfg *config.Config, keys admin.Keys) error {
		pass, err := passphrase(cfg)
		if err != nil {
			return err
		}
		defer clear(pass)
		secret, public, err := pgp.Generate(subject, c.V6, pass, time.Now())
		if err != nil {
			return err
		}
		return a.opener(keys, c.Domain, secret, public)
	})
}

// listSecrets prints which secret keys there are, and nothing of them.
func (a *app) listSecrets(keys admin.Keys) error {
	list, err := keys.Secrets(a.ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(list)
	}
	head := strings.Split(lang.T("TÊN MIỀN|DÙNG ĐỂ|VÂN TAY|THÊM NGÀY|TRẠNG THÁI", "DOMAIN|USE|FINGERPRINT|ADDED|STATE").In(a.lang), "|")
	var rows [][]string
	for _, x := range list {
		state := a.word("mở được", "opens")
		if x.Locked {
			state = a.word("KHOÁ: mật khẩu không mở được", "LOCKED: the passphrase does not open it")
		}
		use := a.word("giải mã", "decrypt")
		if x.Use == keyring.Signs {
			use = a.word("ký", "sign")
		}
		rows = append(rows, []string{x.Domain, use, x.Fingerprint, dayOf(x.Added), state})
	}
	return a.table(head, rows)
}

// secret deletes secret keys, when it is said twice.
func (c *keysDeleteCmd) secret(a *app) error {
	if !c.Yes {
		return fail(exitUsage, "xoá khoá bí mật thì thư đã mã hoá cho nó không ai mở được nữa; nếu chắc chắn, thêm --yes", "without its secret key nobody opens what was encrypted to it; if you are sure, add --yes")
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		gone, err := keys.DeleteSecrets(a.ctx, c.Key, actor())
		if err != nil {
			return err
		}
		return a.done(len(gone), lang.T("đã xoá %d khoá bí mật", "deleted %d secret key(s)"))
	})
}

// checkSecrets opens the secret keys as the gateway would.
func checkSecrets(r *keyring.Ring) error {
	err := r.Unlock()
	if err == nil {
		return nil
	}
	why := inBoth(err)
	return &failure{exitConfig, lang.T(
		"khoá OpenPGP bí mật không mở được, thư cần nó sẽ bị hoãn: "+why.VI,
		"secret OpenPGP keys cannot be opened, letters that need them are deferred: "+why.EN)}
}

// inBoth is the first reason of an error in both languages, as far as it has them.
func inBoth(err error) lang.Text {
	var f *failure
	var told interface{ In(lang.Lang) string }
	switch {
	case errors.As(err, &f):
		return f.what
	case errors.As(err, &told):
		return lang.T(told.In(lang.VI), told.In(lang.EN))
	}
	return lang.T(err.Error(), err.Error())
}

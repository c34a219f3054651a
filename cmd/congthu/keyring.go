package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/store"
)

// ringOptions are the settings of the keys.
func ringOptions(c *config.Config, db *store.DB, log *slog.Logger) keyring.Options {
	o := keyring.Options{Dir: c.PGP.Keys, Log: log, Passphrase: func() ([]byte, error) { return passphrase(c) }}
	if db != nil {
		o.Store = db
	}
	return o
}

// openRing opens the keys for use, with what lies in the key directory taken in.
func openRing(ctx context.Context, c *config.Config, db *store.DB, log *slog.Logger) (*keyring.Ring, error) {
	if err := os.MkdirAll(c.PGP.Keys, 0o700); err != nil {
		return nil, fail(exitNoPerm, "không tạo được thư mục khoá: %v", "cannot make the key directory: %v", err)
	}
	if err := checkKeyDir(c.PGP.Keys); err != nil {
		return nil, err
	}
	r, err := keyring.Open(ctx, ringOptions(c, db, log))
	if err != nil {
		return nil, err
	}
	return r, r.Migrate(ctx)
}

// checkKeyDir: what lies in the key directory is pinned at the next start, so nobody else may
// put anything there.
func checkKeyDir(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // the first start makes it
	case err != nil:
		return fail(exitNoPerm, "không đọc được thư mục khoá: %v", "cannot read the key directory: %v", err)
	case st.Mode().Perm()&0o022 != 0:
		return fail(exitNoPerm, "%s: người khác ghi được vào thư mục khoá (quyền %04o), ai cũng có thể đặt khoá của mình vào; chạy chmod 700 %[1]s", "%s: others can write into the key directory (mode %04o), and so anybody can put a key of theirs there; run chmod 700 %[1]s", dir, st.Mode().Perm())
	}
	return nil
}

// checkKeys says what of the keys would hold letters: keys that sign and cannot, as an error;
// pinned keys that cannot be used, as notes.
func checkKeys(ctx context.Context, c *config.Config, r *keyring.Ring) (notes []lang.Text, err error) {
	if err := checkKeyDir(c.PGP.Keys); err != nil {
		return nil, err
	}
	secrets, err := r.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range secrets {
		if s.Use != keyring.Signs {
			continue
		}
		if _, err := r.Signer(s.Domain); err != nil {
			why := inBoth(err)
			return nil, &failure{exitConfig, lang.T("khoá OpenPGP ký thư của "+s.Domain+" không dùng được, thư sẽ bị giữ: "+why.VI, "the OpenPGP key that signs for "+s.Domain+" cannot be used, and letters will be held: "+why.EN)}
		}
	}
	due, err := r.Calendar(ctx, 0)
	for _, d := range due {
		why := d.Code.Sentence(d.Expires)
		notes = append(notes, lang.T("thư tới "+d.Subject+" bị giữ: "+why.VI+" ("+d.Fingerprint+")", "letters to "+d.Subject+" are held: "+why.EN+" ("+d.Fingerprint+")"))
	}
	return notes, err
}

// peekRing reads the keys beside a gateway that may be running, and changes nothing. Where
// there is no store yet, they are those that the first start will take in.
func peekRing(ctx context.Context, c *config.Config) (*keyring.Ring, error) {
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir, ReadOnly: true})
	if errors.Is(err, os.ErrNotExist) {
		return keyring.Open(ctx, ringOptions(c, nil, log))
	}
	if err != nil && store.Check(ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir}) == nil {
		return keyring.Open(ctx, ringOptions(c, nil, log)) // of an older version, which the next start brings up to date
	}
	if err != nil {
		return nil, storeError(err)
	}
	r, err := keyring.Open(ctx, ringOptions(c, db, log))
	return r, errors.Join(err, db.Close()) // what it read stays in memory
}

// passphraseVariable and passphraseCredential are where the passphrase of the secret keys is
// looked for when no file is configured; the second is a file that systemd hands in
// (LoadCredential=, systemd.exec(5)).
const (
	passphraseVariable   = "CONGTHU_PGP_PASSPHRASE"
	passphraseCredential = "congthu-pgp-passphrase"
)

// passphraseFile is the file that holds the passphrase of the secret keys; "" where there is
// none.
func passphraseFile(c *config.Config) string {
	if c.PGP.PassphraseFile != "" {
		return c.PGP.PassphraseFile
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		name := filepath.Join(dir, passphraseCredential)
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			return name
		}
	}
	return ""
}

// passphrase is what opens the secret keys.
func passphrase(c *config.Config) ([]byte, error) {
	if name := passphraseFile(c); name != "" {
		return passphraseIn(name)
	}
	if p := os.Getenv(passphraseVariable); p != "" { // stays in the environment, which is why it comes last
		return []byte(p), nil
	}
	return nil, fail(exitConfig, "chưa có mật khẩu của khoá bí mật: đặt [pgp] passphrase_file, %s, hoặc LoadCredential=%s của systemd", "there is no passphrase for secret keys: set [pgp] passphrase_file, %s, or systemd's LoadCredential=%s", passphraseVariable, passphraseCredential)
}

// passphraseMode refuses a file that everybody may read, or that others than its owner may
// change. Its group may read it: a file of root's that a daemon of its own account reads.
func passphraseMode(name string, mode os.FileMode) error {
	switch perm := mode.Perm(); {
	case !mode.IsRegular(): // a pipe or a device is for the one who names it
	case perm&0o007 != 0:
		return fail(exitConfig, "mọi người đều đọc hoặc sửa được tệp mật khẩu %s (quyền %04o): chmod 0400 %s", "everybody may read or change the passphrase file %s (mode %04o): chmod 0400 %s", name, perm, name)
	case perm&0o020 != 0:
		return fail(exitConfig, "cả nhóm sửa được tệp mật khẩu %s (quyền %04o): chmod 0400 %s", "its group may change the passphrase file %s (mode %04o): chmod 0400 %s", name, perm, name)
	}
	return nil
}

// passphraseNotes says who else may read the passphrase.
func passphraseNotes(c *config.Config) []lang.Text {
	name := passphraseFile(c)
	st, err := os.Stat(name)
	if name == "" || err != nil || st.Mode().Perm()&0o040 == 0 {
		return nil // what cannot be read is said where it is read
	}
	mode := fmt.Sprintf("%04o", st.Mode().Perm())
	return []lang.Text{lang.T(
		"cả nhóm sở hữu đọc được tệp mật khẩu "+name+" (quyền "+mode+"); nếu không cố ý thì chmod 0400 "+name,
		"the group that owns the passphrase file "+name+" may read it (mode "+mode+"); unless that is meant, chmod 0400 "+name)}
}

// passphraseIn reads the first line of a file that nobody else may read.
func passphraseIn(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fail(exitNoInput, "không mở được tệp mật khẩu: %v", "cannot open the passphrase file: %v", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil {
		err = passphraseMode(name, st.Mode())
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return nil, fail(exitNoInput, "không đọc được tệp mật khẩu: %v", "cannot read the passphrase file: %v", err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimRight(line, "\r"), nil
}

// unlock opens the secret keys. A gateway whose keys stay locked runs on: letters to them
// wait at their senders, all other mail need not.
func (g *gateway) unlock() {
	if err := g.judge.keys.Unlock(); err != nil {
		g.log.Error("secret OpenPGP keys stay locked; letters to them are deferred", "error", err)
	}
}

// noCore keeps the secret keys in memory out of a core file.
func noCore() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("no core files: %w", err)
	}
	return nil
}

// withKeys does something with the keys: through the running gateway, or in the store itself
// when no gateway runs here.
func (a *app) withKeys(do func(*config.Config, admin.Keys) error) error {
	return keyError(a.withAPI(false, func(c *config.Config, db *store.DB) (admin.Services, error) {
		r, err := openRing(a.ctx, c, db, slog.New(slog.DiscardHandler))
		return admin.Services{Keys: r}, err
	}, func(c *config.Config, cl *admin.Client) error { return do(c, cl.Keys()) }))
}

// withKeysHere is withKeys for what also needs the settings of the gateway: its resolver,
// its passphrase, its domains. It does not go with --server, and says so.
func (a *app) withKeysHere(do func(*config.Config, admin.Keys) error) error {
	if _, err := a.settings(); err != nil {
		return err
	}
	return a.withKeys(do)
}

// keyError gives what is wrong with a request its exit status.
func keyError(err error) error {
	var f *failure
	var u *admin.Unreachable
	var p *admin.Problem
	var b interface{ In(lang.Lang) string }
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case errors.As(err, &u) || errors.As(err, &p):
		return operatorError(err)
	case errors.As(err, &b):
		return &failure{exitData, lang.T(b.In(lang.VI), b.In(lang.EN))}
	}
	return err
}

// keyMetrics tells of keys that expire.
func (g *gateway) keyMetrics() {
	g.metrics.Gauge("key_expiry_seconds", "Until the first pinned OpenPGP key that is usable now expires; +Inf: none does.", func() float64 {
		left, ok := g.judge.keys.NextExpiry()
		if !ok {
			return math.Inf(1)
		}
		return left.Seconds()
	})
	g.metrics.Gauge("keys_unusable", "Addresses and domains whose pinned OpenPGP key cannot be used.", func() float64 { return float64(g.judge.keys.Unusable()) })
}

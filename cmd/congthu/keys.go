package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/pgp"
)

type keysCmd struct {
	List     keysListCmd     `cmd:"" help:"List keys / liệt kê khoá."`
	Show     keysShowCmd     `cmd:"" help:"Show one key / xem một khoá."`
	Import   keysImportCmd   `cmd:"" help:"Import public keys / nạp khoá công khai."`
	Export   keysExportCmd   `cmd:"" help:"Write keys as text, or as a Web Key Directory / xuất khoá."`
	Pin      keysPinCmd      `cmd:"" help:"Give addresses or @domains a key / ghim khoá cho địa chỉ."`
	Unpin    keysUnpinCmd    `cmd:"" help:"Take the key away from addresses / bỏ ghim."`
	Delete   keysDeleteCmd   `cmd:"" help:"Delete keys with their pins / xoá khoá."`
	Check    keysCheckCmd    `cmd:"" help:"Keys that cannot be used or expire soon / khoá hỏng hoặc sắp hết hạn."`
	Lookup   keysLookupCmd   `cmd:"" help:"Ask an address's domain for its key (WKD): a proposal / hỏi khoá ở tên miền."`
	Refresh  keysRefreshCmd  `cmd:"" help:"Ask again for all pinned addresses / hỏi lại khoá của mọi địa chỉ đã ghim."`
	Generate keysGenerateCmd `cmd:"" help:"Make a key that opens letters to a domain / tạo khoá giải mã thư đến tên miền."`
	Sign     keysSignCmd     `cmd:"" help:"Give a domain the secret key that signs its letters / khoá ký thư của tên miền."`
	DKIM     keysDKIMCmd     `cmd:"" name:"dkim" help:"DKIM signing keys of our domains / khoá ký DKIM của các tên miền."`
}

type keysListCmd struct {
	Secret bool `help:"Secret keys, by domain / khoá bí mật, theo tên miền."`
}

// Run lists the keys.
func (c *keysListCmd) Run(a *app) error {
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		if c.Secret {
			return a.listSecrets(keys)
		}
		list, err := keys.List(a.ctx)
		if err != nil {
			return err
		}
		if a.json {
			if list == nil {
				list = []keyring.Entry{}
			}
			return a.printJSON(list)
		}
		head := strings.Split(lang.T("VÂN TAY|GHIM CHO|THUẬT TOÁN|HẾT HẠN|TRẠNG THÁI", "FINGERPRINT|PINNED TO|ALGORITHM|EXPIRES|STATE").In(a.lang), "|")
		var rows [][]string
		for _, k := range list {
			rows = append(rows, []string{k.Fingerprint, pinned(k), k.Algorithm, dayOf(k.Expires), a.pgpState(k.KeyInfo)})
		}
		return a.table(head, rows)
	})
}

func pinned(k keyring.Entry) string {
	var out []string
	for _, p := range k.Pins {
		out = append(out, p.Subject)
	}
	for _, p := range k.Proposals {
		out = append(out, "("+p.Subject+"?)")
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, " ")
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

// pgpState is the code and, where something is wrong, the sentence.
func (a *app) pgpState(k pgp.KeyInfo) string {
	if k.Usable {
		return string(k.Code)
	}
	return string(k.Code) + ": " + k.Why.In(a.lang)
}

type keysShowCmd struct {
	Key string `arg:"" help:"Fingerprint, its end, or an address / vân tay hoặc địa chỉ."`
}

// Run shows one key.
func (c *keysShowCmd) Run(a *app) error {
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		k, err := keys.Show(a.ctx, c.Key)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(k)
		}
		for _, r := range [][2]string{
			{a.word("Vân tay", "Fingerprint"), grouped(k.Fingerprint)},
			{a.word("Phiên bản", "Version"), fmt.Sprint(k.Version)},
			{a.word("Tên", "User ids"), strings.Join(k.UserIDs, "; ")},
			{a.word("Địa chỉ", "Addresses"), strings.Join(k.Addresses, " ")},
			{a.word("Thuật toán", "Algorithm"), k.Algorithm},
			{a.word("Tạo ngày", "Created"), dayOf(k.Created)},
			{a.word("Hết hạn", "Expires"), dayOf(k.Expires)},
			{a.word("Trạng thái", "State"), a.pgpState(k.KeyInfo)},
			{a.word("Ghim cho", "Pinned to"), pinned(k)},
			{a.word("Nguồn", "Source"), k.Source},
		} {
			fmt.Fprintf(a.stdout, "%-12s %s\n", r[0]+":", lang.Safe(r[1], 500))
		}
		return nil
	})
}

// grouped writes a fingerprint as it is read over the phone.
func grouped(fpr string) string {
	var out []string
	for chunk := range slices.Chunk([]byte(fpr), 4) {
		out = append(out, string(chunk))
	}
	return strings.Join(out, " ")
}

type keysImportCmd struct {
	From  []string `arg:"" help:"Files, directories of .asc, .gpg and .pgp, or - / tệp, thư mục, hoặc -."`
	NoPin bool     `help:"Pin nothing / không ghim." name:"no-pin"`

	Secret         bool   `help:"One secret key that opens letters to a domain / một khoá bí mật để giải mã thư đến."`
	Domain         string `help:"With --secret: whose letters it opens; none: the domain that the key names / mở thư của tên miền nào." placeholder:"DOMAIN"`
	PassphraseFile string `help:"With --secret: file with the passphrase that the key has now; none: that of the settings / tệp mật khẩu hiện tại của khoá." placeholder:"FILE"`
}

// Run imports keys, each by itself, and goes on when a file holds none. Exit 65 when one was
// refused.
func (c *keysImportCmd) Run(a *app) error {
	if c.Secret {
		return c.secret(a)
	}
	files, err := c.read(a.stdin)
	if err != nil {
		return err
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		all, bad := []keyring.Imported{}, false
		for _, f := range files {
			done, err := keys.Import(a.ctx, keyring.Import{Octets: f.octets, Source: "file", Pin: !c.NoPin, Actor: actor()})
			var why *failure
			switch err := keyError(err); {
			case errors.As(err, &why) && why.code == exitData:
				a.complain(lang.T(lang.Safe(f.name, 200)+": "+why.what.VI, lang.Safe(f.name, 200)+": "+why.what.EN))
				bad = true
			case err != nil:
				return err
			}
			all = append(all, done...)
		}
		if err := a.imported(all); err != nil || !bad {
			return err
		}
		return &failure{code: exitData}
	})
}

// keyText is a file with keys in it.
type keyText struct {
	name   string
	octets []byte
}

// read reads everything that is named.
func (c *keysImportCmd) read(stdin io.Reader) (out []keyText, err error) {
	for _, name := range c.From {
		names := []string{name}
		if st, err := os.Stat(name); err == nil && st.IsDir() {
			names = nil
			for _, suffix := range []string{"*.asc", "*.gpg", "*.pgp"} {
				more, _ := filepath.Glob(filepath.Join(name, suffix)) // the pattern is good
				names = append(names, more...)
			}
			slices.Sort(names)
		}
		for _, n := range names {
			data, err := keyOctets(n, stdin)
			if err != nil {
				return nil, fail(exitNoInput, "không đọc được tệp khoá: %v", "cannot read the key file: %v", err)
			}
			out = append(out, keyText{n, data})
		}
	}
	return out, nil
}

// keyOctets reads a little more than keys may have, so that too much is seen as such.
func keyOctets(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, pgp.MaxImport+1))
}

// imported says what became of each key.
func (a *app) imported(all []keyring.Imported) error {
	refused := slices.ContainsFunc(all, func(k keyring.Imported) bool { return !k.Taken })
	if a.json {
		if err := a.printJSON(all); err != nil {
			return err
		}
	} else {
		for _, k := range all {
			a.importedOne(k)
		}
	}
	if refused {
		return &failure{code: exitData}
	}
	return nil
}

func (a *app) importedOne(k keyring.Imported) {
	switch {
	case !k.Taken:
		a.say(lang.T("%s: không nhận: %s", "%s: refused: %s"), k.Fingerprint, a.pgpState(k.KeyInfo))
		return
	case !k.Usable:
		a.say(lang.T("%s: đã ghi nhận: %s", "%s: noted: %s"), k.Fingerprint, a.pgpState(k.KeyInfo))
	case k.Known && !k.Changed:
		a.say(lang.T("%s: đã có, không đổi", "%s: here already, unchanged"), k.Fingerprint)
	case k.Known:
		a.say(lang.T("%s: đã cập nhật", "%s: updated"), k.Fingerprint)
	default:
		a.say(lang.T("%s: đã nạp", "%s: imported"), k.Fingerprint)
	}
	for _, s := range k.Pinned {
		a.say(lang.T("  ghim cho %s", "  pinned to %s"), lang.Safe(s, 320))
	}
	for _, s := range k.Proposed {
		a.say(lang.T("  đề nghị cho %s, chưa dùng: đối chiếu vân tay rồi `congthu keys pin %s %s`", "  proposed for %s, not in use: compare the fingerprint, then `congthu keys pin %s %s`"), lang.Safe(s, 320), k.Fingerprint, lang.Safe(s, 320))
	}
}

type keysPinCmd struct {
	Key     string   `arg:"" help:"Fingerprint, or its end / vân tay."`
	Subject []string `arg:"" optional:"" help:"Addresses and @domains; none: those in the key / địa chỉ, @tên-miền."`
	Force   bool     `help:"Although the key does not name them / dù khoá không ghi địa chỉ ấy."`
}

// Run pins a key, in place of the one that was pinned.
func (c *keysPinCmd) Run(a *app) error {
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		pins, err := keys.Pin(a.ctx, keyring.Pinning{Key: c.Key, Subjects: c.Subject, Force: c.Force, Actor: actor()})
		if err != nil || a.json {
			return errors.Join(err, a.jsonUnless(err, pins))
		}
		for _, p := range pins {
			a.say(lang.T("%s: ghim khoá %s", "%s: pinned to the key %s"), lang.Safe(p.Subject, 320), p.Fingerprint)
		}
		return nil
	})
}

func (a *app) jsonUnless(err error, v any) error {
	if err != nil {
		return nil
	}
	return a.printJSON(v)
}

type keysUnpinCmd struct {
	Subject []string `arg:"" help:"Addresses and @domains / địa chỉ, @tên-miền."`
}

// Run takes keys away from addresses.
func (c *keysUnpinCmd) Run(a *app) error {
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		if err := keys.Unpin(a.ctx, c.Subject, actor()); err != nil {
			return err
		}
		return a.done(len(c.Subject), lang.T("đã bỏ ghim %d địa chỉ", "unpinned %d address(es)"))
	})
}

type keysDeleteCmd struct {
	Key    []string `arg:"" help:"Fingerprints, their ends, or addresses; of secret keys also domains / vân tay hoặc địa chỉ; tên miền."`
	Secret bool     `help:"Secret keys; needs --yes / khoá bí mật; cần --yes."`
	Yes    bool     `help:"Yes, for ever / đồng ý, không lấy lại được."`
}

// Run deletes keys.
func (c *keysDeleteCmd) Run(a *app) error {
	if c.Secret {
		return c.secret(a)
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		if err := keys.Delete(a.ctx, c.Key, actor()); err != nil {
			return err
		}
		return a.done(len(c.Key), lang.T("đã xoá %d khoá", "deleted %d key(s)"))
	})
}

type keysCheckCmd struct {
	Within string `help:"How far ahead: 30d, 12h / trong bao lâu nữa." default:"30d"`
}

// Run prints the calendar of expiry: exit 75 when something is in it.
func (c *keysCheckCmd) Run(a *app) error {
	within, err := span(c.Within)
	if err != nil {
		return fail(exitUsage, "--within %q: viết như 30d hoặc 12h", "--within %q: write it like 30d or 12h", c.Within)
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		due, err := keys.Calendar(a.ctx, within)
		if err != nil {
			return err
		}
		if a.json {
			if due == nil {
				due = []keyring.Due{}
			}
			err = a.printJSON(due)
		} else {
			err = a.calendar(due)
		}
		if err == nil && len(due) > 0 {
			err = &failure{code: exitTempFail}
		}
		return err
	})
}

func (a *app) calendar(due []keyring.Due) error {
	if len(due) == 0 {
		a.say(lang.T("mọi khoá đã ghim đều dùng được và chưa sắp hết hạn", "every pinned key can be used and none expires soon"))
		return nil
	}
	head := strings.Split(lang.T("GHIM CHO|VÂN TAY|HẾT HẠN|CÒN|TRẠNG THÁI", "PINNED TO|FINGERPRINT|EXPIRES|DAYS LEFT|STATE").In(a.lang), "|")
	var rows [][]string
	for _, d := range due {
		left, state := fmt.Sprint(d.Days), a.word("sắp hết hạn: xin bản gia hạn", "expires soon: ask for the extended key")
		if d.Code != pgp.OK {
			left, state = "-", string(d.Code)+": "+d.Code.Sentence(d.Expires).In(a.lang)
		}
		rows = append(rows, []string{d.Subject, d.Fingerprint, dayOf(d.Expires), left, state})
	}
	return a.table(head, rows)
}

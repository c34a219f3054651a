package main

import (
	"io"
	"os"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/pgp"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List keys / liệt kê khoá."`
	Import keysImportCmd `cmd:"" help:"Import public keys / nạp khoá công khai."`
	DKIM   keysDKIMCmd   `cmd:"" name:"dkim" help:"DKIM signing keys of our domains / khoá ký DKIM của các tên miền."`
}

type keysListCmd struct{}

// Run lists the key store; it reads the files, so the gateway need not run.
func (keysListCmd) Run(a *app) error {
	s, err := a.keyStore()
	if err != nil {
		return err
	}
	return a.keyTable(s.List())
}

func (a *app) keyStore() (*pgp.Store, error) {
	c, err := a.settings()
	if err != nil {
		return nil, err
	}
	return pgp.OpenStore(c.PGP.Keys)
}

func (a *app) keyTable(keys []pgp.KeyInfo) error {
	if a.json {
		if keys == nil {
			keys = []pgp.KeyInfo{}
		}
		return a.printJSON(keys)
	}
	head := strings.Split(lang.T("VÂN TAY|ĐỊA CHỈ|THUẬT TOÁN|HẾT HẠN|DÙNG ĐƯỢC", "FINGERPRINT|ADDRESSES|ALGORITHM|EXPIRES|USABLE").In(a.lang), "|")
	var rows [][]string
	for _, k := range keys {
		expires := "-"
		if !k.Expires.IsZero() {
			expires = k.Expires.Format(time.DateOnly)
		}
		usable := a.word("có", "yes")
		if !k.Usable {
			usable = a.word("không: ", "no: ") + k.Why.In(a.lang)
		}
		rows = append(rows, []string{k.Fingerprint, strings.Join(k.Addresses, " "), k.Algorithm, expires, usable})
	}
	return a.table(head, rows)
}

type keysImportCmd struct {
	File string `arg:"" help:"File, or - for standard input / tệp, hoặc -."`
}

// Run imports into the key store; a running gateway sees the new keys by itself.
func (c *keysImportCmd) Run(a *app) error {
	s, err := a.keyStore()
	if err != nil {
		return err
	}
	var in io.Reader = a.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fail(exitNoInput, "không mở được tệp khoá: %v", "cannot open the key file: %v", err)
		}
		defer f.Close()
		in = f
	}
	keys, err := s.Import(in)
	if err != nil {
		return keyError(err)
	}
	return a.keyTable(keys)
}

// keyError gives a refused key its exit status.
func keyError(err error) error {
	if b, ok := err.(interface{ In(lang.Lang) string }); ok {
		return &failure{exitData, lang.T(b.In(lang.VI), b.In(lang.EN))}
	}
	return err
}

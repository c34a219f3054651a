package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"

	"congthu/internal/admin"
	"congthu/internal/lang"
)

// remote says how the gateway is reached from elsewhere. It may come from the environment,
// so that a district office writes it down once. Without a server the gateway is the one
// of this machine, over its socket.
type remote struct {
	Server    string `help:"Gateway elsewhere: https://NAME:PORT (CONGTHU_SERVER) / cổng thư ở máy khác." placeholder:"URL"`
	TokenFile string `help:"File with the token for --server (CONGTHU_TOKEN_FILE) / tệp chứa token." placeholder:"FILE"`
	CA        string `name:"ca" help:"Certificates to trust for --server, PEM (CONGTHU_CA) / CA được tin." placeholder:"FILE"`
}

// from fills in what the environment says.
func (r remote) from(getenv func(string) string) remote {
	fill := func(flag *string, name string) {
		if *flag == "" {
			*flag = getenv(name)
		}
	}
	fill(&r.Server, "CONGTHU_SERVER")
	fill(&r.TokenFile, "CONGTHU_TOKEN_FILE")
	fill(&r.CA, "CONGTHU_CA")
	return r
}

// client returns the API of the running gateway: of this machine, or of --server.
func (a *app) client() (*admin.Client, error) {
	if a.remote.Server != "" {
		return a.remote.client()
	}
	c, err := a.settings()
	if err != nil {
		return nil, err
	}
	return admin.Dial(c.Admin.Socket), nil
}

func (r remote) client() (*admin.Client, error) {
	secret, err := r.secret()
	if err != nil {
		return nil, err
	}
	roots, err := r.roots()
	if err != nil {
		return nil, err
	}
	c, err := admin.Remote(r.Server, secret, roots)
	var p *lang.Problem
	if errors.As(err, &p) {
		return nil, &failure{exitUsage, p.What}
	}
	return c, err
}

// secret reads the token. A file that others may read is refused: the token is as good as
// the person.
func (r remote) secret() (string, error) {
	if r.TokenFile == "" {
		return "", fail(exitUsage, "--server cần --token-file TỆP; quản trị viên cấp token bằng congthu token new", "--server needs --token-file FILE; an administrator makes tokens with congthu token new")
	}
	f, err := os.Open(r.TokenFile)
	if err != nil {
		return "", fail(exitNoInput, "không mở được tệp token: %v", "cannot open the token file: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fail(exitNoPerm, "người khác đọc được tệp token %s; chạy: chmod 600 %[1]s", "others may read the token file %s; run: chmod 600 %[1]s", r.TokenFile)
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", fail(exitNoInput, "không đọc được tệp token: %v", "cannot read the token file: %v", err)
	}
	secret := string(bytes.TrimSpace(data))
	if secret == "" || bytes.ContainsFunc([]byte(secret), func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return "", fail(exitData, "tệp %s không chứa token", "the file %s holds no token", r.TokenFile)
	}
	return secret, nil
}

func (r remote) roots() (*x509.CertPool, error) {
	if r.CA == "" {
		return nil, nil
	}
	data, err := os.ReadFile(r.CA)
	if err != nil {
		return nil, fail(exitNoInput, "không đọc được --ca: %v", "cannot read --ca: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fail(exitData, "%s không có chứng thư PEM nào", "%s holds no PEM certificate", r.CA)
	}
	return pool, nil
}

// operatorError gives the API's errors their exit statuses.
func operatorError(err error) error {
	var u *admin.Unreachable
	var p *admin.Problem
	switch {
	case errors.As(err, &u) && errors.Is(err, os.ErrPermission):
		return &failure{exitNoPerm, lang.T(u.In(lang.VI), u.In(lang.EN))}
	case errors.As(err, &u):
		return &failure{exitUnavailable, lang.T(u.In(lang.VI), u.In(lang.EN))}
	case errors.As(err, &p) && p.Status == http.StatusUnauthorized:
		return fail(exitNoPerm, "cổng thư không nhận token: sai, hết hạn, bị thu hồi, hoặc tạm khoá; hỏi quản trị viên (congthu token list)", "the gateway does not take the token: wrong, expired, revoked, or locked for a while; ask the administrator (congthu token list)")
	case errors.As(err, &p) && p.Status == http.StatusForbidden:
		return &failure{exitNoPerm, p.What}
	case errors.As(err, &p) && (p.Status >= 500 || p.Status == http.StatusTooManyRequests):
		return &failure{exitTempFail, p.What}
	case errors.As(err, &p):
		return &failure{exitData, p.What}
	}
	return err
}

// actor names who acts, for the audit trail.
func actor() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + fmt.Sprint(os.Getuid())
}

// oneDone reports that one thing is done, in words or as JSON.
func (a *app) oneDone(t lang.Text) error {
	if a.json {
		return a.printJSON(admin.Count{Count: 1})
	}
	a.say(t)
	return nil
}

// done reports a count, in words or as JSON.
func (a *app) done(n int, t lang.Text) error {
	if a.json {
		return a.printJSON(admin.Count{Count: n})
	}
	a.say(t, n)
	return nil
}

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"congthu/internal/apitest"
	"congthu/internal/lang"
)

// TestEachRoleTriesEverything: over TLS, with a token and without any settings, each role
// may do what is its own and nothing else, and is told so in its language.
func TestEachRoleTriesEverything(t *testing.T) {
	t.Parallel()
	p := newProvince(t, loopback(spare(), 1))
	const ok, data, denied, usage = 0, 65, 77, 64
	for _, c := range []struct {
		command                       string
		admin, auditor, yte, stranger int
	}{
		{"quarantine list", ok, ok, ok, denied},
		{"quarantine list thu-gtvt", ok, ok, ok, denied},
		{"quarantine show ${gtvt}", ok, ok, data, denied},
		{"quarantine show ${yte}", ok, ok, ok, denied},
		{"quarantine explain ${gtvt}", ok, ok, data, denied},
		{"quarantine explain ${yte}", ok, ok, ok, denied},
		{"quarantine explain --now ${yte}", ok, ok, ok, denied},
		{"quarantine show --raw ${yte}", ok, ok, ok, denied},
		{"quarantine delete NONE", data, denied, data, denied},
		{"quarantine release ${gtvt} --to nobody@x.test", data, denied, data, denied},
		{"quarantine release ${gtvt} --to nobody@x.test --allow-sender agency", data, denied, data, denied},
		{"quarantine allowed", ok, ok, ok, denied},
		{"quarantine disallow NONE", data, denied, data, denied},
		{"queue list", ok, ok, ok, denied},
		{"queue show NONE", data, data, data, denied},
		{"queue show ${q-gtvt}", ok, ok, data, denied},
		{"queue show ${q-yte}", ok, ok, ok, denied},
		{"queue hold ${q-yte}", data, denied, denied, denied},
		{"queue hold all", ok, denied, denied, denied},
		{"queue release all", ok, denied, denied, denied},
		{"queue retry all", ok, denied, denied, denied},
		{"queue drop NONE", data, denied, denied, denied},
		{"rules status", ok, ok, denied, denied},
		{"rules reload", ok, denied, denied, denied},
		{"rules promote", data, denied, denied, denied},
		{"rules abort", data, denied, denied, denied},
		{"rules rollback NONE", data, denied, denied, denied},
		{"keys list", ok, ok, denied, denied},
		{"keys show NONE", data, data, denied, denied},
		{"keys delete NONE", data, denied, denied, denied},
		{"account list", ok, ok, denied, denied},
		{"account held", ok, ok, denied, denied},
		{"account add x@yte.gov.test --domain yte.gov.test", ok, denied, denied, denied},
		{"account add y@yte.gov.test --agency nowhere", data, denied, denied, denied},
		{"account show x@yte.gov.test", ok, ok, denied, denied},
		{"account disable x@yte.gov.test", ok, denied, denied, denied},
		{"account delete x@yte.gov.test", ok, denied, denied, denied},
		{"learn list", ok, ok, denied, denied},
		{"learn ham ${DIR}/letter.eml", ok, denied, denied, denied},
		{"learn undo NONE", data, denied, denied, denied},
		{"report dmarc show", ok, ok, denied, denied},
		{"token list", ok, ok, denied, denied},
		{"token new --name x --role auditor", ok, denied, denied, denied},
		{"token revoke 00000000", data, denied, denied, denied},
		{"audit list", ok, ok, ok, denied},
		{"audit verify", ok, ok, denied, denied},
		{"audit export -", ok, ok, denied, denied},
		// What reads the settings and files of the gateway's machine says so.
		{"check", usage, usage, usage, usage},
		{"rules check", usage, usage, usage, usage},
		{"rules history", usage, usage, usage, usage},
		{"rules simulate", usage, usage, usage, usage},
		{"keys lookup a@b.test", usage, usage, usage, usage},
		{"serve", usage, usage, usage, usage},
		{"version", ok, ok, ok, ok},
	} {
		if err := os.WriteFile(filepath.Join(p.dir, "letter.eml"), []byte(canaryLetter("day", "")), 0o600); err != nil {
			t.Fatal(err)
		}
		command := strings.NewReplacer("${gtvt}", p.held["gtvt"], "${yte}", p.held["yte"], "${q-gtvt}", p.waits["gtvt"], "${q-yte}", p.waits["yte"], "${DIR}", p.dir).Replace(c.command)
		for _, as := range []struct {
			name string
			want int
		}{{"root", c.admin}, {"auditor", c.auditor}, {"yte", c.yte}, {"stranger", c.stranger}} {
			if err := os.WriteFile(filepath.Join(p.dir, "stranger.token"), []byte("ct_00000000_"+strings.Repeat("A", 43)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, got := p.far(as.name, "en", strings.Fields(command)...)
			if got != as.want {
				t.Errorf("%s as %s: exit %d, want %d: %s", command, as.name, got, as.want, out)
			}
			if regexp.MustCompile(`[\x1b\x07\x{9b}]`).MatchString(out) && !strings.HasPrefix(command, "audit export") {
				t.Errorf("%s as %s: the terminal is given orders: %q", command, as.name, out)
			}
			if as.name == "yte" && (strings.Contains(out, "an@gtvt.gov.test") || strings.Contains(out, "cho@gtvt")) && !strings.Contains(command, "show") {
				t.Errorf("%s as %s sees the other agency: %s", command, as.name, out)
			}
			if as.name == "stranger" && as.want == denied {
				p.forgive()
			}
		}
	}
	for _, c := range []struct{ as, lang, args, want string }{
		{"yte", "vi", "queue hold all", "congthu: vai trò reviewer không được làm việc này\n"},
		{"yte", "en", "queue hold all", "congthu: the role reviewer may not do this\n"},
		{"stranger", "vi", "queue list", "congthu: cổng thư không nhận token: sai, hết hạn, bị thu hồi, hoặc tạm khoá; hỏi quản trị viên (congthu token list)\n"},
		{"stranger", "en", "queue list", "congthu: the gateway does not take the token: wrong, expired, revoked, or locked for a while; ask the administrator (congthu token list)\n"},
		{"root", "vi", "check", "congthu: lệnh này chỉ chạy trên chính máy của cổng thư, vì đọc cấu hình và tệp ở đó; không dùng được với --server (hay CONGTHU_SERVER)\n"},
	} {
		if out, _ := p.far(c.as, c.lang, strings.Fields(c.args)...); out != c.want {
			t.Errorf("%s as %s: %q, want %q", c.args, c.as, out, c.want)
		}
	}
	if out, _ := p.far("yte", "vi", "quarantine", "show", p.held["yte"]); !strings.Contains(out, "Chuỗi thử bộ lọc thư rác") {
		t.Errorf("an office that has no rules here is not told why:\n%s", out)
	}
	p.onRecord()
}

// forgive waits no quarter of an hour: an address may show 19 wrong tokens, so that the
// stranger's guesses are spread over a restart.
func (p *province) forgive() {
	p.t.Helper()
	p.guesses++
	if p.guesses%15 == 0 {
		if err := p.Restart(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// onRecord: who did it stands on record by the name of the token, and the chain is whole.
func (p *province) onRecord() {
	p.t.Helper()
	var list []struct{ Actor, Role, Via, Act, Object string }
	p.json(&list, "audit", "list", "--limit", "10000")
	seen := map[string]bool{}
	for _, e := range list {
		seen[e.Actor+" "+e.Act] = true
		if e.Actor == "auditor" && e.Role != "auditor" || e.Actor == "root" && e.Via == "" {
			p.t.Errorf("%+v", e)
		}
	}
	for _, want := range []string{"root queue.hold", "root rules.reload", "root account.add", "root token.new", "auditor quarantine.show", "yte quarantine.show", "auditor audit.export", "? login.refused"} {
		if !seen[want] {
			p.t.Errorf("%s is not on record", want)
		}
	}
	for _, never := range []string{"auditor queue.hold", "yte rules.reload", "yte audit.export"} {
		if seen[never] {
			p.t.Errorf("%s is on record", never)
		}
	}
	if out, status, err := p.Run("audit", "verify"); err != nil || status != 0 {
		p.t.Errorf("%v %d %s", err, status, out)
	}
}

// TestAgenciesAreApart: a reviewer tries every route with the ids of the other agency,
// whole and shortened, and gets what it gets for an id that does not exist; nothing of the
// other's is seen, nothing of it has changed.
func TestAgenciesAreApart(t *testing.T) {
	t.Parallel()
	p := newProvince(t, loopback(spare(), 1))
	_, text := p.ask("yte", "GET", "/v1/openapi.json", "")
	d, err := apitest.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	allowance := p.allow("gtvt", "an@gtvt.gov.test")
	before := p.state()
	theirs := p.held["gtvt"]
	none := "7ZZZZZZZZZZZZZZZ"
	tried := 0
	for _, o := range d.Operations() {
		if o.Path == "/v1/openapi.json" {
			continue
		}
		for _, pair := range [][2]string{{p.waits["gtvt"], none}, {theirs, none}, {theirs[len(theirs)-6:], none[len(none)-6:]}, {theirs[:14], none[:14]}, {allowance, none[:len(allowance)]}} {
			for _, bare := range []bool{true, false} {
				p.apart(d, o, pair[0], pair[1], bare)
				tried++
			}
		}
	}
	if tried < 8*30 {
		t.Errorf("only %d tries", tried)
	}
	if after := p.state(); after != before {
		t.Errorf("something was touched:\n%s\n%s", before, after)
	}
	// The same request of somebody who may is answered: it was the right, not the request.
	if status, text := p.ask("gtvt", "GET", "/v1/quarantine/"+theirs, ""); status != http.StatusOK || !strings.Contains(text, "thu-gtvt") {
		t.Errorf("its own reviewer: %d %s", status, lang.Safe(text, 300))
	}
	if status, text := p.ask("yte", "GET", "/v1/queue", ""); status != http.StatusOK || !strings.Contains(text, "cho@yte") || strings.Contains(text, "gtvt") {
		t.Errorf("the queue: %d %s", status, lang.Safe(text, 300))
	}
	if status, text := p.ask("yte", "GET", "/v1/queue/"+p.waits["yte"], ""); status != http.StatusOK || !strings.Contains(text, "cho@yte") {
		t.Errorf("queued: %d %s", status, lang.Safe(text, 300))
	}
	if status, text := p.ask("yte", "GET", "/v1/quarantine/allowed", ""); status != http.StatusOK || text != "[]\n" {
		t.Errorf("allowed senders: %d %s", status, text)
	}
	if status, text := p.ask("gtvt", "DELETE", "/v1/quarantine/allowed/"+allowance, ""); status != http.StatusOK {
		t.Errorf("its own reviewer takes it back: %d %s", status, text)
	}
	if status, text := p.ask("yte", "GET", "/v1/quarantine", ""); status != http.StatusOK || !strings.Contains(text, "thu-yte") || strings.Contains(text, theirs) {
		t.Errorf("the list: %d %s", status, lang.Safe(text, 300))
	}
}

// apart makes the request of an operation as a reviewer, about an id of the other agency
// and about one that does not exist: the answers are the same, and show nothing.
func (p *province) apart(d apitest.Document, o apitest.Operation, theirs, none string, bare bool) {
	p.t.Helper()
	got, absent := p.try(d, o, theirs, bare), p.try(d, o, none, bare)
	got, absent = strings.ReplaceAll(got, theirs, "ID"), strings.ReplaceAll(absent, none, "ID")
	if got != absent {
		p.t.Errorf("%s %s tells an id of the other agency from none:\n%s\n%s", o.Method, o.Path, got, absent)
	}
	for _, secret := range []string{"an@gtvt", "cho@gtvt", "thu-gtvt", p.held["gtvt"], p.waits["gtvt"]} {
		if strings.Contains(got, secret) {
			p.t.Errorf("%s %s shows %s: %s", o.Method, o.Path, secret, got)
		}
	}
}

// try makes the request of an operation about an id.
func (p *province) try(d apitest.Document, o apitest.Operation, id string, bare bool) string {
	p.t.Helper()
	as := map[string]string{"id": id, "object": id, "name": id, "source": id}
	if !bare {
		as["text"] = id
	}
	path, body, err := d.Request(o, as, bare)
	if err != nil {
		p.t.Fatal(err)
	}
	status, text := p.ask("yte", o.Method, path, body)
	return fmt.Sprint(status, " ", text)
}

// state is what is held and what waits, as an administrator sees it.
func (p *province) state() string {
	var held, waits, allowed any
	p.json(&held, "quarantine", "list")
	p.json(&waits, "queue", "list")
	p.json(&allowed, "quarantine", "allowed")
	text, err := json.Marshal([]any{held, waits, allowed})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

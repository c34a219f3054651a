package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"congthu/internal/account"
	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/dmarcreport"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/token"
)

// hostile is a gateway that answers whatever is asked with texts that give a terminal
// orders: whoever writes letters has written them, or the gateway itself is not to be
// trusted.
type hostile struct{ text string }

// fill puts the text into everything that is text, and one or two elements into each list.
func (h hostile) fill(v reflect.Value, deep int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(h.text)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	case reflect.Bool:
		v.SetBool(len(h.text)%2 == 0)
	case reflect.Pointer:
		if v.Type() != reflect.TypeFor[*http.Client]() && deep < 8 {
			v.Set(reflect.New(v.Type().Elem()))
			h.fill(v.Elem(), deep+1)
		}
	case reflect.Slice:
		if deep < 8 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range 2 {
				h.fill(v.Index(i), deep+1)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if v.Type().Key().Kind() == reflect.String && deep < 8 {
			e := reflect.New(v.Type().Elem()).Elem()
			h.fill(e, deep+1)
			v.SetMapIndex(reflect.ValueOf(h.text).Convert(v.Type().Key()), e)
		}
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				h.fill(v.Field(i), deep+1)
			}
		}
	}
}

// answers are the commands that print what the gateway says, and what it answers.
var answers = []struct {
	args   string
	answer any
}{
	{"quarantine list", quarantine.Page{}},
	{"quarantine show AAAA1111", review.View{}},
	{"quarantine explain AAAA1111", heldExplained{}},
	{"quarantine explain --now AAAA1111", explained{}},
	{"quarantine release AAAA1111", review.Released{}},
	{"quarantine delete --where sender=x", review.Done{}},
	{"quarantine delete --where sender=x --confirm y", review.Done{}},
	{"queue list", []queue.Entry{}},
	{"queue show AAAA1111", queue.Detail{}},
	{"learn list", []lessons.Lesson{}},
	{"learn proposals --all", []lessons.Proposal{}},
	{"learn show AAAA1111", admin.ProposalView{}},
	{"learn confirm AAAA1111", lessons.Lesson{}},
	{"token list", []token.Token{}},
	{"token new --name x --role admin", admin.NewToken{}},
	{"audit list", []audit.Entry{}},
	{"audit verify", audit.Report{}},
	{"account list", []account.Account{}},
	{"account show x", account.Detail{}},
	{"account held", []account.Hold{}},
	{"keys list", []keyring.Entry{}},
	{"keys show x", keyring.Entry{}},
	{"report dmarc show", dmarcreport.Overview{}},
	{"report dmarc send", []dmarcreport.Sent{}},
}

// serve answers at a socket until the test ends.
func (h hostile) serve(t testing.TB, socket string, status int, answer any) (stop func()) {
	t.Helper()
	v := reflect.New(reflect.TypeOf(answer)).Elem()
	h.fill(v, 0)
	text, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(text)
	})}
	go func() { _ = s.Serve(l) }() // ends with Close
	return func() { _ = s.Close() }
}

// longestLine bounds what one line of an answer may take, in runes: a letter has no say in
// how much scrolls by.
const longestLine = 25_000

const tooLong = "so long is a line: "

// tame tells what is wrong with what was printed; "": nothing.
func tame(out string) string {
	if !utf8.ValidString(out) {
		return "it is not UTF-8"
	}
	for _, r := range out {
		if r != '\n' && r != ' ' && !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) {
			return fmt.Sprintf("%U is in it", r)
		}
	}
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(line); n > longestLine {
			return fmt.Sprint(tooLong, n)
		}
	}
	return ""
}

// render runs a command against a gateway that says such things, and checks what it prints.
func render(t testing.TB, settings, args string, h hostile, status int, answer any) {
	t.Helper()
	socket := filepath.Join(filepath.Dir(settings), "s")
	defer h.serve(t, socket, status, answer)()
	for _, l := range []lang.Lang{lang.VI, lang.EN} {
		for _, how := range []string{"", "--json"} {
			var out, err bytes.Buffer
			env := func(name string) string { return map[string]string{"COLUMNS": fmt.Sprint(60 + len(h.text)%80)}[name] }
			full := append([]string{"--config", settings, "--lang", string(l)}, strings.Fields(how+" "+args)...)
			run(context.Background(), full, env, strings.NewReader(""), &out, &err)
			if what := tame(err.String()); what != "" {
				t.Errorf("%s %s %s: on standard error: %s", l, how, args, what)
			}
			what := tame(out.String())
			if how == "--json" && strings.HasPrefix(what, tooLong) { // it is for programs: whole, and long if need be
				what = ""
			}
			if what != "" {
				t.Errorf("%s %s %s: %s:\n%.600q", l, how, args, what, out.String())
			}
		}
	}
}

// settingsOfSocket writes settings whose gateway is at the socket beside them.
func settingsOfSocket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "h") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := filepath.Join(dir, "c.toml")
	if err := os.WriteFile(name, []byte("hostname = \"gw.test\"\ndata_dir = \".\"\nrules_dir = \"none\"\n[admin]\nsocket = \"s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// orders are texts that a terminal, or a reader, might obey.
var orders = []string{
	"\x1b[2J\x1b]0;x\x07", "\u009b31m\u009d0;x\u009c", "\x1b]8;;http://evil.test\x1b\\click\x1b]8;;\x1b\\", "a\x00b\x7f", "\u202egnp.exe\u2066x\u2069", "\r\nBcc: x\r\n\tn\vv\ff",
	strings.Repeat("Aa ", 40_000), strings.Repeat("\u0301", 5000), "\xff\xfe\xc3\x28\x9b2J", "\u2028\u2029\u0085", "\U000e0041\U000e0042\ufeff\u200b", "xin chào",
}

func TestHostileGateway(t *testing.T) {
	settings := settingsOfSocket(t)
	for _, text := range []string{strings.Join(orders[:6], " "), strings.Join(orders[8:], " "), orders[6], orders[7]} {
		for _, c := range answers {
			render(t, settings, c.args, hostile{text}, http.StatusOK, c.answer)
		}
		for _, status := range []int{http.StatusUnprocessableEntity, http.StatusForbidden, http.StatusInternalServerError} {
			render(t, settings, "quarantine list", hostile{text}, status, admin.Problem{})
		}
	}
}

func FuzzHostileGateway(f *testing.F) {
	settings := settingsOfSocket(f)
	for i, text := range orders {
		f.Add(text, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		c := answers[int(which)%len(answers)]
		render(t, settings, c.args, hostile{text}, http.StatusOK, c.answer)
	})
}

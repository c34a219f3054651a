// Command congthu is the e-mail security gateway of a province's public-service
// mail system: `congthu serve` is the daemon, the other commands are for its
// operators. Each command is one file; serve.go wires the daemon in path order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// cli is the command line: nouns, then verbs.
type cli struct {
	Config string `help:"Settings file / tệp cấu hình (default: /etc/congthu/congthu.toml, then configs/congthu.toml)." placeholder:"FILE"`
	Lang   string `help:"Language / ngôn ngữ: vi, en (default: from LANG)." placeholder:"vi|en" enum:"vi,en," default:""`
	JSON   bool   `help:"Machine-readable output / xuất JSON."`
	remote

	Serve      serveCmd      `cmd:"" help:"Run the gateway / chạy cổng thư."`
	Check      checkCmd      `cmd:"" help:"Check settings, rules and worker / kiểm tra cấu hình, quy tắc, bộ quét."`
	Explain    explainCmd    `cmd:"" help:"Say what would become of a message, and why / giải thích số phận một thư."`
	Demo       demoCmd       `cmd:"" help:"Show nine letters meet their fate / chạy thử với chín lá thư."`
	Rules      rulesCmd      `cmd:"" help:"Rule files / tệp quy tắc."`
	Quarantine quarantineCmd `cmd:"" help:"Held messages / thư bị giữ."`
	Review     reviewCmd     `cmd:"" help:"Go through held mail on the whole screen / duyệt thư bị giữ trên màn hình."`
	Queue      queueCmd      `cmd:"" help:"Messages waiting for delivery / thư chờ giao."`
	Keys       keysCmd       `cmd:"" help:"OpenPGP keys of recipients / khoá OpenPGP của người nhận."`
	Account    accountCmd    `cmd:"" help:"Who may send with a password / tài khoản gửi thư."`
	Learn      learnCmd      `cmd:"" help:"Teach the classifier / dạy bộ phân loại."`
	Digest     digestCmd     `cmd:"" help:"Digests and notices to people / bản tin và thông báo cho người dùng."`
	Train      trainCmd      `cmd:"" help:"Make the classifier's starting model, or measure it / tạo hoặc đo mô hình phân loại."`
	Token      tokenCmd      `cmd:"" help:"Who may call the API over the network / token cho người làm việc từ xa."`
	Audit      auditCmd      `cmd:"" help:"Record of who did what / nhật ký ai đã làm gì."`
	Report     reportCmd     `cmd:"" help:"DMARC aggregate reports / báo cáo DMARC tổng hợp."`
	Version    versionCmd    `cmd:"" help:"Version / phiên bản."`
}

// app is what every command is handed.
type app struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	lang   lang.Lang
	json   bool
	config string
	remote remote
	getenv func(string) string
}

// say prints one sentence in the user's language. What fills it is made safe for a terminal.
func (a *app) say(t lang.Text, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		if safe[i] = arg; reflect.TypeOf(arg) != nil && reflect.TypeOf(arg).Kind() == reflect.String {
			safe[i] = lang.Safe(reflect.ValueOf(arg).String(), mostLine)
		}
	}
	fmt.Fprintln(a.stdout, t.F(a.lang, safe...))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit status (sysexits.h).
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	status := -1
	parser, err := kong.New(&c, kong.Name("congthu"), kong.Description("Cổng thư: e-mail security gateway."),
		kong.Writers(stdout, stderr), kong.Exit(func(n int) { status = n }), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "congthu:", err)
		return exitSoftware
	}
	k, err := parser.Parse(args)
	if status >= 0 { // --help was answered
		return status
	}
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, lang: lang.Choose(c.Lang, getenv), json: c.JSON, config: c.Config, remote: c.remote.from(getenv), getenv: getenv}
	if err != nil {
		fmt.Fprintln(stderr, "congthu:", err)
		a.complain(lang.T("xem `congthu --help`", "see `congthu --help`"))
		return exitUsage
	}
	return a.status(k.Run(a))
}

// complain says what is wrong. Some of it others may have written: a letter, a gateway
// elsewhere, a file.
func (a *app) complain(t lang.Text) {
	fmt.Fprintln(a.stderr, "congthu:", safeLines(t.In(a.lang), mostComplaint))
}

const mostComplaint = 20 // lines

// safeLines makes each line safe for a terminal, and no longer than a screen or so.
func safeLines(text string, most int) string {
	lines := strings.Split(text, "\n")
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	for i, line := range lines {
		lines[i] = lang.Safe(line, mostLine)
	}
	return strings.Join(lines, "\n")
}

// mostLine bounds a line that others have written, in characters before they are made safe.
const mostLine = 2000

// status prints an error as its kind wants to be printed and gives its exit status.
func (a *app) status(err error) int {
	var ps tomlfile.Problems
	var f *failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ps):
		a.problems(ps)
		return exitConfig
	case errors.As(err, &f):
		if f.what != (lang.Text{}) {
			a.complain(f.what)
		}
		return f.code
	default:
		a.complain(lang.T("lỗi: "+err.Error(), "error: "+err.Error()))
		return exitSoftware
	}
}

func (a *app) problems(ps tomlfile.Problems) {
	if a.json {
		_ = a.printJSON(struct {
			Problems tomlfile.Problems `json:"problems"`
		}{ps})
		return
	}
	fmt.Fprintln(a.stderr, ps.In(a.lang))
}

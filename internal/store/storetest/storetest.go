// Package storetest gives tests both engines of the store: SQLite, and PostgreSQL
// when Debian's binaries are there. The server is a private one on a Unix socket, one
// for each test binary, with a schema for each test; it ends with the process that
// started it, however that ends. Its settings are those of a real one, so what a test
// sees committed is synced.
package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// SQLite is the store.url of the embedded engine.
const SQLite = "sqlite"

// Each runs a test on both engines, with a fresh store.url for each. Without
// PostgreSQL's binaries its half is skipped.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// EachB is Each for benchmarks.
func EachB(b *testing.B, bench func(b *testing.B, url string)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { bench(b, SQLite) })
	b.Run("postgres", func(b *testing.B) { bench(b, Postgres(b)) })
}

// common is the server that the tests of this process share.
var common = sync.OnceValues(start)

// Postgres returns the URL of an empty schema on the common server.
func Postgres(t testing.TB) string {
	t.Helper()
	binaries(t)
	s, err := common()
	if err != nil {
		t.Fatal(err)
	}
	return s.URL(t)
}

// Server is a PostgreSQL server of this process.
type Server struct {
	bin, dir string
	leash    io.Closer // the server ends when this is closed
	schemas  atomic.Int64
}

// Start starts a server for this test only, which the test may stop and restart.
func Start(t testing.TB) *Server {
	t.Helper()
	binaries(t)
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.leash.Close() })
	return s
}

// binaries skips a test when there is no PostgreSQL.
func binaries(t testing.TB) {
	t.Helper()
	if bin() == "" {
		t.Skip("needs PostgreSQL's server binaries (Debian: postgresql)")
	}
}

// bin is the directory of the newest version's binaries, or "".
func bin() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		if p, err := exec.LookPath("postgres"); err == nil {
			return filepath.Dir(p)
		}
		return ""
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1])
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // others sort first
	return n
}

// supervise starts the server, says so, waits until its input ends and cleans up. The
// shell outlives a test that is killed.
const supervise = `"$1/pg_ctl" -D "$2/data" -l "$2/log" -w -t 60 -o "$3" start >/dev/null && echo ready
read end
"$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null
rm -rf "$2"`

func start() (*Server, error) {
	dir, err := os.MkdirTemp("", "congthu-pg")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin(), dir: dir}
	if err := s.own(); err != nil {
		return nil, err
	}
	if out, err := s.command("initdb", "-D", dir+"/data", "-U", "congthu", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	settings := "-k " + dir + " -c listen_addresses='' -c max_connections=200 -c shared_buffers=32MB -c max_wal_size=256MB"
	cmd := s.run("/bin/sh", "-c", supervise, "sh", s.bin, dir, settings)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait() }() // its end is the server's
	s.leash = in
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		log, _ := os.ReadFile(dir + "/log") // for the message
		return nil, errors.Join(fmt.Errorf("PostgreSQL does not start: %q %w\n%s", line, err, log), in.Close())
	}
	return s, nil
}

// own gives the directory to whom the server runs as: it refuses to run as root.
func (s *Server) own() error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := postgresUser()
	if err != nil {
		return err
	}
	return os.Chown(s.dir, uid, gid)
}

func postgresUser() (uid, gid int, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(err1, err2)
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	return s.run(filepath.Join(s.bin, name), args...)
}

func (s *Server) run(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	if uid, gid, err := postgresUser(); err == nil && os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, Setpgid: true}
	}
	return cmd
}

// Restart does what a crash of the server does: every session is cut off, nothing is
// written any more, and the next start recovers from the log.
func (s *Server) Restart() error {
	return s.ctl("restart", "-m", "immediate", "-l", s.dir+"/log", "-t", "60", "-w")
}

// Stop ends the server, as its administrator would for a while.
func (s *Server) Stop() error { return s.ctl("stop", "-m", "fast", "-w") }

// Resume starts it again after Stop.
func (s *Server) Resume() error {
	return s.ctl("start", "-l", s.dir+"/log", "-t", "60", "-w", "-o", "-k "+s.dir+" -c listen_addresses='' -c max_connections=200")
}

func (s *Server) ctl(what string, args ...string) error {
	cmd := s.command("pg_ctl", append([]string{what, "-D", s.dir + "/data"}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said // not its output, which a server that it starts would keep open
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pg_ctl %s: %w: %s", what, err, said.String())
	}
	return nil
}

// URL returns the address of a new, empty schema.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	schema := fmt.Sprintf("t%d", s.schemas.Add(1))
	if err := s.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	return s.url("search_path", schema)
}

// Exec runs statements as the server's administrator.
func (s *Server) Exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }() // nothing is left to do on it
	_, err = c.Exec(ctx, query, pgx.QueryExecModeSimpleProtocol)
	return err
}

func (s *Server) url(params ...string) string {
	v := url.Values{"host": {s.dir}}
	for i := 0; i+1 < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	return "postgres://congthu@/postgres?" + v.Encode()
}

// Again is the test under which a package's suite runs once more, on PostgreSQL.
const Again = "TestOnPostgres"

// Key is a file with a data key, the same at each call: that of all gateways of a test.
func Key(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.key")
	if err := os.WriteFile(path, []byte(strings.Repeat("5a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// For returns the store.url of the engine that a test is for: PostgreSQL below the test
// that is named Again, else SQLite.
func For(t testing.TB) string {
	t.Helper()
	if strings.HasPrefix(t.Name(), Again+"/") {
		return Postgres(t)
	}
	return SQLite
}

// Rerun runs a package's tests once more, on PostgreSQL. A test whose text contains the
// mark, such as the name of the function that opens the store, must be among them or be
// named in only, with the reason why it is for SQLite alone.
func Rerun(t *testing.T, mark string, tests map[string]func(*testing.T), only map[string]string) {
	t.Helper()
	binaries(t)
	for _, name := range marked(t, mark) {
		if tests[name] == nil && only[name] == "" {
			t.Errorf("%s opens a store and is not run on PostgreSQL: add it to %s", name, Again)
		}
	}
	for name, test := range tests {
		t.Run(name, test)
	}
}

var testHead = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\) \{`)

// marked lists the tests of the package in whose text the mark is.
func marked(t *testing.T, mark string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range testHead.FindAllSubmatchIndex(text, -1) {
			body, _, _ := strings.Cut(string(text[at[1]:]), "\n}\n")
			if name := string(text[at[2]:at[3]]); name != Again && strings.Contains(body, mark) {
				names = append(names, name)
			}
		}
	}
	return names
}

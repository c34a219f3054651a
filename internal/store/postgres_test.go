package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"congthu/internal/lang"
	"congthu/internal/store/storetest"
)

// A server whose COMMIT is not durable is refused, in words that say what to do, and a
// session that would not wait for the disk is made to.
func TestServerMustBeSafe(t *testing.T) {
	s := storetest.Start(t)
	url := s.URL(t)
	if err := s.Exec(`ALTER SYSTEM SET synchronous_commit = off`); err != nil {
		t.Fatal(err)
	}
	reload := func() {
		t.Helper()
		if err := s.Exec(`SELECT pg_reload_conf(), pg_sleep(0.2)`); err != nil {
			t.Fatal(err)
		}
	}
	reload()
	db := open(t, Options{URL: url})
	var commit string
	err := db.Update(t.Context(), func(tx Tx) error {
		return tx.QueryRow(t.Context(), `SELECT current_setting('synchronous_commit')`).Scan(&commit)
	})
	if err != nil || commit != "on" {
		t.Errorf("synchronous_commit is %q, %v", commit, err)
	}
	if err := s.Exec(`ALTER SYSTEM SET fsync = off`); err != nil {
		t.Fatal(err)
	}
	reload()
	_, err = Open(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()})
	var p *Problem
	if !errors.As(err, &p) || !strings.Contains(p.In(lang.VI), "mất thư khi mất điện: fsync = off") || !strings.Contains(p.In(lang.EN), "set fsync = on") {
		t.Errorf("%v", err)
	}
	if err := Check(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()}); !errors.As(err, &p) {
		t.Errorf("check: %v", err)
	}
	if err := s.Exec(`CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(`ALTER SYSTEM RESET fsync`); err != nil {
		t.Fatal(err)
	}
	reload()
	_, err = Open(t.Context(), Options{URL: strings.Replace(url, "/postgres?", "/latin?", 1), Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("another encoding: %v", err)
	}
}

// A password is in no error, whatever is wrong, and a passfile is read.
func TestPasswordIsNeverSaid(t *testing.T) {
	const secret = "bi-mat%20rieng"
	for _, url := range []string{
		"postgres://u:" + secret + "@127.0.0.1:1/db?connect_timeout=1",
		"postgres://u:" + secret + "@127.0.0.1:port/db",
		"postgres://u:bi-mat/rieng@127.0.0.1/db?sslmode=nonsense",
		"postgres://u@127.0.0.1/db?password=" + secret + "&sslmode=nonsense",
		"postgres://u:bi-mat rieng@[::1/db",
		"postgres:u:bi-mat rieng",
		"mysql://u:" + secret + "@x/y",
	} {
		_, err := Open(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()})
		var p *Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: %v", url, err)
			continue
		}
		for _, text := range []string{err.Error(), p.In(lang.VI), p.In(lang.EN)} {
			if strings.Contains(text, "bi-mat") || strings.Contains(text, "rieng") {
				t.Errorf("%s: the password is in %s", url, text)
			}
		}
	}
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("127.0.0.1:1:db:u:from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := newPostgres("postgres://u@127.0.0.1:1/db?passfile=" + pass)
	if err != nil || e.(postgres).config.Password != "from the file" || strings.Contains(e.label(), "from") {
		t.Errorf("%v %v", e, err)
	}
}

func TestGradeState(t *testing.T) {
	if bad := (&pgConn{}).grade(fmt.Errorf("connect: %w", &pgconn.ConnectError{})); bad != passing {
		t.Errorf("a server that cannot be connected to is graded %d", bad)
	}
	tests := map[string]badness{
		"23505": mild, "42601": mild, "40P01": mild, "55P03": mild, "57014": mild, "25P02": mild,
		"57P01": passing, "57P03": passing, "08006": passing, "53200": passing, "53300": passing, "25006": passing, "40001": passing,
		"53100": full, "58030": fatal, "XX001": fatal, "XX000": fatal, "": mild,
	}
	for code, want := range tests {
		if got := gradeState(code); got != want {
			t.Errorf("%s is %d, want %d", code, got, want)
		}
	}
}

// failing has one statement of the writer fail as the server says it does.
func failing(db *DB, query, code string) {
	db.writer.conn.base().inject(func(q string) error {
		if q == query {
			return &pgconn.PgError{Code: code, Message: "injected", Severity: "ERROR"}
		}
		return nil
	})
}

// What fails at the server is told to every caller of the batch, and only what may
// have left the disk in doubt stops the store for good.
func TestServerFailures(t *testing.T) {
	for _, tt := range []struct {
		query, code string
		want        error
		heals       bool
	}{
		{"BEGIN", "57P03", nil, true},
		{"COMMIT", "57P01", nil, true},
		{"COMMIT", "53100", ErrFull, true},
		{"SAVEPOINT one", "53200", nil, true},
		{"COMMIT", "58030", ErrBroken, false},
	} {
		t.Run(tt.query+" "+tt.code, func(t *testing.T) {
			db := open(t, Options{URL: storetest.Postgres(t)})
			failing(db, tt.query, tt.code)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if _, err := put(t.Context(), db, fmt.Sprint(i), []byte("x")); err == nil || !errors.Is(err, tt.want) && tt.want != nil {
						t.Errorf("%d: %v", i, err)
					}
				})
			}
			wg.Wait()
			if err := db.Healthy(); err == nil || db.Troubles() == 0 {
				t.Errorf("health: %v", err)
			}
			db.writer.conn.base().inject(nil)
			if !tt.heals {
				if err := db.Update(t.Context(), touch); !errors.Is(err, ErrBroken) {
					t.Errorf("writes on: %v", err)
				}
				return
			}
			healthy(t, db)
			if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != 0 {
				t.Errorf("%d rows of refused work", n)
			}
			if _, err := put(t.Context(), db, "later", []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

// healthy waits until the store has healed by itself.
func healthy(t *testing.T, db *DB) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); db.Healthy() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not healed: %v", db.Healthy())
		}
	}
}

// The server says ROLLBACK, and no error, to the COMMIT of a failed transaction. It is
// one to the callers.
func TestCommitThatRollsBack(t *testing.T) {
	db := open(t, Options{URL: storetest.Postgres(t)})
	c := db.writer.conn.(*pgConn)
	c.base().inject(func(q string) error {
		if q == "COMMIT" {
			_, _ = c.conn.ExecContext(context.Background(), `SELECT 1/0`)
		}
		return nil
	})
	if _, err := put(t.Context(), db, "one", []byte("x")); err == nil || !strings.Contains(err.Error(), "ROLLBACK") {
		t.Errorf("%v", err)
	}
	c.base().inject(nil)
	healthy(t, db)
}

// An error that its function ignored is an error all the same, with both engines:
// PostgreSQL has run nothing after it.
func TestIgnoredErrorIsNoSuccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, ctx := open(t, Options{URL: url}), t.Context()
		err := db.Update(ctx, func(tx Tx) error {
			_, _ = tx.Exec(ctx, `INSERT INTO body (id) VALUES ('no size')`)
			_, _ = tx.Exec(ctx, `UPDATE probe SET n = 5`)
			return nil
		})
		if err == nil || db.Healthy() != nil || count(t, db, `SELECT n FROM probe`) != 0 {
			t.Errorf("%v, health %v", err, db.Healthy())
		}
	})
}

// A restart of the server while nothing goes on costs nobody anything; under load it
// costs refusals, and whatever was acknowledged is there.
func TestPostgresRestarts(t *testing.T) {
	s := storetest.Start(t)
	db := open(t, Options{URL: s.URL(t)})
	if _, err := put(t.Context(), db, "before", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != 1 {
		t.Errorf("%d rows", n)
	}
	if _, err := put(t.Context(), db, "idle", []byte("x")); err != nil {
		t.Errorf("a restart in an idle moment: %v", err)
	}
	var acked sync.Map
	var n, refused atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", p, i)
				if _, err := put(context.Background(), db, id, []byte("x")); err != nil {
					refused.Add(1)
					time.Sleep(5 * time.Millisecond)
					continue
				}
				n.Add(1)
				acked.Store(id, true)
			}
		})
	}
	for range 3 {
		for at := n.Load(); n.Load() < at+100 && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		if err := s.Restart(); err != nil {
			t.Error(err)
		}
	}
	healthy(t, db)
	stop()
	wg.Wait()
	lost := 0
	acked.Range(func(id, _ any) bool {
		if count(t, db, fmt.Sprintf(`SELECT COUNT(*) FROM queue WHERE id = '%s'`, id)) != 1 {
			lost++
		}
		return true
	})
	if lost > 0 || refused.Load() == 0 {
		t.Errorf("%d lost, %d refused", lost, refused.Load())
	}
	t.Logf("lost %d of %d acknowledged, duplicates 0, faults 3 (%d refused)", lost, n.Load(), refused.Load())
}

package audit_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"congthu/internal/audit"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

var background = context.Background()

const childDir = "CONGTHU_AUDIT_CHILD"

// TestMain is also the child that writes entries until it is killed, and says each
// number once it is durable.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	db, err := store.Open(background, store.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	l := audit.New(audit.Options{Store: db, Anchor: filepath.Join(dir, "audit.head")})
	for {
		if err := l.Record(background, audit.Entry{Actor: "lan", Act: "x"}); err != nil {
			panic(err)
		}
		n, _, err := l.Head(background)
		if err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
}

// The chain is whole after kill -9 in the middle of writes, again and again, and has
// every entry that was said to be durable.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	times := 5
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		times = 50
	}
	var last int64
	for i := range times {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		begun := false
		for s := bufio.NewScanner(out); s.Scan(); begun = true {
			if !begun { // a busy machine may take its time until then
				time.AfterFunc(time.Duration(100+i*37)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
			_, _ = fmt.Sscan(s.Text(), &last) // the last line may be cut
		}
		_ = cmd.Wait() // killed
	}
	db, err := store.Open(t.Context(), store.Options{URL: storetest.SQLite, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	got, err := audit.New(audit.Options{Store: db, Anchor: filepath.Join(dir, "audit.head")}).Verify(t.Context())
	if err != nil || got.Broken != nil || got.Last < last || last < 10 {
		t.Errorf("%+v %+v %v, said %d", got, got.Broken, err, last)
	}
}

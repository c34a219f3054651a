package review_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/audit"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

const (
	childDir  = "CONGTHU_TEST_DIR" // set: this process is the child
	childSeed = "CONGTHU_TEST_SEED"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) == "" {
		os.Exit(m.Run())
	}
	child()
}

// desk is a real one on a data directory, with a real queue behind it.
func desk(db *store.DB, dir string) (*quarantine.Quarantine, *audit.Log, *review.Desk) {
	q := quarantine.New(quarantine.Options{Store: db, Requeue: queue.New(queue.Options{Store: db}), Undo: time.Hour})
	log := audit.New(audit.Options{Store: db, Gateway: "gw.test", Anchor: filepath.Join(dir, "audit.head")})
	return q, log, review.New(review.Options{
		Quarantine: q, Audit: log, Allowed: allowance.New(allowance.Options{Store: db, Max: 1 << 20}), AllowFor: time.Hour,
		Rescan: func(context.Context, quarantine.Item, []byte) (review.Today, error) { return review.Today{}, nil },
	})
}

// child holds, and then releases or deletes, for ever, and says what was held. With every
// other release the sender is allowed.
func child() {
	ctx := context.Background()
	dir := os.Getenv(childDir)
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		fmt.Println("fail", err)
		os.Exit(1)
	}
	q, _, d := desk(db, dir)
	r := d.For(admin("lan"))
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				m := &msg.Message{ID: fmt.Sprintf("%s-%d-%d", os.Getenv(childSeed), p, i), Envelope: msg.Envelope{From: path("x@partner.test")}, Auth: proven}
				m.Raw = fmt.Appendf(nil, "From: %s@partner.test\r\n\r\nx\r\n", m.ID)
				err := q.Hold(ctx, m, msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: "SCORE", To: []msg.Path{path("a@yte.test")}}, [][]byte{m.Raw})
				if err != nil {
					fmt.Println("fail", err)
				}
				_, _ = fmt.Fprintf(os.Stdout, "held %s\n", m.ID)
				if i%2 == 0 {
					_, err = r.Release(ctx, m.ID, review.Order{AllowSender: []review.Scope{"", review.ToRecipient}[i/2%2]})
				} else {
					err = r.Delete(ctx, m.ID)
				}
				if err != nil {
					fmt.Println("fail", err)
				}
			}
		})
	}
	wg.Wait()
}

// A kill leaves of an act and its entry both or none: what is in the queue has the entry
// of its release, what is deleted that of its deletion, what is held has neither; a sender
// is allowed exactly when the release it came with is there; and the chain is whole.
func TestKillActsAreOnRecord(t *testing.T) {
	kills := 6
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		kills = 60
	}
	dir := t.TempDir()
	var held []string
	for i := range kills {
		held = append(held, killOne(t, dir, i)...)
	}
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, log, _ := desk(db, dir)
	if v, err := log.Verify(t.Context()); err != nil || v.Broken != nil {
		t.Errorf("%+v %v", v, err)
	}
	list, err := log.List(t.Context(), audit.Filter{Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]int{}
	for _, e := range list {
		entries[e.Act+" "+e.Object]++
	}
	acts, allowances := 0, 0
	for _, id := range held {
		queued, there, gone, allowed := counts(t, db, id)
		acts += queued + gone + allowed
		allowances += allowed
		i, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
		if want := queued * (i / 2 % 2); err != nil || allowed != want || entries["sender.allow "+strings.ToLower(id)+"@partner.test"] != want {
			t.Errorf("%s: allowed %d times, %d queued, %d entries", id, allowed, queued, entries["sender.allow "+strings.ToLower(id)+"@partner.test"])
		}
		if queued+there != 1 || entries["quarantine.release "+id] != queued || entries["quarantine.delete "+id] != gone {
			t.Errorf("%s: %d queued, %d held, %d deleted; %d and %d entries", id, queued, there, gone, entries["quarantine.release "+id], entries["quarantine.delete "+id])
		}
	}
	if acts != len(list) || allowances == 0 {
		t.Errorf("%d acts, %d of them allowances, %d entries", acts, allowances, len(list))
	}
	t.Logf("%d kills, %d held, %d acts, %d of them allowances, %d entries", kills, len(held), acts, allowances, len(list))
}

func counts(t *testing.T, db *store.DB, id string) (queued, there, gone, allowed int) {
	t.Helper()
	err := db.View(t.Context(), func(tx store.Tx) error {
		for query, n := range map[string]*int{
			`SELECT COUNT(*) FROM queue WHERE id = $1`: &queued, `SELECT COUNT(*) FROM quarantine WHERE id = $1`: &there,
			`SELECT COUNT(*) FROM quarantine_rcpt WHERE id = $1 AND gone > 0`: &gone, `SELECT COUNT(*) FROM allowance WHERE letter = $1`: &allowed,
		} {
			if err := tx.QueryRow(t.Context(), query, id).Scan(n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return queued, there, gone, allowed
}

func killOne(t *testing.T, dir string, seed int) (held []string) {
	t.Helper()
	for _, line := range storetest.KillSelf(t, 40, 60*time.Millisecond, childDir+"="+dir, fmt.Sprintf("%s=C%d", childSeed, seed)) {
		id, ok := strings.CutPrefix(line, "held ")
		if !ok {
			t.Error(line)
		}
		held = append(held, id)
	}
	return held
}

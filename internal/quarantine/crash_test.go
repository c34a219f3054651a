package quarantine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/figures"
	"congthu/internal/msg"
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

// table is a queue of which only the rows matter.
type table struct{ db *store.DB }

func (q table) PrepareQuiet(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	body, err := q.db.Stage(ts[0].Content...)
	if err != nil {
		return nil, err
	}
	return &store.Change{
		Apply: func(ctx context.Context, tx store.Tx) error {
			if err := body.Attach(ctx, tx); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO queue (id, next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, state,
				size, created, attempts, next_try, head_crc, body) VALUES ($1, 'h', '', '', '', 0, 0, 0, 0, 'waiting', 0, 0, 0, 0, 0, $2)`, ts[0].ID, body.ID)
			return err
		},
		Undo: body.Discard,
	}, nil
}

// child holds and releases for ever and says what was acknowledged.
func child() {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Dir: os.Getenv(childDir)})
	if err != nil {
		fmt.Println("fail", err)
		os.Exit(1)
	}
	q := New(Options{Store: db, Requeue: table{db}})
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				m := message(fmt.Sprintf("%s-%d-%d", os.Getenv(childSeed), p, i), "s")
				if i%3 == 0 {
					m.Raw = append(m.Raw, make([]byte, 300<<10)...)
				}
				if err := q.Hold(ctx, m, decision("a@x.test"), content(m)); err != nil {
					fmt.Println("fail", err)
				}
				_, _ = fmt.Fprintf(os.Stdout, "held %s\n", m.ID)
				if _, err := q.Release(ctx, m.ID, nil, "lan"); err != nil {
					fmt.Println("fail", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestKill: after a crash every held message is in exactly one of quarantine and
// queue, with readable octets.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var held []string
	kills := 6
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		kills = 60
	}
	for i := range kills {
		held = append(held, killOne(t, dir, i)...)
	}
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	where := map[string]int{}
	var bodies []string
	err = db.View(t.Context(), func(tx store.Tx) error {
		ids, err := texts(t.Context(), tx, `SELECT id FROM quarantine UNION ALL SELECT id FROM queue`)
		for _, id := range ids {
			where[id]++
		}
		if err != nil {
			return err
		}
		bodies, err = texts(t.Context(), tx, `SELECT id FROM body`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := figures.Figures{Acknowledged: len(held), Faults: kills}
	for _, id := range held {
		if where[id] != 1 {
			sum.Lost++
			t.Errorf("%s is in %d places", id, where[id])
		}
	}
	for _, id := range bodies {
		if _, err := db.Body(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%v, %d bodies", sum, len(bodies))
	if err := figures.Add("quarantine "+t.Name(), sum); err != nil {
		t.Error(err)
	}
}

func killOne(t *testing.T, dir string, seed int) (held []string) {
	t.Helper()
	for _, line := range storetest.KillSelf(t, 40, 40*time.Millisecond, childDir+"="+dir, fmt.Sprintf("%s=c%d", childSeed, seed)) {
		id, ok := strings.CutPrefix(line, "held ")
		if !ok {
			t.Error(line)
		}
		held = append(held, id)
	}
	return held
}

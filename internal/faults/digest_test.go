package faults

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"congthu/internal/mimetree"
	"congthu/internal/store/storetest"
)

// holds sends n letters that are held.
func holds(t *testing.T, r *Rig, n int) {
	t.Helper()
	r.Ledger.SpamEvery = 1
	s := r.Sender()
	s.Size = 1 << 10
	must(t, s.Send(n))
	r.Ledger.SpamEvery = 0
}

// digests are the digests that have arrived: of each address their Message-IDs, and the
// codes in them.
func digests(r *Rig) (ids, codes map[string][]string) {
	id, code := regexp.MustCompile(`(?m)^Message-ID: (\S+)`), regexp.MustCompile(`Mã / Code: (\S+)`)
	ids, codes = map[string][]string{}, map[string][]string{}
	for _, a := range slices.Concat(r.A.Arrivals(), r.B.Arrivals()) {
		m := id.FindSubmatch(a.Data)
		if m == nil || !bytes.Contains(a.Data, []byte("\r\nAuto-Submitted: auto-generated\r\n")) {
			continue
		}
		if n := string(m[1]); !slices.Contains(ids[a.To[0]], n) { // after a kill the same may come twice
			ids[a.To[0]] = append(ids[a.To[0]], n)
			for _, c := range code.FindAllStringSubmatch(mimetree.Parse(a.Data, mimetree.DefaultLimits()).Text, -1) {
				codes[a.To[0]] = append(codes[a.To[0]], c[1])
			}
		}
	}
	return ids, codes
}

// Two gateways that share a database send the digests of the day, both at once, and one of
// them is killed in the middle. The other sends what is left, takes over what was queued,
// and each address has one digest of that day with its letters, also when the killed one
// is back.
func TestPostgresDigestsOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	g := pair(t, url, "2s", "[digest]\nat = \"00:00\"\naddress = \"cong-thu@gw.congthu.test\"\n[[digest.mailbox]]\ndomains = [\"so.test\"]\nto = \"none\"\n")
	must(t, g[0].Start())
	holds(t, g[0], times(120, 1500))
	g[0].Kill()
	want := map[string]bool{}
	records, err := g[0].Ledger.Records()
	must(t, err)
	for _, rec := range records {
		for _, to := range rec.To {
			want[to] = true
		}
	}
	mood(t, g[0].A, "end stall 20ms")
	together(t, url, func() {
		for _, r := range g {
			must(t, r.Start())
		}
	})
	arrived := func(n int) func() bool {
		return func() bool { ids, _ := digests(g[0]); return len(ids) >= n }
	}
	within(t, "digests arrive", arrived(len(want)/6))
	g[1].Kill()
	g[0].Fault()
	within(t, "everybody has a digest", arrived(len(want)))
	must(t, g[1].Start())
	must(t, g[0].Drain(time.Minute))
	ids, codes := digests(g[0])
	for to := range want {
		if len(ids[to]) != 1 || len(codes[to]) != 1 {
			t.Errorf("%s has %d digests with %d codes", to, len(ids[to]), len(codes[to]))
		}
	}
	if len(ids) != len(want) {
		t.Errorf("%d have a digest, %d should", len(ids), len(want))
	}
	says := regexp.MustCompile(`msg="digests sent".*`).FindString(g[0].Log())
	t.Logf("%d digests, each once; the gateway that lived says: %q", len(ids), says)
	finish(t, g[0], nil)
}

// together starts gateways whose first digest waits until that of all of them does, so that
// they write the same ones at the same time. What is held was held some time ago: gateways
// whose clocks may differ tell of nothing younger.
func together(t *testing.T, url string, start func()) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer db.Close(t.Context()) //nolint:errcheck // all was done
	_, err = db.Exec(t.Context(), "UPDATE quarantine SET held = held - 120000")
	must(t, err)
	lock, err := db.Begin(t.Context())
	must(t, err)
	_, err = lock.Exec(t.Context(), "LOCK TABLE digest IN SHARE MODE")
	must(t, err)
	start()
	within(t, "both gateways write digests", func() bool {
		var n int
		must(t, lock.QueryRow(t.Context(), "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'digest'::regclass").Scan(&n))
		return n == 2
	})
	must(t, lock.Commit(t.Context()))
}

// within waits until something is so.
func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(fmt.Sprint("not within two minutes: ", what))
		}
	}
}

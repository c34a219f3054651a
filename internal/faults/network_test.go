package faults

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to damage the database of a gateway that does not run
)

// P10 to P13: one next hop misbehaves, the other must not feel it. 5xx are the next
// hop's own word and come back as a refusal or as a notice; all else is delivered.
func TestNextHopMisbehaves(t *testing.T) {
	for name, f := range map[string]struct {
		script  string
		refused string // what may be said of letters, as the next hop's word
	}{
		"down":                    {"down", ""},
		"busy":                    {"connect 421 4.3.2 busy", ""},
		"hangs up":                {"connect drop", ""},
		"greets with 554":         {"connect 554 5.3.2 not today", ""},
		"defers":                  {"mail 451 4.3.0 later", ""},
		"refuses the sender":      {"mail 550 5.7.1 not you x20", "550 5.7.1"},
		"refuses all":             {"end 554 5.6.0 not that x20", "554 5.6.0"},
		"mixed per recipient":     {"rcpt <n1a@a.gov.test> 550 5.1.1 nobody\nrcpt <n3b@a.gov.test> 450 4.2.1 later\nrcpt <n5a@a.gov.test> 550 5.1.1 nobody\nrcpt <n5b@a.gov.test> 550 5.1.1 nobody", "550 5.1.1"},
		"stalls in the message":   {"body stall 3s x10", ""},
		"drops in the message":    {"body drop x20", ""},
		"resets in the message":   {"body reset x20", ""},
		"resets after the dot":    {"end reset x20", ""},
		"keeps, and resets":       {"end keep-reset x6", ""},
		"keeps, and says no word": {"end keep-drop x6", ""},
		"replies late":            {"end stall 4s x6", ""},
		"drips":                   {"end drip 20ms", ""},
		"greets late":             {"connect stall 3s x10", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			mood(t, r.A, f.script)
			must(t, r.Start())
			done := make(chan error, 5)
			for _, domain := range []string{"a.gov.test", "a.gov.test", "a.gov.test", "b.gov.test", "b.gov.test"} {
				s := r.Sender()
				s.Domain, s.Size = func(int) string { return domain }, 70_000
				go func() { done <- s.Send(times(4, 12)) }()
			}
			for range cap(done) {
				must(t, <-done)
			}
			r.Faults(1)
			unaffected(t, r, 2*times(4, 12))
			finish(t, r, func(reply string) bool {
				return f.refused != "" && strings.HasPrefix(reply, f.refused) && strings.Contains(reply, "Refused by the receiving server")
			})
		})
	}
}

// unaffected wants all letters for B delivered, each soon after it was sent, however A
// behaves: at the cut-through time-out for A no letter for B waits.
func unaffected(t *testing.T, r *Rig, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); r.B.Count() < want && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	records, err := r.Ledger.Records()
	must(t, err)
	if n := r.B.Count(); n != want {
		t.Errorf("%d of %d letters for the other next hop have arrived", n, want)
	}
	for _, a := range r.B.Arrivals() {
		if took := a.At.Sub(records[a.N].Sent); took > 5*time.Second {
			t.Errorf("letter %d took %v to a next hop that was well", a.N, took)
		}
	}
}

// P14: the DNS fails in every way it can. What cannot be looked up waits; only an
// authoritative "there is no such domain" is final. When the DNS is well again, what
// waited is delivered.
func TestDNSFails(t *testing.T) {
	t.Parallel()
	const well = "\n%[1]s MX 10 host.%[1]s\nhost.%[1]s A ${IP}\n"
	r := newRig(t, Options{Zone: `
servfail.mx.test   FAIL servfail
timeout.mx.test    FAIL timeout
refused.mx.test    FAIL refused
host-down.mx.test  MX 10 host.host-down.mx.test
host.host-down.mx.test FAIL servfail
host-gone.mx.test  MX 10 host.host-gone.mx.test
host-gone.mx.test  MX 20 second.host-gone.mx.test
second.host-gone.mx.test FAIL timeout
`})
	hop := &Hop{Addr: strings.Replace(r.A.Addr, ":2600", ":25", 1)}
	if err := hop.Up(""); err != nil {
		t.Skipf("needs the right to listen on port 25 of a loopback address: %v", err)
	}
	t.Cleanup(hop.Down)
	must(t, r.Start())
	domains := []string{"servfail.mx.test", "timeout.mx.test", "refused.mx.test", "host-down.mx.test", "host-gone.mx.test"}
	s := r.Sender()
	s.Domain = func(i int) string { return domains[i%len(domains)] }
	must(t, s.Send(len(domains)*times(1, 4)))
	s.Domain = func(int) string { return "no-such-domain.mx.test" }
	must(t, s.Send(1))
	r.Faults(len(domains))
	records, err := r.Ledger.Records()
	must(t, err)
	for _, rec := range records {
		gone := strings.HasSuffix(rec.To[0], "no-such-domain.mx.test")
		if rec.Confirmed == gone || gone && !strings.HasPrefix(rec.Reply, "550 5.1.2") {
			t.Errorf("%s: %s", rec.To[0], rec.Reply)
		}
	}
	healed := "second.host-gone.mx.test A ${IP}\n" // that the first host is gone is the truth, and remembered
	for _, d := range domains {
		if d != "host-gone.mx.test" {
			healed += fmt.Sprintf(well, d)
		}
	}
	healed += "host-gone.mx.test MX 20 second.host-gone.mx.test\n"
	must(t, r.DNS(t.Context(), healed))
	must(t, r.Drain(90*time.Second))
	r.also = append(r.also, hop)
	finish(t, r, func(reply string) bool { return strings.HasPrefix(reply, "550 5.1.2") })
}

// P21: octets of what is queued are flipped while the gateway does not run. Nothing
// damaged is delivered, an operator sees it, and all the rest arrives.
func TestDamagedQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	r.A.Down()
	must(t, r.Start())
	s := r.Sender()
	s.Domain = func(int) string { return "a.gov.test" }
	for _, size := range []int{0, 300 << 10} {
		s.Size = size
		must(t, s.Send(times(20, 60)))
	}
	r.Kill()
	spoiled := flipFiles(t, r) + flipRows(t, r)
	r.Faults(spoiled)
	must(t, r.Heal())
	must(t, r.Start())
	must(t, r.Drain(60*time.Second))
	all, err := r.Queued()
	must(t, err)
	ids := map[string]bool{}
	for _, k := range all {
		if k.State != "corrupt" {
			t.Errorf("%+v is left", k)
		}
		ids[k.ID] = true
	}
	if len(ids) != spoiled {
		t.Errorf("%d letters are marked corrupt, %d were damaged", len(ids), spoiled)
	}
	finish(t, r, nil)
}

// flipFiles damages every third body file: a bit, its end, or all of it.
func flipFiles(t *testing.T, r *Rig) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.Data, "bodies", "*"))
	must(t, err)
	for i, name := range files {
		data, err := os.ReadFile(name)
		must(t, err)
		switch i % 9 {
		case 0:
			data[len(data)/2] ^= 4
		case 3:
			data = data[:len(data)-1]
		case 6:
			clear(data)
		default:
			continue
		}
		must(t, os.WriteFile(name, data, 0o600))
		n++
	}
	if n == 0 {
		t.Fatal("there are no body files")
	}
	return n
}

// flipRows damages the header block of some rows and the inline body of others.
func flipRows(t *testing.T, r *Rig) int {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(r.Data, "congthu.db"))
	must(t, err)
	defer db.Close()
	damaged := 0
	const small = `SELECT q.id FROM queue q JOIN body b ON b.id = q.body WHERE b.content IS NOT NULL ORDER BY q.id `
	for column, ids := range map[string]string{"head": small + "LIMIT 3", "content": small + "DESC LIMIT 3"} {
		for _, id := range column1(t, db, ids) {
			flip(t, db, column, id)
			damaged++
		}
	}
	if damaged != 6 {
		t.Fatalf("%d rows were damaged", damaged)
	}
	return damaged
}

// column1 returns the texts of the first column.
func column1(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		out = append(out, s)
	}
	must(t, rows.Err())
	return out
}

// flip changes one octet of a letter's head or content in the middle.
func flip(t *testing.T, db *sql.DB, column, id string) {
	t.Helper()
	read, write := `SELECT head FROM queue WHERE id = $1`, `UPDATE queue SET head = $2 WHERE id = $1`
	if column == "content" {
		read, write = `SELECT content FROM body WHERE id = (SELECT body FROM queue WHERE id = $1)`, `UPDATE body SET content = $2 WHERE id = (SELECT body FROM queue WHERE id = $1)`
	}
	var b []byte
	must(t, db.QueryRowContext(t.Context(), read, id).Scan(&b))
	b[len(b)/2] ^= 1
	_, err := db.ExecContext(t.Context(), write, id, b)
	must(t, err)
}

// C15, G25: a thousand spams in other people's names are refused in the session, or
// held and deleted. Not one is delivered, and not one of those people hears of it.
func TestForgedSpamMakesNoNotices(t *testing.T) {
	for _, f := range []struct {
		name, rejectAt, reply string
		spams, held           int
	}{
		{"refused", "reject_at = 15.0", "550 5.7.1", 1000, 0},
		{"held", "reject_at = 0.0", "250", 160, 160},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{Config: "[[route]]\ndomains = [\"*\"]\nnext_hop = \"${A}\"\n", Rules: rulesWith(t, "reject_at = 0.0", f.rejectAt)})
			must(t, r.Start())
			done := make(chan error, 8)
			for c := range cap(done) {
				go func() { done <- spam(r.Addr, f.reply, c*f.spams/8, f.spams/8) }()
			}
			for range cap(done) {
				must(t, <-done)
			}
			emptyQuarantine(t, r, f.held)
			must(t, r.Drain(10*time.Second))
			left, err := r.Queued()
			must(t, err)
			if n := r.A.Count() + r.B.Count(); n != 0 || len(left) != 0 {
				t.Errorf("%d letters or notices were sent, %d are queued", n, len(left))
			}
		})
	}
}

// rulesWith returns a copy of the rules with one text of the policy replaced.
func rulesWith(t *testing.T, old, fresh string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rules")
	must(t, os.CopyFS(dir, os.DirFS(rules)))
	name := filepath.Join(dir, "policy.toml")
	text, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, []byte(strings.Replace(string(text), old, fresh, 1)), 0o600))
	return dir
}

// emptyQuarantine deletes what is held, which must be so many letters.
func emptyQuarantine(t *testing.T, r *Rig, want int) {
	t.Helper()
	var items []struct{ ID string }
	must(t, r.list(&items, "quarantine", "list", "--limit", "100000", "--json"))
	if len(items) != want {
		t.Errorf("%d are held, want %d", len(items), want)
	}
	args := []string{"quarantine", "delete"}
	for _, it := range items {
		args = append(args, it.ID)
	}
	if len(items) > 0 {
		_, err := r.Command(args...)
		must(t, err)
	}
}

// spam sends letters with the test string that every filter must refuse, from an
// address outside, each in the name of somebody else.
func spam(addr, want string, from, n int) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // everything was said
	if _, err := c.say(220, "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]"); err != nil {
		return err
	}
	if _, err := c.say(250, "EHLO spam.test"); err != nil {
		return err
	}
	for i := from; i < from+n; i++ {
		victim := fmt.Sprintf("victim%d@bystander.test", i)
		text := "From: <" + victim + ">\r\nTo: <x@a.gov.test>\r\nSubject: win\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <" + victim + ">\r\n\r\n" + gtube + "\r\n"
		reply, err := c.mail(victim, []string{"x@a.gov.test"}, []byte(text))
		if err != nil || !strings.HasPrefix(reply, want) {
			return fmt.Errorf("spam %d is answered %q: %w", i, reply, err)
		}
	}
	return nil
}

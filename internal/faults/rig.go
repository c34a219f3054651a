package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"congthu/internal/dns/fake"
)

// Rig is a gateway with what stands around it, on loopback addresses of its own: two
// next hops and a DNS server.
type Rig struct {
	*Gateway
	Dir    string
	Name   string // of the gateway, as it says in EHLO
	Data   string // the data directory
	A, B   *Hop   // for a.gov.test and b.gov.test
	Ledger *Ledger

	stopDNS func()
	also    []*Hop // more next hops of a test
	guest   bool   // the hops are another's
	mu      sync.Mutex
	faults  []time.Time
	made    int
}

// Options are what a rig may have otherwise.
type Options struct {
	Name   string // of the gateway; "" is gw
	Beside *Rig   // another gateway for the same next hops; the arrivals are told apart by name
	Data   string // the data directory; "" is under Dir
	Config string // more lines of the settings, laid behind the others
	Rules  string // the rules directory; "" is what New is given
	Zone   string // of the DNS server (internal/dns/fake)
	Env    []string
	Wrap   []string
}

const zone = `
so.test    MX 10 mx.so.test
so.test    TXT "v=spf1 ip4:127.0.0.0/8 -all"
mx.so.test A 127.0.0.1
`

// settings of a rig. Letters are looked at by everything but the scan worker, whose
// faults have tests of their own (internal/inspect/attach) and whose start would be
// the longest part of each cycle.
const settings = `hostname = "%[4]s"
data_dir = "%[1]s"
rules_dir = "%[2]s"
[[listen]]
address = "%[3]s:2525"
xclient = ["127.0.0.0/8"]
[relay]
networks = ["127.0.0.0/8"]
timeout = "2s"
final_timeout = "2s"
recipients_hour = 0
recipients_day = 0
[[route]]
domains = ["a.gov.test", "so.test"]
next_hop = "%[5]s"
[[route]]
domains = ["b.gov.test"]
next_hop = "%[6]s"
[[route]]
domains = ["mx.test", "*.mx.test"]
next_hop = "mx"
[dns]
servers = ["%[3]s:5353"]
timeout = "1s"
[scan]
workers = 1
[metrics]
address = "%[3]s:9464"
`

// New makes a rig in an empty directory. Nothing runs yet but the DNS server, which
// ends with ctx.
func New(ctx context.Context, bin, rules, dir string, o Options) (*Rig, error) {
	ip := fmt.Sprintf("127.%d.%d.%d", 130+rand.IntN(120), rand.IntN(256), 1+rand.IntN(254))
	r := &Rig{Dir: dir, Data: o.Data, Name: cmp.Or(o.Name, "gw") + ".congthu.test", A: &Hop{Addr: ip + ":2600"}, B: &Hop{Addr: ip + ":2601"}}
	if o.Beside != nil {
		r.A, r.B, r.guest = o.Beside.A, o.Beside.B, true
	}
	if r.Data == "" {
		r.Data = filepath.Join(dir, "data")
	}
	rules, err := filepath.Abs(cmp.Or(o.Rules, rules))
	if err != nil {
		return nil, err
	}
	r.Gateway = &Gateway{Bin: bin, Config: filepath.Join(dir, "congthu.toml"), Addr: ip + ":2525", Env: o.Env, Wrap: o.Wrap}
	text := fmt.Sprintf(settings, r.Data, rules, ip, r.Name, r.A.Addr, r.B.Addr) + strings.ReplaceAll(o.Config, "${A}", r.A.Addr)
	if err := os.WriteFile(r.Config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if r.Ledger, err = NewLedger(filepath.Join(dir, "ledger")); err != nil {
		return nil, err
	}
	return r, r.DNS(ctx, o.Zone)
}

// DNS starts the DNS server with more records, in place of the one that runs. ${IP} is
// the rig's address.
func (r *Rig) DNS(ctx context.Context, records string) error {
	if r.stopDNS != nil {
		r.stopDNS()
	}
	ip, _, err := net.SplitHostPort(r.Addr)
	if err != nil {
		return err
	}
	z, err := fake.ParseZone(zone + strings.ReplaceAll(records, "${IP}", ip))
	if err != nil {
		return err
	}
	tcp, err := listen(ip + ":5353")
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp", ip+":5353")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		_ = fake.Serve(ctx, udp, tcp, z) // ends with ctx
		close(done)
	}()
	r.stopDNS = func() {
		cancel()
		<-done
	}
	return nil
}

// Sender sends letters for both next hops in turn.
func (r *Rig) Sender() Sender {
	return Sender{Addr: r.Addr, Ledger: r.Ledger, Domain: func(n int) string { return []string{"a.gov.test", "b.gov.test"}[n%2] }}
}

// Fault notes that something was broken just now. It is called after the breaking:
// what came twice must have a fault between its copies, or at the second.
func (r *Rig) Fault() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, time.Now())
	r.made++
}

// Faults counts faults of which each was made by something else, such as a script of
// a next hop.
func (r *Rig) Faults(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made += n
}

// Heal has both next hops willing.
func (r *Rig) Heal() error { return errors.Join(r.A.Up(""), r.B.Up("")) }

// Drain has everything tried until nothing waits any more. The next hops must be
// willing.
func (r *Rig) Drain(limit time.Duration) error {
	var left []Kept
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := r.Command("queue", "retry", "all"); err != nil {
			return err
		}
		all, err := r.Queued()
		if err != nil {
			return err
		}
		left = left[:0]
		for _, k := range all {
			if k.State != "dead" && k.State != "corrupt" {
				left = append(left, k)
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d recipients still wait after %v, the first: %+v", len(left), limit, left[0])
}

// Close ends everything.
func (r *Rig) Close() {
	r.Kill()
	if !r.guest {
		r.A.Down()
		r.B.Down()
	}
	_ = r.Ledger.Close() // all was read
}

package faults

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// calls are what the accept and deliver paths ask of the kernel: each is a moment at
// which the program may end.
var calls = []string{"fdatasync", "fsync", "pwrite64", "unlinkat", "write", "openat", "ftruncate"}

// P3: the gateway is killed at the k-th call of each kind, for k over all that a run
// makes. A has deferred each letter once, so each is kept, tried and removed again; B
// takes them at once.
func TestKillAtEveryCall(t *testing.T) {
	tracer(t)
	for _, call := range calls {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{Env: []string{"GOMAXPROCS=1"}})
			total := count(t, r, call)
			points := min(total, times(4, 40))
			killed := 0
			for i := range points {
				k := 1 + i*i*total/(points*points) // the first ones closely: no thread makes all of the calls
				r.Wrap = killer(t, call, k)
				run30(t, r)
				if !r.Alive() {
					r.Fault()
					killed++
				}
				r.Kill() // it may get by with fewer calls than were counted
			}
			t.Logf("killed at %d of %d calls of %s", killed, total, call)
			if 2*killed < points {
				t.Errorf("only %d of %d faults were met", killed, points)
			}
			r.Wrap = nil
			finish(t, r, nil)
		})
	}
}

// run30 starts the gateway and sends thirty letters, as far as it lives.
func run30(t *testing.T, r *Rig) {
	t.Helper()
	must(t, r.A.Up("mail 451 4.3.0 not yet x8"))
	if err := r.Start(); err != nil {
		return // killed at its start
	}
	s := r.Sender()
	must(t, ignoreDead(s.Send(15)))
	must(t, ignoreDead(s.Send(15)))
	for end := time.Now().Add(3 * time.Second); r.Alive() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		left, err := r.Queued()
		if err != nil || len(left) == 0 {
			return
		}
	}
}

// killer returns strace with arguments that end the program at its k-th call. Its
// filter in the kernel is left out: with it strace 6.1 injects errors, but no signals.
func killer(t *testing.T, call string, k int) []string {
	t.Helper()
	args := tracer(t, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, k))
	return slices.DeleteFunc(args, func(a string) bool { return a == "--seccomp-bpf" })
}

// ignoreDead forgets an error of the network: the other side was killed.
func ignoreDead(err error) error {
	if err != nil && strings.HasPrefix(err.Error(), "ledger") {
		return err
	}
	return nil
}

// count runs the same load without a fault and counts a call of the busiest thread;
// strace counts for each thread by itself.
func count(t *testing.T, r *Rig, call string) int {
	t.Helper()
	name := filepath.Join(t.TempDir(), "trace")
	run30(t, r) // the first start makes the tables
	_, err := r.Stop()
	must(t, err)
	r.Wrap = tracer(t, "-e", "trace="+call, "-o", name)
	run30(t, r)
	_, err = r.Stop()
	must(t, err)
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	by, most := map[string]int{}, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		pid, rest, _ := strings.Cut(s.Text(), " ")
		if strings.HasPrefix(strings.TrimSpace(rest), call+"(") {
			by[pid]++
			most = max(most, by[pid])
		}
	}
	if most == 0 {
		t.Logf("%s is never called", call)
	}
	return most
}

// P7: the kernel reports EIO. For a sync nothing written before it can be trusted: the
// node answers 451, takes nothing more and says so, and a restart heals it.
func TestDiskErrors(t *testing.T) {
	for _, f := range []struct {
		call, inject string
		k            int  // the first call that fails, or later where the start makes more
		final        bool // the store must stop taking mail
	}{
		{"fdatasync", "error=EIO:when=%d+", 60, true},
		{"fdatasync", "error=EIO:when=%d", 60, true}, // once: what the next sync says is not to be believed
		{"fsync", "error=EIO:when=%d+", 4, true},
		{"pwrite64", "error=EIO:when=%d+", 250, true},
		{"pwrite64", "error=ENOSPC:when=%d+2", 250, false},
		{"openat", "error=EMFILE:when=%d+3", 90, false},
		{"openat", "error=EIO:when=%d+2", 90, false},
		{"unlinkat", "error=EIO:when=%d+", 5, false},
	} {
		t.Run(f.call+" "+fmt.Sprintf(f.inject, f.k), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			must(t, r.A.Up("mail 451 4.3.0 not yet x300")) // each letter is kept, and removed soon after
			must(t, r.Start())                             // the first start makes the tables
			_, err := r.Stop()
			must(t, err)
			startFailing(t, r, f.call, f.inject, f.k)
			s := r.Sender()
			s.Domain = func(int) string { return "a.gov.test" }
			s.Pause = 2 * time.Millisecond
			stop := load(t, s, 4)
			time.Sleep(2 * time.Second) // enough letters to get to the fault and past it
			if f.final {
				checkStopped(t, r)
			}
			stop()
			if !r.Alive() {
				t.Error("the gateway has ended")
			}
			r.Kill()
			r.Fault()
			finish(t, r, nil)
		})
	}
}

// startFailing starts the gateway so that calls fail from the k-th on, or from a later
// one if the start itself does not get past it.
func startFailing(t *testing.T, r *Rig, call, inject string, k int) {
	t.Helper()
	for range 20 {
		r.Wrap = tracer(t, "-e", "trace="+call, "-e", "inject="+call+":"+fmt.Sprintf(inject, k))
		err := r.Start()
		if err == nil {
			return
		}
		if !errors.Is(err, ErrEnded) {
			t.Fatal(err)
		}
		k += k/2 + 1
	}
	t.Fatal("the gateway never starts")
}

// checkStopped wants MAIL refused with 451, and the reason where an operator looks.
func checkStopped(t *testing.T, r *Rig) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(r.Log(), "stopped writing after an I/O error"); {
		if time.Now().After(end) {
			t.Fatal("the fault was never met")
		}
		time.Sleep(50 * time.Millisecond)
	}
	var reply string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && !strings.HasPrefix(reply, "451 4.3.0"); time.Sleep(100 * time.Millisecond) {
		c, err := dial(r.Addr)
		must(t, err)
		reply, _ = c.say(250, "MAIL FROM:<van-thu@so.test>") // 4xx is an error here, and what is wanted
		must(t, c.Close())
	}
	if !strings.HasPrefix(reply, "451 4.3.0") {
		t.Errorf("MAIL is answered %q", reply)
	}
	if out, err := r.Command("check"); err == nil || !strings.Contains(out, "restart") {
		t.Errorf("congthu check says:\n%s", out)
	}
	if text := r.Metrics(t); !strings.Contains(text, "congthu_store_healthy 0") {
		t.Error("the metrics do not say it")
	}
}

// P9: every sync takes 300 ms. Nothing is lost, all of it is slow.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Wrap: tracer(t, "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_enter=300000")})
	r.A.Down()
	must(t, r.Start())
	s := r.Sender()
	s.Size = 2000
	stop := load(t, s, 16)
	time.Sleep(time.Duration(times(4, 20)) * time.Second)
	stop()
	r.Faults(1)
	records, err := r.Ledger.Records()
	must(t, err)
	slow := 0
	for _, rec := range records {
		if took := rec.Said.Sub(rec.Sent); rec.Confirmed && strings.Contains(rec.To[0], "@a.") {
			if took > 300*time.Millisecond {
				slow++
			}
			if took > 60*time.Second {
				t.Errorf("letter %d took %v", rec.N, took)
			}
		}
	}
	if slow == 0 {
		t.Error("the disk was not slow")
	}
	finish(t, r, nil)
}

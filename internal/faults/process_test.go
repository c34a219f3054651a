package faults

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// P8: the process has no descriptors left while forty senders come. It answers 421 or
// 451 or not at all, does not end, and takes mail within five seconds after.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	must(t, r.Start())
	stop := load(t, r.Sender(), 40)
	var old, most unix.Rlimit
	must(t, unix.Prlimit(r.Pid(), unix.RLIMIT_NOFILE, nil, &most))
	for i := range times(3, 20) {
		limit := uint64(18 + 9*(i%4))
		must(t, unix.Prlimit(r.Pid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: most.Max}, &old))
		r.Fault()
		time.Sleep(700 * time.Millisecond)
		must(t, unix.Prlimit(r.Pid(), unix.RLIMIT_NOFILE, &old, nil))
		r.Fault()
		if !r.Alive() {
			t.Fatal("the gateway has ended")
		}
		takesAgain(t, r, 5*time.Second)
	}
	stop()
	finish(t, r, nil)
}

// P16: the gateway is told to end under load, again and again, and reloads its rules in
// between. Nothing is lost, nothing comes twice, refused is only with 421, and it ends
// within 30 seconds.
func TestTermUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	s := r.Sender()
	s.Pause = 20 * time.Millisecond
	must(t, r.Start())
	stop := load(t, s, 8)
	for i := range times(5, 50) {
		time.Sleep(200 * time.Millisecond)
		r.Signal(unix.SIGHUP)
		time.Sleep(200 * time.Millisecond)
		took, err := r.Stop()
		must(t, err)
		if took > 30*time.Second {
			t.Errorf("it took %v to end", took)
		}
		r.Faults(1)
		mood(t, r.A, []string{"mail 451 4.3.2 busy x30", ""}[i%2]) // now: a next hop that hangs up is a fault of its own
		must(t, r.Start())
	}
	stop()
	records, err := r.Ledger.Records()
	must(t, err)
	for _, rec := range records {
		if rec.Reply != "" && !rec.Confirmed && !strings.HasPrefix(rec.Reply, "421") {
			t.Errorf("letter %d: %s", rec.N, rec.Reply)
		}
	}
	finish(t, r, nil)
}

// P23: a second gateway on the same data directory refuses to start and says why; the
// first goes on.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	must(t, r.Start())
	out, err := exec.Command(r.Bin, "serve", "--config", r.Config, "--lang", "en").CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 69 || !strings.Contains(string(out), fmt.Sprint(r.Pid())) {
		t.Errorf("%v\n%s", err, out)
	}
	r.Fault()
	must(t, r.Sender().Send(20))
	finish(t, r, nil)
}

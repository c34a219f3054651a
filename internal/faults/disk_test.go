package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mount mounts something for the length of the test, or skips.
func mount(t *testing.T, dir string, args ...string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount (mount %s): %s", strings.Join(args, " "), strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { unmount(t, dir) })
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	for range 50 { // a process that was just killed may still have files open
		if err := unix.Unmount(dir, 0); err == nil || errors.Is(err, unix.EINVAL) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Error(err)
	}
}

// P6, G44: a disk of 8 or 24 MiB (the store keeps a log of up to 16), or one without inodes,
// runs full under letters of 1 MiB.
// Whoever does not fit is told 452 4.3.1 and nothing else; when there is room again
// all of them arrive and mail is taken as before.
func TestDiskFull(t *testing.T) {
	for _, f := range []struct{ name, options, config string }{
		{"guarded", "size=24m", "message_size = 1200000\ndisk_reserve = 5\n"},
		{"unguarded", "size=8m", "message_size = 1200000\ndisk_reserve = 0\n"}, // ballast comes while letters are written
		{"inodes", "size=64m,nr_inodes=24", "message_size = 1200000\ndisk_reserve = 0\n"},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "disk")
			mount(t, dir, "-t", "tmpfs", "-o", f.options, "none")
			must(t, os.Chmod(dir, 0o700))
			r := newRig(t, Options{Data: filepath.Join(dir, "data"), Config: "[limits]\n" + f.config})
			r.A.Down()
			r.B.Down()
			must(t, r.Start())
			if f.name == "unguarded" {
				ballast(t, filepath.Join(dir, "ballast"), 3<<20)
			}
			s := r.Sender()
			s.Size = 1 << 20
			fill(t, s, 100)
			r.Fault()
			v, err := r.Look(time.Time{}, nil)
			must(t, err)
			if v.Acknowledged == 0 || v.Denied == 0 {
				t.Errorf("%d acknowledged, %d deferred: the disk did not run full", v.Acknowledged, v.Denied)
			}
			onlyFull(t, r)
			_ = os.Remove(filepath.Join(dir, "ballast")) // there may be none
			must(t, r.Heal())
			must(t, r.Drain(60*time.Second))
			takesAgain(t, r, 10*time.Second)
			finish(t, r, nil)
		})
	}
}

// ballast fills a disk but for some octets: less than one letter may be left.
func ballast(t *testing.T, name string, size int) {
	t.Helper()
	must(t, os.WriteFile(name, make([]byte, size), 0o600))
}

// fill sends n letters over eight connections, whatever the replies.
func fill(t *testing.T, s Sender, n int) {
	t.Helper()
	done := make(chan error, 8)
	for range cap(done) {
		go func() { done <- s.Send(n / cap(done)) }()
	}
	for range cap(done) {
		must(t, <-done)
	}
}

// onlyFull wants 452 4.3.1 for everything that was not taken.
func onlyFull(t *testing.T, r *Rig) {
	t.Helper()
	records, err := r.Ledger.Records()
	must(t, err)
	for _, rec := range records {
		if !rec.Confirmed && !strings.HasPrefix(rec.Reply, "452 4.3.1") && rec.Reply != "" {
			t.Errorf("letter %d: %s", rec.N, rec.Reply)
			return
		}
	}
}

// takesAgain wants a letter acknowledged within some time.
func takesAgain(t *testing.T, r *Rig, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if c, err := dial(r.Addr); err == nil {
			l, err := r.Ledger.Begin("b.gov.test", 2000)
			must(t, err)
			reply, _ := c.transact(l) // "" is no reply, and none is good
			_ = c.Close()             // the reply is what counts
			must(t, r.Ledger.Said(l.N, reply))
			if strings.HasPrefix(reply, "250") {
				return
			}
		}
	}
	t.Errorf("nothing is taken %v after the trouble is over", limit)
}

// P4: the power is cut at random moments: what has reached the disk by then, and
// nothing else, is what a gateway finds that starts on it. It has every letter that
// was acknowledged before the cut and had not been delivered.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	image, live := filepath.Join(dir, "image"), filepath.Join(dir, "live")
	makeImage(t, image)
	mount(t, live, "-o", "loop", image)
	must(t, os.Chmod(live, 0o700))
	r := newRig(t, Options{Data: filepath.Join(live, "data")})
	r.Ledger.SpamEvery = 11
	must(t, r.Start())
	s := r.Sender()
	s.Pause = 20 * time.Millisecond
	stop := load(t, s, 8)
	var sum Verdict
	for i := range times(3, 50) {
		mood(t, r.A, []string{"down", "mail 451 4.3.2 busy", "", "mail 451 4.3.2 busy x20"}[i%4])
		time.Sleep(time.Duration(200+i*37%300) * time.Millisecond)
		cut := filepath.Join(dir, fmt.Sprint("cut", i))
		from, to := cutPower(t, r, image, cut)
		v := afterCut(t, r, cut, from, to)
		_, err := r.Command("queue", "retry", "all") // or the disk runs full
		must(t, err)
		sum.Figures = sum.Plus(v.Figures)
		sum.Problems = append(sum.Problems, v.Problems...)
		must(t, os.Remove(cut))
	}
	stop()
	must(t, r.Heal())
	v, err := r.Judge(nil)
	must(t, err)
	sum.Acknowledged = 0 // of the letters themselves, whichever cuts they have met
	v.Figures, v.Problems = v.Plus(sum.Figures), append(v.Problems, sum.Problems...)
	report(t, v)
}

func makeImage(t *testing.T, image string) {
	t.Helper()
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("needs mkfs.ext4 (e2fsprogs)")
	}
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 512<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %s", out)
	}
}

// cutPower copies the disk as it is while the gateway stands still. Everything that was
// acknowledged before that must be on the copy; what arrives after it is not its doing.
func cutPower(t *testing.T, r *Rig, image, cut string) (from, to time.Time) {
	t.Helper()
	from = time.Now()
	r.Signal(unix.SIGSTOP)
	out, err := exec.Command("cp", "--sparse=always", image, cut).CombinedOutput()
	to = time.Now()
	r.Signal(unix.SIGCONT)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return from, to
}

// afterCut starts a second gateway on the copy, with a name of its own, and judges
// what was acknowledged before the cut: delivered before it, or found on the disk.
func afterCut(t *testing.T, r *Rig, cut string, from, to time.Time) *Verdict {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, err := os.MkdirTemp(r.Dir, "after")
	must(t, err)
	disk := filepath.Join(dir, "disk")
	must(t, os.Mkdir(disk, 0o700))
	if out, err := exec.Command("mount", "-o", "loop", cut, disk).CombinedOutput(); err != nil {
		t.Fatalf("the copy cannot be mounted: %s", out)
	}
	defer unmount(t, disk)
	other, err := New(ctx, r.Bin, rules, dir, Options{Data: filepath.Join(disk, "data"), Name: filepath.Base(cut), Beside: r})
	must(t, err)
	defer other.Close()
	mood(t, r.A, "")
	must(t, other.Start())
	must(t, other.Drain(60*time.Second))
	c, err := other.evidence()
	must(t, err)
	c.Records, err = r.Ledger.Records()
	must(t, err)
	c.Arrivals = append(c.Arrivals, before(r.arrivals(), to)...)
	c.Until, c.Faults = from, append(c.Faults, to)
	v := Judge(c)
	v.Faults = 1
	return v
}

// before returns what had arrived by then, once each: what came twice is counted where
// the live gateway is judged.
func before(all []Arrival, to time.Time) (out []Arrival) {
	seen := map[string]bool{}
	for _, a := range slices.Backward(all) {
		if key := strings.Join(a.To, " "); a.At.Before(to) && !seen[key] {
			seen[key] = true
			out = append(out, a)
		}
	}
	return out
}

package queue

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"congthu/internal/figures"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// The crash tests run this test binary again as a child that can be killed. The
// child puts and says what was acknowledged; the parent kills it and looks.
const (
	childEnv  = "CONGTHU_TEST_CHILD" // what the child does
	childDir  = "CONGTHU_TEST_DIR"
	childSeed = "CONGTHU_TEST_SEED" // makes the ids of one child unlike those of another
	producers = 8
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "limit": // no file may grow beyond 1 MB
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
			fmt.Println("fail", err)
		}
	}
	child()
}

// child puts for ever from several producers, and delivers at the same time. Each
// line it writes is one system call, so a line that was read was acknowledged.
func child() {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }
	db, err := store.Open(context.Background(), store.Options{Dir: os.Getenv(childDir)})
	if err != nil {
		say("fail %v", err)
		os.Exit(1)
	}
	h := &hop{answer: func(_ context.Context, t *msg.Transfer) []msg.Reply {
		out := make([]msg.Reply, len(t.To))
		for i, to := range t.To {
			if out[i] = []msg.Reply{ok250, try450, {}}[rand.IntN(3)]; out[i].Code == 250 {
				say("sent %s %s %d", t.ID, to, store.Checksum(t.Content...))
			}
		}
		return out
	}}
	q := New(Options{Store: db, Deliver: h, Backoff: func(int) time.Duration { return 20 * time.Millisecond }})
	if os.Getenv(childEnv) == "deliver" {
		go func() { _ = q.Run(context.Background()) }()
	}
	var wg sync.WaitGroup
	for p := range producers {
		if p > 0 && os.Getenv(childEnv) == "one" {
			break
		}
		wg.Go(func() {
			for i := 0; ; i++ {
				t := childLetter(fmt.Sprintf("%s-%d-%d", os.Getenv(childSeed), p, i))
				if err := q.Put(context.Background(), t); err != nil {
					say("refused %s", t.ID)
					time.Sleep(5 * time.Millisecond)
					continue
				}
				say("ack %s", t.ID)
			}
		})
	}
	wg.Wait()
}

// childLetter is a message that the parent can make again from its id. Every
// fourth is large enough to be a file.
func childLetter(id string) *msg.Transfer {
	n := 10 << 10
	if strings.HasSuffix(id, "3") || strings.HasSuffix(id, "7") {
		n = 300 << 10
	}
	seed := rand.NewPCG(uint64(store.Checksum([]byte(id))), 7)
	body := make([]byte, n)
	for i := 0; i < n; i += 8 {
		copy(body[i:], strconv.FormatUint(seed.Uint64(), 36))
	}
	return &msg.Transfer{
		ID: id, NextHop: "hop:25", From: path("s@so-mau.gov.test"), To: []msg.Path{path("a@x.test"), path("b@x.test")},
		Content: [][]byte{[]byte("Received: x\r\n"), body},
	}
}

// spawn starts a child in dir, perhaps under another program, and returns it and
// what it says.
func spawn(t *testing.T, dir, mode string, seed int, wrap ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+mode, childDir+"="+dir, fmt.Sprintf("%s=c%d", childSeed, seed))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// TestKill kills the program at random moments, many times, and accounts for
// every recipient of every message that was ever acknowledged: it is in the queue
// with its octets, or it was sent with its octets.
func TestKill(t *testing.T) {
	kills := 20
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		kills = 200
	}
	dir := t.TempDir()
	l := &ledger{acked: map[string]bool{}, sent: map[string]uint32{}}
	for i := range kills {
		cmd, out := spawn(t, dir, []string{"put", "deliver"}[i%2], i)
		first := bufio.NewReader(out)
		line, err := first.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(rand.IntN(40_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		l.round = map[string]bool{}
		l.read(io.MultiReader(strings.NewReader(line), first))
		_ = cmd.Wait() // killed
	}
	if len(l.other) > 0 {
		t.Errorf("children said: %q", l.other)
	}
	q, db := reopen(t, dir)
	lost, queued := 0, inQueue(t, q)
	for id := range l.acked {
		want := store.Checksum(childLetter(id).Content...)
		for _, to := range []string{"a@x.test", "b@x.test"} {
			key := id + " " + to
			if sum, ok := l.sent[key]; !queued[key] && (!ok || sum != want) {
				lost++
				t.Errorf("lost %s", key)
			}
		}
	}
	checkContents(t, q, queued)
	files, err := filepath.Glob(filepath.Join(dir, "bodies", "*"))
	if err != nil {
		t.Fatal(err)
	}
	sum := figures.Figures{Acknowledged: 2 * len(l.acked), Lost: lost, Duplicates: l.again, Unexplained: l.twice, Faults: kills}
	t.Logf("%v; %d recipients sent, %d queued, %d body files", sum, len(l.sent), len(queued), len(files))
	if err := figures.Add("queue "+t.Name(), sum); err != nil || l.twice > 0 {
		t.Errorf("%d sent twice by the same child; %v", l.twice, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func reopen(t *testing.T, dir string) (*Queue, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(Options{Store: db}), db
}

func inQueue(t *testing.T, q *Queue) map[string]bool {
	t.Helper()
	es, err := q.List(t.Context(), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range es {
		out[e.ID+" "+e.To] = true
	}
	return out
}

// checkContents reads everything that is queued and compares it with what was put,
// whether it had been acknowledged or not: there are no half messages.
func checkContents(t *testing.T, q *Queue, queued map[string]bool) {
	t.Helper()
	for key := range queued {
		id, _, _ := strings.Cut(key, " ")
		got, err := q.load(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if !bytes.Equal(bytes.Join(got.t.Content, nil), bytes.Join(childLetter(id).Content, nil)) {
			t.Errorf("%s: other octets", id)
		}
	}
}

// faults runs a child until it refuses, and checks that what it acknowledged is
// there. After a failure that never heals it must acknowledge nothing; a full disk may
// heal, when the log is folded into the table and its room is used again.
func faults(t *testing.T, mode string, heals bool, wrap ...string) *ledger {
	t.Helper()
	dir := t.TempDir()
	cmd, out := spawn(t, dir, mode, 0, wrap...)
	watchdog := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	l := &ledger{acked: map[string]bool{}, sent: map[string]uint32{}}
	r := bufio.NewReader(out)
	refused, by := 0, map[string]bool{} // producers that were refused; another's acknowledgement may only be printed late
	for refused < 3*producers {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d refusals: %v", refused, err)
		}
		if strings.HasPrefix(line, "refused") {
			refused++
			by[producer(line)] = true
			continue
		}
		if !heals && by[producer(line)] {
			t.Errorf("acknowledged after the disk had failed: %s", line)
		}
		l.read(strings.NewReader(line))
	}
	end(t, dir, cmd, r)
	q, _ := reopen(t, dir)
	queued := inQueue(t, q)
	for id := range l.acked {
		if !queued[id+" a@x.test"] {
			t.Errorf("lost %s", id)
		}
	}
	checkContents(t, q, queued)
	t.Logf("%d acknowledged before the failure, %d in the queue after it", len(l.acked), len(queued)/2)
	return l
}

// producer is the second part of the id in a line of a child.
func producer(line string) string {
	parts := strings.Split(line, "-")
	return parts[min(1, len(parts)-1)]
}

// end kills a child, which may run under a tracer; the lock file knows its
// process id. A tracer then ends by itself.
func end(t *testing.T, dir string, cmd *exec.Cmd, r io.Reader) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "congthu.lock"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		t.Fatal(pid, err)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
	_, _ = io.Copy(io.Discard, r)
	_ = cmd.Wait() // killed
}

// TestFileSizeLimit: writes fail with EFBIG.
func TestFileSizeLimit(t *testing.T) {
	if l := faults(t, "limit", true); len(l.acked) == 0 {
		t.Error("nothing was acknowledged before the limit")
	}
}

// tracer returns strace with its arguments, or skips.
func tracer(t *testing.T, args ...string) []string {
	t.Helper()
	name, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	if out, err := exec.Command(name, "-f", "--seccomp-bpf", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	return append([]string{name, "-f", "--seccomp-bpf"}, args...)
}

// TestSyncFails: the kernel reports EIO for a sync of the log, and later for
// none; the store must not believe it. The first dozens are those of its opening.
func TestSyncFails(t *testing.T) {
	for _, inject := range []string{"fdatasync:error=EIO:when=40", "fsync:error=EIO:when=12"} {
		t.Run(inject, func(t *testing.T) {
			call, _, _ := strings.Cut(inject, ":")
			faults(t, "put", false, tracer(t, "-o", os.DevNull, "-e", "trace="+call, "-e", "inject="+inject)...)
		})
	}
}

// TestSyncedBeforeAck looks at the system calls of one producer: between the
// last write to the log and an acknowledgement there is a finished sync, and a
// body file and its directory are synced before the log is.
func TestSyncedBeforeAck(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	wrap := tracer(t, "-o", trace, "-y", "-s", "16", "-e", "trace=pwrite64,fdatasync,fsync,write")
	dir := t.TempDir()
	cmd, out := spawn(t, dir, "one", 0, wrap...)
	r := bufio.NewReader(out)
	for range 20 {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	end(t, dir, cmd, r)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	acks, bodies, dirty := 0, 0, map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		switch name := tracedFile(line); {
		case strings.Contains(line, `"ack `):
			acks++
			if len(dirty) > 0 {
				t.Errorf("not synced: %v, before %s", dirty, line)
			}
		case strings.Contains(line, "sync(") && !strings.Contains(line, "= -1"):
			delete(dirty, name)
		case strings.HasSuffix(name, "-wal"):
			dirty[name] = true
		case strings.Contains(name, "/bodies/"):
			bodies++
			dirty[name], dirty[filepath.Dir(name)] = true, true
		}
	}
	if acks < 20 || bodies == 0 {
		t.Errorf("saw %d acknowledgements and %d writes of body files in the trace", acks, bodies)
	}
}

// tracedFile returns the path in a line such as
// 123 pwrite64(5</data/congthu.db-wal>, "...
// and "" for the log, the index and other files that need no sync of their own.
func tracedFile(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	name, _, _ := strings.Cut(rest, ">")
	return name
}

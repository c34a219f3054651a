package sandbox

import (
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addressing is how much address space goes with an octet of memory: the Go runtime and
// malloc reserve far more than they use.
const addressing = 4

type resource struct {
	name  string
	what  int
	value uint64
}

// limit sets the resource limits. Processes are counted for a user in all, so they are
// limited only where the worker has a user namespace and is counted alone; seccomp
// allows it no child anyway.
func limit(l Limits) error {
	limits := []resource{
		{"core", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"open files", unix.RLIMIT_NOFILE, 32},
	}
	if l.Memory > 0 {
		limits = append(limits, resource{"memory", unix.RLIMIT_DATA, l.Memory}, resource{"address space", unix.RLIMIT_AS, addressing * l.Memory})
	}
	if ownUsers() {
		limits = append(limits, resource{"processes", unix.RLIMIT_NPROC, 128})
	}
	for _, x := range limits {
		if err := unix.Setrlimit(x.what, &unix.Rlimit{Cur: x.value, Max: x.value}); err != nil {
			return fmt.Errorf("sandbox: %s: %w", x.name, err)
		}
	}
	return nil
}

// ownUsers tells whether the process is in a user namespace of its own: there the map
// of users does not go over all of them (user_namespaces(7)).
func ownUsers() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}

// Spend lets the process use so much CPU time from now on, on all threads together;
// beyond it the kernel ends it. Each message has its own.
func Spend(d time.Duration) error {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("sandbox: CPU used: %w", err)
	}
	seconds := used.Utime.Sec + used.Stime.Sec + 2 + int64(d/time.Second) // RLIMIT_CPU counts whole seconds
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: uint64(seconds), Max: unix.RLIM_INFINITY}); err != nil {
		return fmt.Errorf("sandbox: CPU: %w", err)
	}
	return nil
}

// Purse is the CPU time of one message after another. The zero value is empty.
type Purse struct {
	filled time.Time
	most   time.Duration
}

// Fill lets the next message have at least so much, as Spend does. For small letters one
// after the other that is done once a second, since asking the kernel takes longer than
// their types: what the others can have used of it meanwhile, on two processors, is on top.
func (p *Purse) Fill(d time.Duration) error {
	const often = time.Second
	if d <= p.most && time.Since(p.filled) < often {
		return nil
	}
	p.filled, p.most = time.Now(), d
	return Spend(d + 2*often)
}

// plainCPUSignal gives SIGXCPU back its meaning: the Go runtime takes the signal and
// does nothing, the kernel ends the process.
func plainCPUSignal() error {
	var act [4]uintptr                                                                                                       // struct sigaction of the kernel with a mask of 8 octets: SIG_DFL
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGXCPU), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0) //nolint:gosec // the call takes a pointer
	if errno != 0 {
		return fmt.Errorf("sandbox: SIGXCPU: %w", errno)
	}
	return nil
}

// Package sandbox takes away from the scan worker everything that it does not need
// once its rules are compiled: files, network, other programs, core dumps. A flaw in
// a parser then yields a process that can compute, and answer on the one socket that
// it has.
//
// Two fences stand inside each other. Resource limits hold on any Unix. The seccomp
// filter is set on all threads at once (SECCOMP_FILTER_FLAG_TSYNC): libyara comes with
// cgo, where threads exist before main.
package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Limits are the resource limits of a worker.
type Limits struct {
	Memory uint64 // octets of address space; 0: as it is
}

// Enter closes the process in and returns the names of the fences that now stand: on a
// machine whose kernel or container has no seccomp(2) there is one fewer, which the
// daemon logs. On an error the process must not read anything untrusted.
func Enter(l Limits) ([]string, error) {
	if err := limit(l); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("sandbox: dumpable: %w", err)
	}
	fences := []string{"rlimit", "no_new_privs"}
	switch err := filter(); {
	case err == nil:
		return append(fences, "seccomp"), nil
	case absent(err):
		return fences, nil
	default:
		return nil, err
	}
}

// absent tells that there is no seccomp here: none in the kernel (ENOSYS, EINVAL), or a
// container around us that forbids the call (EPERM; with no_new_privs the kernel itself
// gives no such answer).
func absent(err error) bool {
	return errors.Is(err, errSeccomp) && (errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM))
}

func limit(l Limits) error {
	limits := []struct {
		name  string
		what  int
		value uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"open files", unix.RLIMIT_NOFILE, 64},
		{"memory", unix.RLIMIT_AS, l.Memory},
	}
	for _, x := range limits {
		if x.name == "memory" && x.value == 0 {
			continue
		}
		if err := unix.Setrlimit(x.what, &unix.Rlimit{Cur: x.value, Max: x.value}); err != nil {
			return fmt.Errorf("sandbox: %s: %w", x.name, err)
		}
	}
	return nil
}

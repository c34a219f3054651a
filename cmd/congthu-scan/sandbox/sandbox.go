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
	"fmt"

	"golang.org/x/sys/unix"
)

// Limits are the resource limits of a worker.
type Limits struct {
	Memory uint64 // octets of address space; 0: as it is
}

// Enter closes the process in and returns the names of the fences that now stand. On
// an error the process must not read anything untrusted.
func Enter(l Limits) ([]string, error) {
	if err := limit(l); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("sandbox: dumpable: %w", err)
	}
	if err := filter(); err != nil {
		return []string{"rlimit"}, err
	}
	return []string{"rlimit", "no_new_privs", "seccomp"}, nil
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

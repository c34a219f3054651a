// Package sandbox takes away from the scan worker everything that it does not need
// once its rules are compiled: files, network, other programs, core dumps. A flaw in
// a parser then yields a process that can compute, and answer on the one socket that
// it has.
//
// Three fences stand inside each other. Resource limits hold on any Unix. Landlock takes
// away the files and the ports, whatever call is used to reach them. The seccomp filter
// takes away the calls; it is set on all threads at once (SECCOMP_FILTER_FLAG_TSYNC):
// libyara comes with cgo, where threads exist before main. The fourth, a network
// namespace with nothing in it, is the daemon's to put up when it starts the worker.
package sandbox

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"

	"congthu/internal/scanproto"
)

// Limits are the resource limits of a worker.
type Limits struct {
	Memory uint64 // octets that it may write to; 0: as it is
}

// Enter closes the process in and returns the names of the fences that now stand, in
// the words of scanproto: on a machine whose kernel or container lacks Landlock or
// seccomp(2) there are fewer, which the daemon logs or does not accept. On an error the
// process must not read anything untrusted.
func Enter(l Limits) ([]string, error) { return enter(l, filter) }

func enter(l Limits, filter func() error) ([]string, error) {
	if err := limit(l); err != nil {
		return nil, err
	}
	if err := plainCPUSignal(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("sandbox: dumpable: %w", err)
	}
	if _, _, errno := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return nil, fmt.Errorf("sandbox: no_new_privs: %w", errno)
	}
	fences := []string{scanproto.Rlimits, scanproto.NoNewPrivs}
	abi, err := landlock()
	if err != nil {
		return nil, err
	}
	if abi > 0 {
		fences = append(fences, scanproto.Landlock+strconv.Itoa(abi))
	}
	switch err := filter(); {
	case err == nil:
		return append(fences, scanproto.Seccomp), nil
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

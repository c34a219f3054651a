package sandbox

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// Only seccomp's own absence is lived with; every other trouble ends the worker.
func TestAbsent(t *testing.T) {
	for err, want := range map[error]bool{
		fmt.Errorf("%w: %w", errSeccomp, unix.ENOSYS):             true,
		fmt.Errorf("%w: %w", errSeccomp, unix.EINVAL):             true,
		fmt.Errorf("%w: %w", errSeccomp, unix.EPERM):              true,
		fmt.Errorf("%w: %w", errSeccomp, unix.EFAULT):             false,
		fmt.Errorf("sandbox: no_new_privs: %w", unix.EPERM):       false,
		fmt.Errorf("sandbox: seccomp: thread 7 cannot be fenced"): false,
	} {
		if absent(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

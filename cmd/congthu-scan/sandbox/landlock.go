package sandbox

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// landlock gives up every right that this kernel's Landlock knows: no file can be opened,
// made or removed, no port bound or connected to, no abstract socket reached. It returns the kernel's ABI, 0 when it has no Landlock or the
// container around us forbids the call. no_new_privs must be set.
//
// Landlock holds a thread, not a process, and threads exist before main where C is
// linked in: psx makes the call on all of them. It begins with the thread that it runs on
// and then lists the others, so one right remains, to list the process's own threads.
func landlock() (abi int, err error) {
	abi, err = landlockABI()
	if abi == 0 || err != nil {
		return 0, err
	}
	attr := rights(abi)
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0) //nolint:gosec // the call takes a pointer
	if errno != 0 {
		return 0, fmt.Errorf("sandbox: landlock ruleset: %w", errno)
	}
	defer unix.Close(int(fd)) //nolint:errcheck // nothing was written
	if err := allowThreadList(int(fd)); err != nil {
		return 0, err
	}
	if _, _, errno := psx.Syscall3(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return 0, fmt.Errorf("sandbox: landlock: %w", errno)
	}
	return abi, nil
}

func allowThreadList(ruleset int) error {
	dir, err := unix.Open("/proc/self/task", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("sandbox: /proc/self/task: %w", err)
	}
	defer unix.Close(dir) //nolint:errcheck // nothing was written
	rule := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_DIR, Parent_fd: int32(dir)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 { //nolint:gosec // the call takes a pointer
		return fmt.Errorf("sandbox: landlock rule: %w", errno)
	}
	return nil
}

func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == 0:
		return int(abi), nil
	case errors.Is(errno, unix.ENOSYS), errors.Is(errno, unix.EOPNOTSUPP), errors.Is(errno, unix.EPERM):
		return 0, nil
	}
	return 0, fmt.Errorf("sandbox: landlock: %w", errno)
}

// rights are all that an ABI can take away (landlock(7)); of the network that is TCP alone,
// neither UDP nor Multipath TCP: the network namespace holds for these. Signals are left out before
// ABI 7: until then threads of one process, each in a domain of its own, could not
// signal each other, which is how the Go runtime preempts.
func rights(abi int) unix.LandlockRulesetAttr {
	fs := uint64(1)<<13 - 1 // from EXECUTE to MAKE_SYM
	if abi >= 2 {
		fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 5 {
		fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fs}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	if abi >= 7 {
		attr.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

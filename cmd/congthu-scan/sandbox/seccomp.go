package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16 // low half: both machines are little-endian
	offsetArg1   = 24
)

// errSeccomp says that seccomp(2) itself answered with an error.
var errSeccomp = errors.New("sandbox: seccomp")

// filter lets through what a program without files, network or children calls.
// Everything else fails with EPERM, so that a library's attempt is an error it can
// report; another machine's calling convention kills.
func filter() error {
	program := program(allowed())
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) //nolint:gosec // seccomp(2) takes a pointer
	if errno != 0 {
		return fmt.Errorf("%w: %w", errSeccomp, errno)
	}
	if thread != 0 {
		return fmt.Errorf("sandbox: seccomp: thread %d cannot be fenced in", thread)
	}
	return nil
}

func program(numbers []uint32) []unix.SockFilter {
	p := []unix.SockFilter{
		load(offsetArch),
		jumpEqual(auditArch, 1, 0),
		give(unix.SECCOMP_RET_KILL_PROCESS),
		load(offsetNumber),
	}
	// a new thread, not a new process; clone3 hides its flags, so the C library is
	// told to use clone
	p = append(p,
		jumpEqual(unix.SYS_CLONE3, 0, 1), give(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)),
		jumpEqual(unix.SYS_CLONE, 0, 4),
		load(offsetArg0),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_THREAD, Jt: 0, Jf: 1},
		give(unix.SECCOMP_RET_ALLOW),
		give(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)),
	)
	// its own CPU time, which Spend counts anew, and no other limit
	p = append(p,
		jumpEqual(unix.SYS_PRLIMIT64, 0, 6),
		load(offsetArg0), jumpEqual(0, 0, 3),
		load(offsetArg1), jumpEqual(unix.RLIMIT_CPU, 0, 1), give(unix.SECCOMP_RET_ALLOW),
		give(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)),
	)
	for _, n := range numbers {
		p = append(p, jumpEqual(n, 0, 1), give(unix.SECCOMP_RET_ALLOW))
	}
	return append(p, give(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jumpEqual(k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func give(verdict uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: verdict}
}

// allowed are the calls of the Go runtime, of malloc and threads, and of reading and
// writing what is open already.
func allowed() []uint32 {
	return append(machine(),
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_RECVMSG, unix.SYS_SENDMSG, unix.SYS_RECVFROM, unix.SYS_SENDTO,
		unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK, unix.SYS_FCNTL, unix.SYS_SHUTDOWN, unix.SYS_GETSOCKOPT,
		unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_PIPE2, unix.SYS_PPOLL,
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
		unix.SYS_FUTEX, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER, unix.SYS_SET_TID_ADDRESS,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL, unix.SYS_RESTART_SYSCALL,
		unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_NANOSLEEP, unix.SYS_GETTIMEOFDAY,
		unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETCPU, unix.SYS_GETRANDOM, unix.SYS_GETRUSAGE, unix.SYS_UNAME,
		unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_EXIT, unix.SYS_EXIT_GROUP)
}

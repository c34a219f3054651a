package attach

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"congthu/internal/lang"
	"congthu/internal/scanproto"
)

// spawn starts a worker program in a network namespace of its own, where nothing but a
// loopback that is down exists: that holds for every protocol and every call. Root may
// make one, others with a user namespace around it; where neither is allowed, the worker
// starts without, and the fences that it puts up itself remain. It never gets a process
// namespace: C libraries that find their threads in /proc would look at the wrong one.
func spawn(o Options, files ...*os.File) (*exec.Cmd, []string, error) {
	cmd := program(o, files)
	isolate(cmd.SysProcAttr, os.Getuid(), os.Getgid())
	if err := cmd.Start(); err == nil {
		return cmd, []string{scanproto.Network}, nil
	}
	cmd = program(o, files)
	return cmd, nil, cmd.Start()
}

func program(o Options, files []*os.File) *exec.Cmd {
	cmd := exec.Command(o.Worker)
	// An arena of malloc for each thread would spend the worker's memory on reserves.
	cmd.Env = append([]string{"GOMAXPROCS=2", "GOTRACEBACK=single", "MALLOC_ARENA_MAX=2"}, o.Env...)
	cmd.Stderr = &logWriter{log: o.Log}
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the daemon
	cmd.WaitDelay = time.Second
	return cmd
}

func isolate(a *syscall.SysProcAttr, uid, gid int) {
	a.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
	if uid == 0 {
		return
	}
	a.Cloneflags |= syscall.CLONE_NEWUSER
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
}

// weak is why a strict daemon does not start.
func weak(missing []string) error {
	list := strings.Join(missing, ", ")
	return &lang.Problem{What: lang.T(
		"bộ quét thiếu lớp bảo vệ: "+list+"; nhân hoặc container này không cho. Bật chúng lên, hoặc đặt [scan] strict = false",
		"the scan worker lacks fences: "+list+"; this kernel or container does not give them. Enable them, or set [scan] strict = false")}
}

// Fences returns what stands around the workers, in the words of scanproto. When they
// differ, only what stands around all of them counts.
func (p *Pool) Fences() []string {
	gen, err := p.current()
	if err != nil {
		return nil
	}
	return gen.fences
}

// common returns what is in both lists.
func common(a, b []string) (out []string) {
	for _, s := range a {
		for _, t := range b {
			if s == t {
				out = append(out, s)
			}
		}
	}
	return out
}

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poison sends a letter as LETTER does and kills the worker that looks at it: only one
// that has been at work since the letter came, never an idle one. The case has rules that
// take long enough.
func (p *player) poison(rest string) error {
	signal := syscall.SIGKILL // as when memory runs out: libyara survives some of the others
	if strings.Contains(rest, " signal=SEGV ") {
		signal = syscall.SIGSEGV
	}
	before := map[int]int{}
	for _, pid := range p.g.workers() {
		before[pid] = ticks(pid)
	}
	done := make(chan error, 1)
	go func() { done <- p.letter(rest) }()
	killed := false
	for deadline := time.Now().Add(patience); ; {
		select {
		case err := <-done:
			if !killed {
				err = errors.Join(err, errors.New("the letter was looked at before any worker was seen at work"))
			}
			return err
		case <-time.After(10 * time.Millisecond):
		}
		if pid := p.busy(before); pid > 0 && !killed {
			killed = syscall.Kill(pid, signal) == nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer; a worker was killed: %v", killed)
		}
	}
}

// busy returns a worker that has worked for a tenth of a second since it had those ticks.
func (p *player) busy(before map[int]int) int {
	for _, pid := range p.g.workers() {
		had, known := before[pid]
		if !known {
			before[pid] = ticks(pid) // it has started meanwhile, which is work of its own
			continue
		}
		if ticks(pid)-had >= 10 {
			return pid
		}
	}
	return 0
}

// ticks is the processor time of a process, in hundredths of a second (proc(5): stat).
func ticks(pid int) int {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, rest, ok := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(rest))
	if err != nil || !ok || len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

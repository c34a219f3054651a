package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// terminal is a terminal of 80 columns and 24 lines in which an operator's command runs,
// as tmux draws it.
type terminal struct{ socket string }

// tmux runs a command of tmux on a server of our own.
func (t *terminal) tmux(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "tmux", append([]string{"-S", t.socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

// open starts a command, which the terminal outlives.
func (p *player) open(command string) error {
	p.shut()
	p.term = &terminal{socket: p.g.Dir + "/tmux"}
	args := strings.Fields(p.fill(command))
	line := "env LANG=C.UTF-8 " + p.g.bin + " --config " + p.g.config + " " + strings.Join(args, " ") + "; echo status $?; sleep 60"
	_, err := p.term.tmux("new-session", "-d", "-x", "80", "-y", "24", line)
	return err
}

// shut ends the terminal and what runs in it.
func (p *player) shut() {
	if p.term != nil {
		_, _ = p.term.tmux("kill-server") // it may have ended
		p.term = nil
	}
}

// press sends keys, each a word as tmux names it: j, Enter, C-r.
func (p *player) press(keys string) error {
	if p.term == nil {
		return fmt.Errorf("no terminal is open: TERMINAL COMMAND")
	}
	_, err := p.term.tmux(append([]string{"send-keys"}, strings.Fields(keys)...)...)
	return err
}

// screen waits until what is drawn matches.
func (p *player) screen(want string) error {
	re, err := regexp.Compile(p.fill(want))
	if err != nil || p.term == nil {
		return fmt.Errorf("SCREEN~ REGEXP in an open terminal: %w", err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if p.out, err = p.term.tmux("capture-pane", "-p"); err != nil || re.MatchString(p.out) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the screen stays:\n%s", p.out)
		}
	}
}

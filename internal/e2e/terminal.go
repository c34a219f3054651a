package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// terminal is a terminal in which an operator's command runs, as tmux draws it.
type terminal struct {
	socket string
	raw    string // file with every octet that the command has written
}

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

// sized is COLUMNSxLINES before a command.
var sized = regexp.MustCompile(`^([1-9][0-9]*)x([1-9][0-9]*) (.*)`)

// open starts a command, which the terminal outlives. It begins when all that it writes is
// kept.
func (p *player) open(command string) error {
	p.shut()
	columns, lines := "80", "24"
	if m := sized.FindStringSubmatch(command); m != nil {
		columns, lines, command = m[1], m[2], m[3]
	}
	p.terms++ // the server of the one before may still be ending
	p.term = &terminal{socket: fmt.Sprint(p.g.Dir, "/tmux", p.terms), raw: p.g.Dir + "/drawn"}
	if err := os.WriteFile(p.term.raw, nil, 0o600); err != nil {
		return err
	}
	args := strings.Fields(p.fill(command))
	line := "read go; env LANG=C.UTF-8 " + p.g.bin + " --config " + p.g.config + " " + strings.Join(args, " ") + "; echo status $?; sleep 60"
	for _, do := range [][]string{{"new-session", "-d", "-x", columns, "-y", lines, line}, {"pipe-pane", "cat >>" + p.term.raw}, {"send-keys", "Enter"}} {
		if _, err := p.term.tmux(do...); err != nil {
			return err
		}
	}
	return nil
}

// drawn compares the octets that the command has written with an expression, and waits until
// they match if they shall.
func (p *player) drawn(want bool) func(string) error {
	return func(rest string) error {
		re, err := regexp.Compile(rest)
		if err != nil || p.term == nil {
			return fmt.Errorf("DRAWN~ REGEXP of an open terminal: %w", err)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			raw, err := os.ReadFile(p.term.raw)
			if err != nil || len(raw) > 0 && re.Match(raw) == want {
				return err
			}
			if !want || time.Now().After(deadline) {
				return fmt.Errorf("what was written is:\n%q", raw)
			}
		}
	}
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

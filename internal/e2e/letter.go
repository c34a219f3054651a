package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// edit replaces a text in a file of the gateway's directory: FILE OLD => NEW, where \n in
// NEW is a line end.
func (p *player) edit(rest string) error {
	name, change, _ := strings.Cut(rest, " ")
	old, fresh, ok := strings.Cut(change, " => ")
	if !ok {
		return fmt.Errorf("EDIT FILE OLD => NEW")
	}
	name = filepath.Join(p.g.Dir, filepath.FromSlash(name))
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !strings.Contains(string(data), old) {
		return fmt.Errorf("the file has no %q", old)
	}
	return os.WriteFile(name, []byte(strings.Replace(string(data), old, unescape(fresh), 1)), 0o600)
}

// copyFile and moveFile do that to a file of the gateway's directory: FROM TO.
func (p *player) copyFile(rest string) error {
	from, to := p.two(rest)
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

func (p *player) moveFile(rest string) error { return os.Rename(p.two(rest)) }

func (p *player) two(rest string) (from, to string) {
	from, to, _ = strings.Cut(rest, " ")
	return filepath.Join(p.g.Dir, filepath.FromSlash(from)), filepath.Join(p.g.Dir, filepath.FromSlash(to))
}

func (p *player) chmod(rest string) error {
	name, mode, _ := strings.Cut(rest, " ")
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return fmt.Errorf("CHMOD FILE MODE: %w", err)
	}
	return os.Chmod(filepath.Join(p.g.Dir, filepath.FromSlash(name)), os.FileMode(bits))
}

// letter sends one message on a connection of its own and checks the last reply, that
// to the final dot or the first refusal.
func (p *player) letter(rest string) error {
	args, want, ok := strings.Cut(rest, " => ")
	fields := strings.Fields(args)
	if !ok || len(fields) == 0 {
		return fmt.Errorf("LETTER NAME from=A to=B,C [ip=I] [helo=H] => 250")
	}
	raw, found := p.c.Messages[fields[0]]
	if !found {
		return fmt.Errorf("there is no message %q", fields[0])
	}
	opt := map[string]string{"helo": "client.test"}
	for _, f := range fields[1:] {
		k, v, _ := strings.Cut(f, "=")
		opt[k] = v
	}
	got, err := transact(p.g.Addr, commands(opt), raw)
	if err == nil && !answers(got, want) {
		err = fmt.Errorf("the reply is %q", got)
	}
	return err
}

// answers compares a reply with its beginning, or with a ~REGEXP.
func answers(got, want string) bool {
	pattern, isPattern := strings.CutPrefix(want, "~")
	if !isPattern {
		return strings.HasPrefix(got, want)
	}
	matched, err := regexp.MatchString("^"+pattern, got)
	return err == nil && matched
}

// other opens one more connection beside the one that speaks.
func (p *player) other(want string) error {
	c, err := dial(p.g.Addr)
	if err != nil {
		return err
	}
	defer c.conn.Close() //nolint:errcheck // only its greeting counts
	got, err := c.reply()
	if err == nil && !answers(got[0], want) {
		err = fmt.Errorf("the greeting is %q", got[0])
	}
	return err
}

func commands(opt map[string]string) []string {
	var out []string
	if opt["ip"] != "" {
		out = append(out, "EHLO rig.test", "XCLIENT ADDR="+opt["ip"]+" NAME=[UNAVAILABLE]")
	}
	out = append(out, "EHLO "+opt["helo"], "MAIL FROM:<"+opt["from"]+">")
	for _, to := range strings.Split(opt["to"], ",") {
		out = append(out, "RCPT TO:<"+to+">")
	}
	return append(out, "DATA")
}

func transact(addr string, commands []string, raw []byte) (string, error) {
	c, err := dial(addr)
	if err != nil {
		return "", err
	}
	defer c.conn.Close() //nolint:errcheck // everything was said
	if _, err := c.reply(); err != nil {
		return "", err
	}
	for _, line := range commands {
		if err := c.say([]byte(line + "\r\n")); err != nil {
			return "", err
		}
		got, err := c.reply()
		if err != nil {
			return "", fmt.Errorf("%s: %w", line, err)
		}
		if got[0] >= "4" {
			return got[0], nil
		}
	}
	if err := c.say(stuffed(raw)); err != nil {
		return "", err
	}
	got, err := c.reply()
	if err != nil {
		return "", err
	}
	return got[0], nil
}

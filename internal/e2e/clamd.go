package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const clamdProgram = "/usr/sbin/clamd" // Debian's

// clamdAddr is where a case's clamd listens, ${CLAMD} in the config section.
func (g *Gateway) clamdAddr() string { return strings.TrimSuffix(g.Addr, ":2525") + ":3310" }

// clamd starts or ends the real clamd with the signatures of the case: file/NAME.ndb.
func (p *player) clamd(what string) error {
	switch {
	case what == "stop" && p.clam != nil:
		return p.stopClamd()
	case what != "start" || p.clam != nil:
		return errors.New("CLAMD start or CLAMD stop, in turn")
	}
	if _, err := os.Stat(clamdProgram); err != nil {
		return fmt.Errorf("clamd is not installed; `make test` installs clamav-daemon: %w", err)
	}
	config, err := p.clamdConfig()
	if err != nil {
		return err
	}
	p.clam = exec.Command(clamdProgram, "--config-file="+config)
	p.clam.Stdout, p.clam.Stderr = &p.g.log, &p.g.log
	if err := p.clam.Start(); err != nil {
		p.clam = nil
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", p.g.clamdAddr()); err == nil {
			return conn.Close()
		}
	}
	return errors.New("clamd does not listen")
}

// clamdConfig lays the signatures into a directory of their own.
func (p *player) clamdConfig() (string, error) {
	dir := filepath.Join(p.g.Dir, "clamd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for name, data := range p.c.Files {
		if filepath.Ext(name) != ".ndb" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600); err != nil {
			return "", err
		}
	}
	host, port, err := net.SplitHostPort(p.g.clamdAddr())
	if err != nil {
		return "", err
	}
	config := filepath.Join(p.g.Dir, "clamd.conf")
	text := fmt.Sprintf("Foreground yes\nDatabaseDirectory %s\nTemporaryDirectory %s\nTCPAddr %s\nTCPSocket %s\nMaxThreads 2\nAlertExceedsMax yes\n", dir, dir, host, port)
	return config, os.WriteFile(config, []byte(text), 0o600)
}

// stopClamd ends clamd; one that does not end is killed.
func (p *player) stopClamd() error {
	clam := p.clam
	p.clam = nil
	_ = clam.Process.Signal(syscall.SIGTERM) // it may have ended
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = clam.Process.Kill() })
	defer stop()
	_ = clam.Wait() // how it ended is no matter
	return nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sandbox"
	"congthu/cmd/congthu-scan/scan"
	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/scanproto"
)

// memory is what a worker may write to, in octets: the Go runtime, a message of the
// largest size with its parts, and the members of an archive at every depth. The
// collector works harder from tidy on, before the limit ends the worker.
const (
	memory = 1 << 30
	tidy   = memory * 3 / 4
)

// serve answers requests on file descriptor 3, whose objects lie on the tray 5, with the
// rules on 4.
func serve() int {
	if _, err := unix.FcntlInt(3, unix.F_GETFD, 0); err != nil {
		fmt.Fprintln(os.Stderr, "congthu-scan: file descriptor 3 is no socket; the daemon starts this program:", err)
		return exitUsage
	}
	rules, err := compiled(os.NewFile(4, "compiled rules"))
	var view []byte
	if err == nil {
		view, err = objects(os.NewFile(5, "objects"))
	}
	if err == nil {
		err = answer(daemon{os.NewFile(3, "daemon")}, view, rules)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "congthu-scan:", err)
		return exitSoftware
	}
	return 0
}

// compiled reads the rules. All workers have one file with one place to read from, so
// each reads by its own count.
func compiled(f *os.File) (*yarascan.Rules, error) {
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return yarascan.Read(bufio.NewReaderSize(io.NewSectionReader(f, 0, info.Size()), 1<<20))
}

func objects(f *os.File) ([]byte, error) {
	defer f.Close() //nolint:errcheck // only read
	return scanproto.MapTray(f)
}

// daemon is the socket to it. A plain file, on which a thread waits that the kernel wakes
// when there is something: one that waits for the poller of the runtime is woken by way of
// another.
type daemon struct{ *os.File }

// Read waits for octets for ever.
func (d daemon) Read(p []byte) (int, error) {
	for {
		err := scanproto.Wait(3, time.Hour)
		if err == nil {
			return d.File.Read(p)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
	}
}

func answer(conn io.ReadWriter, view []byte, rules *yarascan.Rules) error {
	scanner, err := rules.Scanner()
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(tidy)
	fences, err := sandbox.Enter(sandbox.Limits{Memory: memory})
	if err != nil {
		return err
	}
	if err := scanproto.WriteAnswer(conn, &scanproto.Answer{Ready: &scanproto.Ready{Rules: rules.Count(), Sandbox: fences}}); err != nil {
		return err
	}
	dog, purse, words := &scan.Watchdog{}, &sandbox.Purse{}, bufio.NewReaderSize(conn, 64<<10)
	for {
		r, err := scanproto.ReadRequest(words, view)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := purse.Fill(time.Duration(r.TimeoutMS) * time.Millisecond); err != nil {
			return err
		}
		scanner.Begin()
		if err := scanproto.WriteAnswer(conn, one(dog, scanner, r, retire(conn, r))); err != nil {
			return err
		}
	}
}

func one(dog *scan.Watchdog, m scan.Matcher, r *scanproto.Request, stuck func(scan.Seen)) *scanproto.Answer {
	seen, err := dog.Look(context.Background(), m, archive.DefaultLimits(), r, stuck)
	a := &scanproto.Answer{ID: r.ID, Findings: seen.Findings, Types: seen.Types, Links: seen.Links}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// retire answers in the place of a parser that does not come back, and ends the process.
func retire(conn io.Writer, r *scanproto.Request) func(scan.Seen) {
	return func(seen scan.Seen) {
		_ = scanproto.WriteAnswer(conn, &scanproto.Answer{ID: r.ID, Findings: seen.Findings, Types: seen.Types, Links: seen.Links, Retire: true}) // if not, the daemon sees the end
		os.Exit(exitSoftware)
	}
}

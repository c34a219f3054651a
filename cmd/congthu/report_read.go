package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"congthu/cmd/congthu-scan/sandbox"
	"congthu/internal/dmarcreport"
	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
)

// Bounds of the process that reads a report.
const (
	readMemory  = 512 << 20 // octets
	readTime    = 20 * time.Second
	readInput   = 32 << 20
	readAnswer  = 4 << 20
	readVerdict = exitData // exit status: it was read and is no report
)

// reportReadCmd is the process that opens what a stranger has packed. It has a letter
// or a file on standard input, and answers with the figures on standard output; it can
// open no file and no connection.
type reportReadCmd struct{}

// Run closes itself in, reads and answers.
func (reportReadCmd) Run(a *app) error {
	if _, err := sandbox.Enter(sandbox.Limits{Memory: readMemory}); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(a.stdin, readInput+1))
	if err != nil {
		return err
	}
	if len(data) > readInput {
		return &failure{readVerdict, lang.T("tệp quá lớn", "the file is too large")}
	}
	r, err := dmarcreport.Read(data)
	var bad *aggregate.Malformed
	switch {
	case errors.As(err, &bad):
		return &failure{readVerdict, bad.What}
	case err != nil:
		return err
	}
	return json.NewEncoder(a.stdout).Encode(dmarcreport.Condense(r))
}

// readReport reads a report in a process of its own. *aggregate.Malformed says that it
// is none, in that language; any other error that the process could not do its work.
func readReport(ctx context.Context, l lang.Lang, data []byte) (*aggregate.Report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "--lang", string(l), "report", "dmarc", "read")
	var out, complaint bounded
	out.max, complaint.max = readAnswer, 4<<10
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), &out, &complaint
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.Dir, cmd.WaitDelay = "/", time.Second
	err = cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == readVerdict {
		what := strings.TrimPrefix(strings.TrimSpace(complaint.b.String()), "congthu: ")
		return nil, &aggregate.Malformed{What: lang.T(what, what)}
	}
	if err != nil {
		return nil, fmt.Errorf("the reader of DMARC reports: %w: %s", err, lang.Safe(complaint.b.String(), 300))
	}
	var r aggregate.Report
	if err := json.Unmarshal(out.b.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("the reader of DMARC reports: %w", err)
	}
	return &r, nil
}

// bounded keeps the first octets of what a process says.
type bounded struct {
	b   bytes.Buffer
	max int
}

// Write keeps what there is room for.
func (w *bounded) Write(p []byte) (int, error) {
	if room := w.max - w.b.Len(); len(p) > room {
		return 0, errors.New("the answer is too long")
	}
	return w.b.Write(p)
}

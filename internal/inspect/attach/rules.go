package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"congthu/internal/lang"
	"congthu/internal/scanproto"
	"congthu/internal/tomlfile"
)

// compiled are the rules as they were when they were taken into use. They lie in memory
// that has no name and cannot be changed (memfd_create(2)), because they are code.
type compiled struct {
	file   *os.File
	digest string
	users  atomic.Int32 // generations
}

// compileRules lets a process of its own compile the rules; known are spared when they
// are still the same.
func compileRules(ctx context.Context, o Options, known *compiled) (*compiled, error) {
	args := o.rules("--compile")
	if known != nil {
		args = append(args, "--known", known.digest)
	}
	f, err := nameless()
	if err != nil {
		return nil, err
	}
	ready, err := loader(ctx, o, args, f)
	if err != nil {
		_ = f.Close() // nothing of use is in it
		return nil, err
	}
	if known != nil && ready.Digest == known.digest {
		_ = f.Close() // empty
		return known, nil
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("attach: seal the compiled rules: %w", err)
	}
	return &compiled{file: f, digest: ready.Digest}, nil
}

func nameless() (*os.File, error) {
	fd, err := unix.MemfdCreate("congthu-rules", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("attach: memory for the compiled rules: %w", err)
	}
	return os.NewFile(uintptr(fd), "compiled rules"), nil
}

// use counts a generation that starts workers from the rules; the last one to leave
// lets them go.
func (c *compiled) use() { c.users.Add(1) }

func (c *compiled) leave() {
	if c.users.Add(-1) == 0 {
		_ = c.file.Close() // memory
	}
}

// rules are the arguments that name the rules.
func (o Options) rules(mode string) []string {
	args := []string{mode, "--rules", o.Rules}
	if o.Extra != "" {
		args = append(args, "--extra", o.Extra)
	}
	return args
}

// loader runs the scan program over the rule files. The error is tomlfile.Problems when
// they have mistakes.
func loader(ctx context.Context, o Options, args []string, out *os.File) (scanproto.Ready, error) {
	ctx, cancel := context.WithTimeout(ctx, compileTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.Worker, args...)
	cmd.Env = append([]string{}, o.Env...)
	var text, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &trouble
	if out != nil {
		cmd.ExtraFiles = []*os.File{out}
	}
	failed := cmd.Run()
	var ready scanproto.Ready
	if err := json.Unmarshal(text.Bytes(), &ready); err != nil {
		return ready, fmt.Errorf("attach: %s %s: %v: %s", o.Worker, args[0], failed, lang.Safe(trouble.String(), 300))
	}
	var ps tomlfile.Problems
	for _, p := range ready.Problems {
		ps = append(ps, explain(p))
	}
	if err := ps.Err(); err != nil {
		return ready, err
	}
	return ready, failed
}

func explain(p scanproto.Problem) *tomlfile.Problem {
	return &tomlfile.Problem{
		File: p.File, Line: p.Line, Column: p.Column,
		What: lang.T("quy tắc YARA sai: "+p.Message, "YARA rule: "+p.Message),
		Hint: lang.T("sửa dòng này rồi chạy lại `congthu rules check`; bộ quy tắc đang dùng không đổi", "mend this line, then run `congthu rules check` again; the rules in use are unchanged"),
	}
}

// CheckRules compiles the rules without using them and returns their number. The error
// is tomlfile.Problems when they have mistakes.
func CheckRules(ctx context.Context, o Options) (int, error) {
	ready, err := loader(ctx, o, o.rules("--check-rules"), nil)
	return ready.Rules, err
}

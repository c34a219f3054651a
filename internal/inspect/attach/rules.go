package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"congthu/internal/lang"
	"congthu/internal/scanproto"
	"congthu/internal/tomlfile"
)

// snapshot is a copy of the rule files as they were when they were taken into use.
type snapshot struct {
	dir    string // the copy
	origin string // where administrators edit
}

func takeSnapshot(origin string) (*snapshot, error) {
	names, err := filepath.Glob(filepath.Join(origin, "*.yar"))
	if err != nil {
		return nil, fmt.Errorf("attach: %s: %w", origin, err)
	}
	dir, err := os.MkdirTemp("", "congthu-yara-")
	if err != nil {
		return nil, fmt.Errorf("attach: copy of the rules: %w", err)
	}
	s := &snapshot{dir: dir, origin: origin}
	for _, name := range names {
		if err := s.copy(name); err != nil {
			s.remove()
			return nil, err
		}
	}
	return s, nil
}

func (s *snapshot) copy(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return os.WriteFile(filepath.Join(s.dir, filepath.Base(name)), data, 0o600)
}

func (s *snapshot) remove() { _ = os.RemoveAll(s.dir) } // under the system's temporary directory

// problems are the administrator's mistakes, named by the files that they edit.
func (s *snapshot) problems(found []scanproto.Problem) error {
	var ps tomlfile.Problems
	for _, p := range found {
		if p.File == s.dir {
			p.File = s.origin
		} else {
			p.File = filepath.Join(s.origin, filepath.Base(p.File))
		}
		ps = append(ps, explain(p))
	}
	return ps.Err()
}

func explain(p scanproto.Problem) *tomlfile.Problem {
	return &tomlfile.Problem{
		File: p.File, Line: p.Line, Column: p.Column,
		What: lang.T("quy tắc YARA sai: "+p.Message, "YARA rule: "+p.Message),
		Hint: lang.T("sửa dòng này rồi chạy lại `congthu rules check`; bộ quy tắc đang dùng không đổi", "mend this line, then run `congthu rules check` again; the rules in use are unchanged"),
	}
}

// CheckRules compiles the rules of a directory without using them. The error is
// tomlfile.Problems when they have mistakes.
func CheckRules(ctx context.Context, worker, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, worker, "--check-rules", "--rules", dir)
	cmd.Env = []string{}
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	failed := cmd.Run()
	var ready scanproto.Ready
	if err := json.Unmarshal(out.Bytes(), &ready); err != nil {
		return fmt.Errorf("attach: %s --check-rules: %v: %s", worker, failed, lang.Safe(trouble.String(), 300))
	}
	var ps tomlfile.Problems
	for _, p := range ready.Problems {
		ps = append(ps, explain(p))
	}
	if err := ps.Err(); err != nil {
		return err
	}
	return failed
}

package yarascan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"congthu/cmd/congthu-scan/yarasplit"
	"congthu/internal/scanproto"
)

// Source says where the rules are.
type Source struct {
	Dir   string // the house's own
	Extra string // those of others, "" for none: they weigh what weights.toml says of such
}

const (
	mostFile  = 16 << 20  // octets of one rule file
	mostFiles = 256 << 20 // octets of all
)

// file is one rule file.
type file struct {
	path  string
	name  string // its namespace: the path under its folder, which is unique
	house bool
	text  string
	rules int             // known once it is compiled
	parts *yarasplit.File // nil: not understood, it stays whole
}

// read reads every *.yar and *.yara file, in folders of any depth.
func (s Source) read() ([]*file, []scanproto.Problem, error) {
	files, problems, err := folder(s.Dir, "", true)
	if err != nil || len(problems) > 0 {
		return nil, problems, err
	}
	if s.Extra != "" {
		extra, problems, err := folder(s.Extra, "extra/", false)
		if err != nil || len(problems) > 0 {
			return nil, problems, err
		}
		files = append(files, extra...)
	}
	sum := 0
	for _, f := range files {
		if sum += len(f.text); sum > mostFiles {
			return nil, []scanproto.Problem{{File: f.path, Message: fmt.Sprintf("all rule files together are over %d octets", mostFiles)}}, nil
		}
	}
	return files, nil, nil
}

func folder(dir, prefix string, house bool) ([]*file, []scanproto.Problem, error) {
	var files []*file
	var problems []scanproto.Problem
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			problems = append(problems, scanproto.Problem{File: path, Message: err.Error()})
			return nil
		}
		if ext := filepath.Ext(path); d.IsDir() || ext != ".yar" && ext != ".yara" {
			return nil
		}
		f, problem := open(path)
		if problem != nil {
			problems = append(problems, *problem)
			return nil
		}
		f.name, f.house = prefix+strings.TrimPrefix(strings.TrimPrefix(path, dir), "/"), house
		files = append(files, f)
		return nil
	})
	if err == nil && len(files)+len(problems) == 0 {
		problems = append(problems, scanproto.Problem{File: dir, Message: "no *.yar file is here"})
	}
	return files, problems, err
}

func open(path string) (*file, *scanproto.Problem) {
	if info, err := os.Stat(path); err != nil || info.Size() > mostFile || !info.Mode().IsRegular() {
		message := fmt.Sprintf("is no file or over %d octets", mostFile)
		if err != nil {
			message = err.Error()
		}
		return nil, &scanproto.Problem{File: path, Message: message}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &scanproto.Problem{File: path, Message: err.Error()}
	}
	f := &file{path: path, text: string(data)}
	if i := strings.IndexByte(f.text, 0); i >= 0 { // C would end there
		p := at(f, 1+strings.Count(f.text[:i], "\n"), "a zero octet")
		return nil, &p
	}
	f.parts, _ = yarasplit.Parse(f.text) // what is not understood is not split
	return f, nil
}

// digest names a state of the rule files, for this libyara and this program.
func digest(files []*file) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", libyara(), format)
	for _, f := range files {
		fmt.Fprintf(h, "%q %v %d\n%s", f.name, f.house, len(f.text), f.text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

package wkd

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Entry is the keys of one address, in binary form.
type Entry struct {
	Address Address
	Octets  []byte
}

var hashForm = regexp.MustCompile("^[" + zAlphabet + "]{32}$")

// Publish writes the directories of some domains under dir, for any web server to serve:
// each domain's is dir/.well-known/openpgpkey/DOMAIN, as the advanced method wants it. What
// was published before and is no more is removed. It returns how many addresses there are.
func Publish(dir string, domains []string, entries []Entry) (int, error) {
	want := map[string]map[string][]byte{}
	for _, d := range domains {
		want[d] = map[string][]byte{}
	}
	n := 0
	for _, e := range entries {
		if files := want[e.Address.Domain]; files != nil {
			if files[e.Address.Hash()] == nil {
				n++
			}
			files[e.Address.Hash()] = append(files[e.Address.Hash()], e.Octets...)
		}
	}
	for domain, files := range want {
		if !domainForm.MatchString(domain) {
			continue
		}
		if err := publish(filepath.Join(dir, ".well-known", "openpgpkey", domain), files); err != nil {
			return 0, problem(err, "không ghi được thư mục WKD", "cannot write the WKD directory")
		}
	}
	return n, nil
}

func publish(dir string, files map[string][]byte) error {
	hu := filepath.Join(dir, "hu")
	if err := os.MkdirAll(hu, 0o755); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "policy"), nil); err != nil { // an empty policy is one (section 4.5)
		return err
	}
	for name, data := range files {
		if err := write(filepath.Join(hu, name), data); err != nil {
			return err
		}
	}
	old, err := os.ReadDir(hu)
	if err != nil {
		return err
	}
	for _, e := range old {
		if files[e.Name()] == nil && e.Type().IsRegular() && hashForm.MatchString(e.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(hu, e.Name())))
		}
	}
	return err
}

// write replaces a file at once: a web server never serves half of one.
func write(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// Domains sorts names and leaves out patterns: a directory is of one domain.
func Domains(names []string) []string {
	out := slices.DeleteFunc(slices.Clone(names), func(d string) bool { return strings.Contains(d, "*") })
	slices.Sort(out)
	return slices.Compact(out)
}

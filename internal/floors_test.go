// Package internal_test keeps the floors of the house: imports point strictly down,
// neighbours do not know each other.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// floors says on which floor each package lives; a pattern may end in /*.
func floors() [][]string {
	return [][]string{
		{"canary", "figures", "evaluate", "htmltoken", "labelled", "msg", "lang", "needles", "octets", "radix64", "viet", "scanproto", "conformance", "store/storetest", "testca", "peer", "apitest"},
		{"seal", "learn", "tomlfile", "charset", "lookalike", "dane", "mailauth/sig"},
		{"config", "corpus", "dns", "dns/fake", "mtasts", "mailauth/*", "mimetree", "store", "trace", "sink", "wkd"},
		{"text"},
		{"allowance", "audit", "lessons", "plain", "inspect", "inspect/*", "agency", "account", "acquaint", "greylist", "token", "policy", "notice", "reported", "stamp", "strip", "pgp", "signing", "relay", "recipients", "record", "rulebook", "queue", "quarantine", "dmarcreport"},
		{"decrypt"},
		{"rules", "pipeline", "keyring", "simulate", "review", "digest"},
		{"smtpd", "admin", "console", "screen", "ruledesk"},
		{"e2e/*", "faults/*"},
		{"e2e", "faults"},
	}
}

func floorOf(pkg string) int {
	for n, names := range floors() {
		for _, name := range names {
			if ok, _ := path.Match(name, pkg); ok {
				return n
			}
		}
	}
	return -1
}

type listed struct {
	ImportPath, Name string
	Doc              string
	Imports          []string
	GoFiles          []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,GoFiles", "congthu/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	var pkgs []listed
	for {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImportsPointDown(t *testing.T) {
	const prefix = "congthu/internal/"
	pkgs := packages(t)
	if len(pkgs) < 20 {
		t.Fatalf("only %d packages listed: the test sees nothing", len(pkgs))
	}
	for _, p := range pkgs {
		from, inner := strings.CutPrefix(p.ImportPath, prefix)
		if !inner {
			continue
		}
		if floorOf(from) < 0 {
			t.Errorf("%s has no floor: add it to floors()", from)
		}
		for _, imp := range p.Imports {
			if to, ok := strings.CutPrefix(imp, prefix); ok && floorOf(to) >= floorOf(from) {
				t.Errorf("%s (floor %d) imports %s (floor %d)", from, floorOf(from), to, floorOf(to))
			}
		}
	}
}

func TestPolicyImportsOnlyMsgAndOnlyCommandsImportConfig(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if p.ImportPath == "congthu/internal/policy" && strings.HasPrefix(imp, "congthu/") && imp != "congthu/internal/msg" {
				t.Errorf("policy imports %s", imp)
			}
			if imp == "congthu/internal/config" && !strings.HasPrefix(p.ImportPath, "congthu/cmd/") {
				t.Errorf("%s imports config", p.ImportPath)
			}
			if p.ImportPath == "congthu/internal/msg" && strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("msg imports %s", imp)
			}
		}
	}
}

// No C in the daemon: only the scan worker may import cgo bindings.
func TestNoCInTheDaemon(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "congthu/cmd/congthu").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if strings.Contains(dep, "go-yara") {
			t.Errorf("the daemon depends on %s", dep)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

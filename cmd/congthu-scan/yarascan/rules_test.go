package yarascan_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/yarascan"
)

func both(t *testing.T, house, extra string) *yarascan.Rules {
	t.Helper()
	r, problems, err := yarascan.Load(yarascan.Source{Dir: dir(t, house), Extra: dir(t, extra)})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return r
}

// What a rule says about itself is what its match means.
func TestJudgements(t *testing.T) {
	const inert = `rule inert : suspicious { condition: false }`
	for rule, want := range map[string]string{
		`rule a : malware { condition: true }`:                                                                              "YARA_MALWARE 0",
		`rule a : suspicious { meta: score = 40 condition: true }`:                                                          "YARA_SUSPICIOUS 40",
		`rule a { meta: action = "hold" condition: true }`:                                                                  "YARA_HOLD 0",
		`rule a : malware { meta: action = "reject" condition: true }`:                                                      "YARA_REJECT 0",
		`rule a { meta: severity = "medium" condition: true }`:                                                              "YARA_SUSPICIOUS 60",
		`rule a { meta: score = 900 condition: true }`:                                                                      "YARA_MALWARE 100",
		`extra rule a : malware { condition: true }`:                                                                        "YARA_EXTRA_MALWARE 0",
		`extra rule a : malware { meta: action = "mark" condition: true }`:                                                  "YARA_EXTRA_SUSPICIOUS 0",
		`extra rule a { condition: true }`:                                                                                  "YARA_EXTRA_SUSPICIOUS 0",
		`extra rule a { meta: category = "INFO" description = "A certificate" condition: true }`:                            "YARA_EXTRA_SUSPICIOUS 0 A certificate",
		`extra rule a : tc_detection malicious { meta: category = "MALWARE" tc_detection_type = "Trojan" condition: true }`: "YARA_EXTRA_MALWARE 0",
		`extra rule a { meta: category = "MALWARE" malware_type = "HACKTOOL" condition: true }`:                             "YARA_EXTRA_SUSPICIOUS 0",
		`extra rule a { meta: score = 60 malware = "X" condition: true }`:                                                   "YARA_EXTRA_SUSPICIOUS 60",
		`extra rule a { meta: severity = 9 condition: true }`:                                                               "YARA_EXTRA_MALWARE 90",
	} {
		house, extra := rule, inert
		if text, ok := strings.CutPrefix(rule, "extra "); ok {
			house, extra = inert, text
		}
		s, err := both(t, house, extra).Scanner()
		if err != nil {
			t.Fatal(err)
		}
		ms, err := s.Scan(yarascan.Object{Data: []byte("x")}, time.Second)
		if err != nil || len(ms) != 1 {
			t.Fatalf("%s: %v %v", rule, ms, err)
		}
		got := strings.TrimSpace(fmt.Sprintf("%s %d %s", ms[0].Symbol, ms[0].Percent, ms[0].EN))
		if got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
}

// Rules may ask what the object is called: each name that it may have is tried, and a
// set that asks is not answered from what another name met.
func TestExternals(t *testing.T) {
	sum := md5.Sum([]byte("data"))
	s := scanner(t, `
rule name : suspicious { condition: filename == "a.exe" }
rule ext : suspicious { condition: extension == ".exe" }
rule path : suspicious { condition: filepath == "/b.zip/c" }
rule kind : suspicious { condition: filetype == "EXE" }
rule sum : suspicious { condition: md5 == "`+hex.EncodeToString(sum[:])+`" }
rule nobody : suspicious { condition: owner != "" }`)
	o := yarascan.Object{Data: []byte("data"), Names: []string{"x.txt", "c/a.EXE", "a.exe"}, Path: "/b.zip", Type: "EXE"}
	got := map[string]bool{}
	ms, err := s.Scan(o, 5*time.Second)
	for _, m := range ms {
		got[m.Rule] = true
	}
	if err != nil || len(ms) != 5 || got["nobody"] {
		t.Errorf("%v %v", ms, err)
	}
	if ms, err := s.Scan(yarascan.Object{Data: []byte("data")}, 5*time.Second); err != nil || len(ms) != 1 || ms[0].Rule != "sum" {
		t.Errorf("without a name: %v %v", ms, err)
	}
}

// A string that matches more often than libyara counts is trouble, not a silent miss.
func TestTooManyMatches(t *testing.T) {
	s := scanner(t, `rule a : malware { strings: $a = "a" condition: #a > 2000000 }`)
	if ms, err := s.Scan(yarascan.Object{Data: bytes.Repeat([]byte("a"), 2<<20)}, 30*time.Second); err == nil {
		t.Errorf("called clean: %v", ms)
	}
	if _, err := s.Scan(yarascan.Object{Data: []byte("a")}, 5*time.Second); err != nil {
		t.Errorf("the object after it: %v", err)
	}
}

// What was compiled once is what every worker reads; another program's is refused.
func TestBundle(t *testing.T) {
	source := yarascan.Source{Dir: "../../../rules/yara"}
	r, _, err := yarascan.Load(source)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(b.Bytes())
	read, err := yarascan.Read(&b)
	if err != nil || read.Count() != r.Count() || read.Digest() != r.Digest() {
		t.Fatalf("%v", err)
	}
	s, err := read.Scanner()
	if err != nil {
		t.Fatal(err)
	}
	for rule, x := range samples() {
		if ms, err := s.Scan(yarascan.Object{Data: []byte(x[0])}, 5*time.Second); err != nil || len(ms) == 0 {
			t.Errorf("%s: %v %v", rule, ms, err)
		}
	}
	if _, err := yarascan.Read(bytes.NewReader(bytes.Replace(whole, []byte(`"libyara":"4`), []byte(`"libyara":"3`), 1))); err == nil {
		t.Error("rules of another libyara were read")
	}
	if again, problems, err := yarascan.LoadUnless(source, r.Digest()); again != nil || problems != nil || err != nil {
		t.Errorf("the same files: %v %v %v", again, problems, err)
	}
}

// Every file has its own mistake reported, with its line; imports that hide are found.
func TestMistakesInSeveralFiles(t *testing.T) {
	d := t.TempDir()
	for name, text := range map[string]string{
		"a.yar": "rule a : malware {\n condition: x }", "sub/b.yara": "\n\nrule b : malware { condition: y }",
		"c.yar": "rule c : malware { condition: true } import /* */ \"console\"",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(d, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, problems, err := yarascan.Load(yarascan.Source{Dir: d})
	if err != nil || len(problems) != 3 || problems[0].Line != 2 || problems[1].Line != 1 || problems[2].Line != 3 {
		t.Errorf("%+v %v", problems, err)
	}
}

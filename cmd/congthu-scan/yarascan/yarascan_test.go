package yarascan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/yarascan"
)

func dir(t *testing.T, rules string) string {
	t.Helper()
	d := t.TempDir()
	if err := os.WriteFile(filepath.Join(d, "x.yar"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func scanner(t *testing.T, rules string) *yarascan.Scanner {
	t.Helper()
	r, problems, err := yarascan.Load(yarascan.Source{Dir: dir(t, rules)})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	s, err := r.Scanner()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScan(t *testing.T) {
	s := scanner(t, `
rule bad : malware { strings: $a = "evil" condition: $a }
rule odd : suspicious { strings: $a = "odd" condition: $a }
private rule part { strings: $a = "evil" condition: $a }
`)
	for data, want := range map[string]string{
		"":             "",
		"nothing":      "",
		"evil":         "YARA_MALWARE bad",
		"odd and evil": "YARA_MALWARE bad, YARA_SUSPICIOUS odd",
	} {
		var got []string
		ms, err := s.Scan(yarascan.Object{Data: []byte(data)}, time.Millisecond)
		for _, m := range ms {
			got = append(got, m.Symbol+" "+m.Rule)
		}
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("%q: %q %v, want %q", data, got, err, want)
		}
	}
}

// An object that takes too long is an error, never clean.
func TestScanThatTakesTooLong(t *testing.T) {
	s := scanner(t, `rule slow : malware { condition: for all i in (0..filesize) : ( for all j in (0..filesize) : ( i + j >= 0 ) ) }`)
	begun := time.Now()
	if _, err := s.Scan(yarascan.Object{Data: bytes.Repeat([]byte("a"), 1<<20)}, 100*time.Millisecond); err == nil {
		t.Error("a scan that was broken off was called clean")
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		rules        string
		line, column int
		says         string
	}{
		"syntax":    {"rule a : malware {\n  condition: tru\n}\n", 2, 14, "tru"},
		"no tag":    {"\n  rule a { condition: true }", 2, 8, "neither the tag"},
		"include":   {"include \"/etc/passwd\"\n", 1, 1, "include"},
		"module":    {"\nimport \"console\"\nrule a : malware { condition: true }", 2, 9, "not allowed"},
		"duplicate": {"rule a : malware { condition: true }\nrule a : malware { condition: true }", 2, 6, "a"},
	} {
		_, problems, err := yarascan.Load(yarascan.Source{Dir: dir(t, c.rules)})
		if err != nil || len(problems) == 0 {
			t.Errorf("%s: %v %v", name, problems, err)
			continue
		}
		p := problems[0]
		if p.Line != c.line || p.Column != c.column || !strings.Contains(p.Message, c.says) || strings.Contains(p.Message, "root:") {
			t.Errorf("%s: %+v, want %d:%d %q", name, p, c.line, c.column, c.says)
		}
	}
	if _, problems, _ := yarascan.Load(yarascan.Source{Dir: t.TempDir()}); len(problems) != 1 {
		t.Errorf("an empty directory: %v", problems)
	}
}

package tomlfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

type sample struct {
	Name  string   `toml:"name"`
	Ports []int    `toml:"ports"`
	Deep  deep     `toml:"deep"`
	Rules []rule   `toml:"rule"`
	Words []string `toml:"words"`
}

type deep struct {
	Er struct {
		Value int `toml:"value"`
	} `toml:"er"`
}

type rule struct {
	Pattern string `toml:"pattern"`
	Sub     []struct {
		X int `toml:"x"`
	} `toml:"sub"`
}

func TestParseComplaints(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"unknown key", "name = \"a\"\n  prots = [1]\n", "f.toml:2:3: there is no key called 'prots'"},
		{"unknown in array table", "[[rule]]\npattern=\"x\"\n[[rule]]\nscore=1\n", "f.toml:4:1: there is no key called 'rule.score'"},
		{"wrong type", "name = 5\n", "f.toml:1:8: the value of 'name' has the wrong type: name = 5"},
		{"syntax", "name = \"a\nports = [1]\n", "f.toml:1:10: TOML syntax error"},
		{"duplicate", "name = \"a\"\nname = \"b\"\n", "f.toml:2:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v sample
			_, err := tomlfile.Parse("f.toml", []byte(c.data), &v)
			var ps tomlfile.Problems
			if !errors.As(err, &ps) || len(ps) == 0 {
				t.Fatalf("want Problems, got %v", err)
			}
			got := ps.In(lang.EN)
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want it to begin with %q", got, c.want)
			}
			if strings.Contains(got, "tomlfile_test") || strings.Contains(got, "Go struct") {
				t.Errorf("a Go type name is shown to the administrator: %q", got)
			}
			if ps.In(lang.VI) == got {
				t.Error("the Vietnamese text equals the English one")
			}
		})
	}
}

func TestAtNamesThePlace(t *testing.T) {
	data := "name = \"a\"\nports = [1,\n  22]\n[deep.er]\nvalue = 3\n[[rule]]\npattern = \"x\"\n\n[[rule]]\n  pattern = \"(\"\n  [[rule.sub]]\n  x = 1\n  [[rule.sub]]\n  x = 2\n"
	var v sample
	f, err := tomlfile.Parse("f.toml", []byte(data), &v)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key       []any
		line, col int
	}{
		{[]any{"name"}, 1, 1},
		{[]any{"ports", 1}, 3, 3},
		{[]any{"deep", "er", "value"}, 5, 1},
		{[]any{"rule", 0, "pattern"}, 7, 1},
		{[]any{"rule", 1, "pattern"}, 10, 3},
		{[]any{"rule", 1, "sub", 1, "x"}, 14, 3},
		{[]any{"rule", 1, "absent"}, 9, 3},
		{[]any{"absent"}, 1, 1},
	} {
		p := f.At(lang.T("sai", "wrong"), lang.Text{}, c.key...)
		if p.Line != c.line || p.Column != c.col {
			t.Errorf("%v: at %d:%d, want %d:%d", c.key, p.Line, p.Column, c.line, c.col)
		}
	}
}

func TestReadNamesMissingFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "no.toml")
	_, err := tomlfile.Read(name, &sample{})
	if err == nil || !strings.Contains(err.Error(), name+": cannot read the file: no such file") {
		t.Fatalf("got %v", err)
	}
	if err := os.WriteFile(name, []byte("name = 'x'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var v sample
	if _, err := tomlfile.Read(name, &v); err != nil || v.Name != "x" {
		t.Fatalf("got %v, %v", v, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name = 'a'\n[[rule]]\npattern='('\n"))
	f.Add([]byte("a.b.c = {x = [1,{y=2}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v map[string]any
		if file, err := tomlfile.Parse("f", data, &v); err == nil {
			for k := range v {
				if p := file.At(lang.Text{}, lang.Text{}, k); p.Line < 1 {
					t.Fatalf("key %q has no line", k)
				}
			}
		}
	})
}

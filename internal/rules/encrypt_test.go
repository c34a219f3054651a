package rules

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// A mistake in [encrypt] is named with its line and column, says what to do, and, where a
// word is near, which was meant.
func TestMistakesOfEncryption(t *testing.T) {
	rule := func(lines string) string { return "\n[[encrypt.rule]]\n" + lines + "\n" }
	for _, c := range []struct{ old, fresh, at, want string }{
		{`no_key = "reject"`, `no_key = "rejekt"`, `no_key`, "there is no action 'rejekt' here; did you mean 'reject'? use: reject, hold"},
		{`unusable = "hold"`, `unusable = "clean"`, `unusable`, "there is no action 'clean' here; did you mean 'clear'? use: hold, reject, clear"},
		{`unusable = "hold"`, `unusable = "deliver"`, `unusable`, "there is no action 'deliver' here; use: hold, reject, clear"},
		{`subject = "keep"`, `subject = "hid"`, `subject`, "subject is keep or hide; did you mean 'hide'?"},
		{`header = "X-Congthu-Encrypt"`, `header = "X Encrypt"`, `header`, "header is not the name of a header field"},
		{`tags = ["[mahoa]", "[encrypt]"]`, `tags = ["[mahoa]", "x"]`, `"x"`, "the word in the subject is too short"},
		{`when_key = true`, `when_keys = true`, `when_keys`, "did you mean 'when_key'?"},
		{`must = []`, `must = "gov.test"`, ``, "must"},
		{"", rule(`encrypt = "requierd"`), `encrypt = "requierd"`, "encrypt = 'requierd' is not possible; did you mean 'required'? use never, opportunistic or required"},
		{"", rule(`encrypt = "opportunist"`), `encrypt = "opportunist"`, "did you mean 'opportunistic'?"},
		{"", rule(`to = ["a.test"]`), `[[encrypt.rule]]`, "encrypt = '' is not possible"},
		{"", rule("sign = true\ndirection = \"outwards\""), `direction = "outwards"`, "direction is inward or outward; did you mean 'outward'?"},
		{"", rule("sign = true\nto = [\"a@b@c\"]"), `"a@b@c"`, "'a@b@c' is no address and no domain"},
		{"", rule("sign = true\nfrom = [\"ok.test\", \"@b.test\"]"), `"@b.test"`, "'@b.test' is no address and no domain"},
		{"", rule("sing = true"), `sing`, "did you mean 'sign'?"},
	} {
		text, err := os.ReadFile("../../rules/policy.toml")
		if err != nil {
			t.Fatal(err)
		}
		changed := string(text) + c.fresh
		if c.old != "" {
			changed = strings.Replace(string(text), c.old, c.fresh, 1)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.toml"), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		ps := problemsOfPolicy(dir)
		if len(ps) == 0 {
			t.Errorf("%q: no complaint", c.fresh)
			continue
		}
		p, said := ps[0], ps[0].In(lang.EN)
		for _, q := range ps {
			if strings.Contains(q.In(lang.EN), c.want) {
				p, said = q, q.In(lang.EN)
			}
		}
		if !strings.Contains(said, c.want) || p.Hint.VI == "" && p.What.VI == "" {
			t.Errorf("%q: %s, want %q", c.fresh, said, c.want)
		}
		lines := strings.Split(changed, "\n")
		if c.at != "" && (p.Line < 1 || p.Line > len(lines) || p.Column < 1 || !strings.Contains(lines[p.Line-1], c.at) && !strings.Contains(c.at, "[[")) {
			t.Errorf("%q: line %d column %d is %q", c.fresh, p.Line, p.Column, lines[max(0, p.Line-1)])
		}
	}
}

// problemsOfPolicy are those that are about [encrypt]; the weights are not there, and what
// that brings is left out.
func problemsOfPolicy(dir string) (out tomlfile.Problems) {
	var f policyFile
	file, err := tomlfile.Read(filepath.Join(dir, "policy.toml"), &f)
	if err != nil {
		var p *tomlfile.Problem
		var ps tomlfile.Problems
		switch {
		case errors.As(err, &ps):
			return ps
		case errors.As(err, &p):
			return tomlfile.Problems{p}
		}
		return nil
	}
	r := &policyReader{file: file}
	r.encrypt(f.Encrypt)
	return r.problems
}

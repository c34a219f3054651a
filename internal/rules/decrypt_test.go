package rules_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/rules"
	"congthu/internal/tomlfile"
)

// [decrypt] is read as it says, and each mistake in it is told with its place.
func TestDecryptSettings(t *testing.T) {
	for text, want := range map[string]string{
		"deliver = \"as-received\" ": "",
		"deliver = \"decrypted\"\n[[decrypt.rule]]\nto = [\"x.test\"]\ndeliver = \"as-received\"\n": "",
		"deliver = \"clear\" ": "deliver is as-received or decrypted",
		"deliver = \"decrypted\"\n[[decrypt.rule]]\nto = [\"@x.test\"]\n":      "'@x.test' is no address and no domain",
		"deliver = \"decrypted\"\n[[decrypt.rule]]\ndeliver = \"Decrypted\"\n": "deliver is as-received or decrypted",
		"delivers = \"decrypted\" ": "delivers",
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(shipped)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "policy.toml")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, _, ok := strings.Cut(string(data), "[decrypt]\n")
		if !ok {
			t.Fatal("the shipped policy has no [decrypt]")
		}
		if err := os.WriteFile(name, []byte(before+"[decrypt]\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = rules.Open(source(dir))
		var ps tomlfile.Problems
		if want == "" && err != nil || want != "" && (!errors.As(err, &ps) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "policy.toml:")) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

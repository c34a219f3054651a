package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"congthu/internal/keyring"
	"congthu/internal/pgp"
	"congthu/internal/wkd"
)

func tool(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, trouble.String())
	}
	return out
}

// The directory that we write has the files that GnuPG's and Sequoia's own tools write, by
// name, and in them the same key with the one name alone.
func TestDirectoryAsOthersWriteIt(t *testing.T) {
	client := "/usr/lib/gnupg/gpg-wks-client" // it is not for users to call, says Debian
	for _, p := range []string{"gpg", "sq", client} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: make test installs it", p)
		}
	}
	home, err := os.MkdirTemp("", "g") // short: gpg-agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() // best effort
		_ = os.RemoveAll(home)
	})
	t.Setenv("GNUPGHOME", home)
	gpg := func(args ...string) []byte {
		return tool(t, "gpg", append([]string{"--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"}, args...)...)
	}
	const address, other = "Van-Thu@gov.test", "khac@x.test"
	gpg("--quick-generate-key", "Van thu <"+address+">", "future-default", "default")
	gpg("--quick-add-uid", address, "Ten khac <"+other+">")
	armored := gpg("--armor", "--export", address)
	dir := t.TempDir()
	file := filepath.Join(dir, "key.asc")
	if err := os.WriteFile(file, armored, 0o600); err != nil {
		t.Fatal(err)
	}

	ks, err := pgp.ReadKeys(armored)
	if err != nil {
		t.Fatal(err)
	}
	subject := keyring.Subject(address)
	entries, err := entriesOf(keyring.Entry{KeyInfo: pgp.KeyInfo{Fingerprint: ks[0].Fingerprint()}, Pins: []keyring.Pin{{Subject: subject}}}, armored)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	ours, theirs, sequoias := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs"), filepath.Join(dir, "sq")
	if _, err := wkd.Publish(ours, []string{"gov.test"}, entries); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(theirs, "gov.test"), 0o755), os.MkdirAll(sequoias, 0o755)); err != nil {
		t.Fatal(err)
	}
	tool(t, client, "-C", theirs, "--install-key", file, address)
	tool(t, "sq", "wkd", "generate", "--skip", sequoias, "gov.test", file)

	show := func(pattern string) (name, key string) {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v %v", pattern, found, err)
		}
		lines := regexp.MustCompile(`(?m)^(pub|fpr|uid|sub):.*$`).FindAllString(string(gpg("--show-keys", "--with-colons", found[0])), -1)
		return filepath.Base(found[0]), strings.Join(lines, "\n")
	}
	name, key := show(filepath.Join(ours, ".well-known/openpgpkey/gov.test/hu/*"))
	theirName, theirKey := show(filepath.Join(theirs, "gov.test/hu/*"))
	sqName, _ := show(filepath.Join(sequoias, ".well-known/openpgpkey/gov.test/hu/*"))
	if name != theirName || name != sqName {
		t.Errorf("the file is %s, by GnuPG %s, by Sequoia %s", name, theirName, sqName)
	}
	if key != theirKey || strings.Contains(key, other) || !strings.Contains(key, address) {
		t.Errorf("the key is\n%s\nby GnuPG\n%s", key, theirKey)
	}
}

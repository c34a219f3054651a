package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"congthu/internal/keyring"
	"congthu/internal/peer"
	"congthu/internal/pgp"
	"congthu/internal/wkd"
)

// The directory that we write has the files that GnuPG's and Sequoia's own tools write, by
// name, and in them the same key with the one name alone.
func TestDirectoryAsOthersWriteIt(t *testing.T) {
	client := "/usr/lib/gnupg/gpg-wks-client" // it is not for users to call, says Debian
	peer.Need(t, "sq", client)
	home := peer.Home(t)
	t.Setenv("GNUPGHOME", home) // gpg-wks-client reads nothing else
	gpg := peer.GnuPG(t, home)
	const address, other = "Van-Thu@gov.test", "khac@x.test"
	gpg(nil, "--quick-generate-key", "Van thu <"+address+">", "future-default", "default")
	gpg(nil, "--quick-add-uid", address, "Ten khac <"+other+">")
	armored := gpg(nil, "--armor", "--export", address)
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
	peer.Run(t, nil, client, "-C", theirs, "--install-key", file, address)
	peer.Run(t, nil, "sq", "wkd", "generate", "--skip", sequoias, "gov.test", file)

	show := func(pattern string) (name, key string) {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v %v", pattern, found, err)
		}
		lines := regexp.MustCompile(`(?m)^(pub|fpr|uid|sub):.*$`).FindAllString(string(gpg(nil, "--show-keys", "--with-colons", found[0])), -1)
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

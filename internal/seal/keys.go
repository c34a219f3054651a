package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Keys are the data keys of a site: the first seals, all open.
type Keys struct{ keys []key }

type key struct {
	id     [keyIDSize]byte // begins the SHA-256 of the key
	secret [chacha20poly1305.KeySize]byte
	aead   cipher.AEAD
}

// ID names the current key without giving it away.
func (k *Keys) ID() string { return hex.EncodeToString(k.keys[0].id[:]) }

// Has tells whether the key of that ID is at hand.
func (k *Keys) Has(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && k.find(b) != nil
}

func (k *Keys) find(id []byte) *key {
	for i := range k.keys {
		if bytes.Equal(k.keys[i].id[:], id) {
			return &k.keys[i]
		}
	}
	return nil
}

// Line is where a key file is wrong. Its text is for a person to read.
type Line struct {
	File string
	Line int
}

// Error says where; it never shows what stands there.
func (l *Line) Error() string {
	return fmt.Sprintf("%s:%d: this is no data key: 64 hexadecimal digits are", l.File, l.Line)
}

// Read reads a key file: one key a line in 64 hexadecimal digits, the current one first.
// Lines that begin with # are notes. Errors wrap fs.ErrNotExist, or are a *Line.
func Read(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	k := &Keys{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		secret, err := hex.DecodeString(line)
		if err != nil || len(secret) != chacha20poly1305.KeySize {
			return nil, &Line{path, n}
		}
		if err := k.add(secret); err != nil {
			return nil, err
		}
	}
	if len(k.keys) == 0 {
		return nil, &Line{path, n + 1}
	}
	return k, nil
}

func (k *Keys) add(secret []byte) error {
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	sum := sha256.Sum256(secret)
	n := key{aead: aead}
	copy(n.id[:], sum[:])
	copy(n.secret[:], secret)
	k.keys = append(k.keys, n)
	return nil
}

// Make writes a file with a new key and reads it. It never writes over a file, and
// the file is durable when it returns: what is sealed is lost without it.
func Make(path string) (*Keys, error) {
	secret := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(secret) // never fails, by its documentation
	text := "# congthu: khoá mã hoá dữ liệu trên đĩa. Mất tệp này là mất mọi thư đang giữ; hãy sao lưu riêng.\n" +
		"# congthu: the key of what lies on disk. Without it held mail is lost; keep a copy elsewhere.\n" +
		hex.EncodeToString(secret) + "\n"
	if err := write(path, []byte(text)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return Read(path)
}

// write puts the file in its place whole: a crash leaves none or all of it.
func write(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".data-key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // never over another one
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err2 := os.Open(filepath.Dir(path))
	if err2 != nil {
		return errors.Join(err, err2)
	}
	return errors.Join(err, dir.Sync(), dir.Close())
}

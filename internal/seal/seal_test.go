package seal_test

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"congthu/internal/seal"
)

func keys(t testing.TB) (*seal.Keys, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.key")
	k, err := seal.Make(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

const chunk = 64 << 10

func TestRoundTrip(t *testing.T) {
	k, _ := keys(t)
	for _, n := range []int{0, 1, 100, chunk - 1, chunk, chunk + 1, 2 * chunk, 3*chunk + 5} {
		in := octets(n)
		for name, parts := range map[string][][]byte{"one": {in}, "three": {in[:n/3], nil, in[n/3:]}} {
			s := k.Seal("a", parts...)
			if int64(len(s)) != seal.Size(int64(n)) || !seal.Sealed(s) {
				t.Errorf("%d octets become %d, not %d", n, len(s), seal.Size(int64(n)))
			}
			out, err := k.Open("a", s)
			if err != nil || !bytes.Equal(out, in) {
				t.Errorf("%s of %d: %v", name, n, err)
			}
			if out, err := k.OpenInPlace("a", s); err != nil || !bytes.Equal(out, in) {
				t.Errorf("%s of %d, in place: %v", name, n, err)
			}
		}
	}
	if bytes.Equal(k.Seal("a", []byte("x")), k.Seal("a", []byte("x"))) {
		t.Error("the same octets are sealed alike")
	}
}

// Every change is found: an octet, an end, an order, a name.
func TestChanges(t *testing.T) {
	k, _ := keys(t)
	in := octets(2*chunk + 10)
	s := k.Seal("a", in)
	bad := map[string][]byte{
		"cut to a chunk": s[:27+chunk+16], "cut to two chunks": s[:27+2*(chunk+16)], "cut to the head": s[:27], "empty": nil,
		"more behind": append(bytes.Clone(s), 0), "a chunk doubled": append(bytes.Clone(s[:27+chunk+16]), s[27:]...),
		"a chunk left out": append(bytes.Clone(s[:27]), s[27+chunk+16:]...),
	}
	for _, at := range []int{0, 3, 8, 26, 27, 27 + chunk, len(s) - 1} {
		c := bytes.Clone(s)
		c[at] ^= 1
		bad["octet "+hex.EncodeToString([]byte{byte(at >> 8), byte(at)})] = c
	}
	swapped := bytes.Clone(s)
	copy(swapped[27:], s[27+chunk+16:27+2*(chunk+16)])
	copy(swapped[27+chunk+16:], s[27:27+chunk+16])
	bad["two chunks change places"] = swapped
	for name, b := range bad {
		if out, err := k.Open("a", b); out != nil || !errors.Is(err, seal.ErrBroken) && !errors.Is(err, seal.ErrKey) {
			t.Errorf("%s: %d octets, %v", name, len(out), err)
		}
	}
	if _, err := k.Open("b", s); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("under another name: %v", err)
	}
}

// The construction is what the package comment says, by an independent reading of it.
func TestByHand(t *testing.T) {
	k, path := keys(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text))
	secret, err := hex.DecodeString(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	var aead cipher.AEAD
	if aead, err = chacha20poly1305.NewX(secret); err != nil {
		t.Fatal(err)
	}
	in := octets(chunk + 3)
	s := k.Seal("name", in)
	first, err := aead.Open(nil, append(bytes.Clone(s[8:27]), 0, 0, 0, 0, 0), s[27:27+chunk+16], []byte("name"))
	if err != nil {
		t.Fatal(err)
	}
	last, err := aead.Open(nil, append(bytes.Clone(s[8:27]), 0, 0, 0, 1, 1), s[27+chunk+16:], []byte("name"))
	if err != nil || !bytes.Equal(append(first, last...), in) {
		t.Error(err)
	}
}

// A new key on top seals; the old one below still opens. Without it that is said.
func TestKeysFollowEachOther(t *testing.T) {
	old, oldPath := keys(t)
	s := old.Seal("a", []byte("x"))
	fresh, freshPath := keys(t)
	if _, err := fresh.Open("a", s); !errors.Is(err, seal.ErrKey) {
		t.Errorf("%v", err)
	}
	a, _ := os.ReadFile(freshPath)
	b, _ := os.ReadFile(oldPath)
	both := filepath.Join(t.TempDir(), "both")
	if err := os.WriteFile(both, append(a, b...), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := seal.Read(both)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := k.Open("a", s); err != nil || string(out) != "x" {
		t.Error(err)
	}
	if k.ID() != fresh.ID() || !k.Has(old.ID()) || !k.Has(fresh.ID()) || fresh.Has(old.ID()) || k.Has("zz") {
		t.Error("ids")
	}
}

func TestKeyFiles(t *testing.T) {
	k, path := keys(t)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	if _, err := seal.Make(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	if again, err := seal.Read(path); err != nil || again.ID() != k.ID() {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/.*"); len(left) > 0 {
		t.Error(left)
	}
	for text, line := range map[string]int{"": 1, "# only a note\n": 2, "\nabc\n": 2, strings.Repeat("0", 63) + "g": 1, strings.Repeat("0", 66): 1} {
		p := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var bad *seal.Line
		if _, err := seal.Read(p); !errors.As(err, &bad) || bad.Line != line || strings.Contains(bad.Error(), "0000") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := seal.Read(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	k, _ := keys(f)
	f.Add(k.Seal("a", []byte("x")), uint16(3), byte(1))
	f.Add(k.Seal("a", octets(chunk+1)), uint16(30), byte(0))
	f.Fuzz(func(t *testing.T, sealed []byte, at uint16, b byte) {
		out, err := k.Open("a", sealed)
		if err != nil {
			return
		}
		if int64(len(sealed)) != seal.Size(int64(len(out))) {
			t.Error("sizes")
		}
		if i := int(at) % len(sealed); b != 0 {
			sealed[i] ^= b
			if _, err := k.Open("a", sealed); err == nil {
				t.Errorf("octet %d may change", i)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k, _ := keys(b)
	for name, n := range map[string]int{"4K": 4 << 10, "1M": 1 << 20} {
		in := octets(n)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				k.Seal("a", in)
			}
		})
	}
}

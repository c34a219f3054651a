package archive_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
)

// deflate64 is what 7z makes of data, without the zip around it.
func deflate64(t testing.TB, data []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(archivetest.Need(t, "7z"), "a", "-tzip", "-mm=Deflate64", "out.zip", "in")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r, err := zip.OpenReader(filepath.Join(dir, "out.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.File[0].Method != 9 {
		t.Fatalf("7z used method %d", r.File[0].Method)
	}
	raw, err := r.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// samples are data for every form of block: far copies, long ones, random octets, text.
func samples() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 300_000)
	for i := range random {
		random[i] = byte(rnd.IntN(100)) // packs, or 7z would store it
	}
	var text bytes.Buffer
	for text.Len() < 500_000 {
		text.WriteString([]string{"Kính gửi ", "Ủy ban ", "nhân dân ", "thông báo ", "số ", "ngày ", "tháng\r\n"}[rnd.IntN(7)])
		text.WriteByte(byte('0' + rnd.IntN(10)))
	}
	return map[string][]byte{
		"short":           bytes.Repeat([]byte("hello "), 20),
		"zeros":           make([]byte, 3_000_000),
		"random":          random,
		"random, far off": append(append([]byte{}, random[:60_000]...), random[:60_000]...),
		"text":            text.Bytes(),
		"mixed":           append(append(append([]byte{}, text.Bytes()[:100_000]...), random[:100_000]...), make([]byte, 200_000)...),
	}
}

func TestDeflate64(t *testing.T) {
	for name, data := range samples() {
		packed := deflate64(t, data)
		src := bytes.NewReader(append(packed, "behind"...))
		out, err := io.ReadAll(archive.NewInflate64(src))
		if err != nil || sha256.Sum256(out) != sha256.Sum256(data) {
			t.Errorf("%s: %d octets of %d, %v", name, len(out), len(data), err)
		}
		if src.Len() != len("behind") {
			t.Errorf("%s: %d octets left behind the stream", name, src.Len())
		}
		for _, cut := range []int{0, 1, len(packed) / 2, len(packed) - 1} {
			if _, err := io.ReadAll(archive.NewInflate64(bytes.NewReader(packed[:cut]))); err != io.ErrUnexpectedEOF { //nolint:errorlint // bare
				t.Errorf("%s cut to %d of %d: %v", name, cut, len(packed), err)
			}
		}
	}
}

// Streams of deflate that have no copy of the greatest length are the same in both.
func TestDeflate64ReadsDeflate(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression} {
			var b bytes.Buffer
			w, err := flate.NewWriter(&b, level)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			if out, err := io.ReadAll(archive.NewInflate64(&b)); err != nil || !bytes.Equal(out, data) {
				t.Errorf("%s at level %d: %d octets, %v", name, level, len(out), err)
			}
		}
	}
}

func TestDeflate64Damaged(t *testing.T) {
	for name, stream := range map[string]string{
		"the fourth kind of block":    "\x07",
		"a stored block of two sizes": "\x01\x05\x00\x05\x00hello",
		"a copy from before":          "\x03\x02", // the fixed code 257, then a distance
		"codes without an end":        "\x05\x00\x80\xe4\x7f\x1b\x00\x00",
	} {
		if out, err := io.ReadAll(archive.NewInflate64(bytes.NewReader([]byte(stream)))); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
}

// FuzzDeflate64 holds the reader to the library's for what both read: whatever deflate
// reads without its longest copy, this one reads to the same octets, too.
func FuzzDeflate64(f *testing.F) {
	for _, data := range []string{strings.Repeat("hello ", 20), strings.Repeat("ab", 100) + "Kính gửi", string(make([]byte, 1000))} {
		f.Add(deflate64(f, []byte(data)))
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, flate.BestCompression)
		_, _ = w.Write([]byte(data))
		_ = w.Close()
		f.Add(b.Bytes())
	}
	f.Add([]byte("\x01\x05\x00\xfa\xffhello"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 1 << 20
		src := bytes.NewReader(data)
		out, err := io.ReadAll(io.LimitReader(archive.NewInflate64(src), most))
		if len(out) > most {
			t.Errorf("%d octets", len(out))
		}
		other := bytes.NewReader(data)
		want, wrong := io.ReadAll(io.LimitReader(flate.NewReader(other), most))
		if wrong != nil || len(want) >= 258 { // there may be a copy of 258 octets, whose code is another length here
			return
		}
		if err != nil || !bytes.Equal(out, want) || src.Len() != other.Len() {
			t.Errorf("%d octets of %d, %d left of %d, %v", len(out), len(want), src.Len(), other.Len(), err)
		}
	})
}

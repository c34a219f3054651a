// Package archivetest writes the archives that tests open: by the standard library and
// others where they write the format, by hand where that is short, else by the
// programs of Debian that `make test` installs.
package archivetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// Password is that of the containers that have one.
const Password = "Hoso-2026"

// Container is a way to put one file into an archive.
type Container struct {
	Name, Ext string
	Locked    bool // with Password
	Write     func(t testing.TB, name string, data []byte) []byte
}

// All are the containers that must be opened.
func All() []Container {
	return []Container{
		{"zip stored", "zip", false, zipBy(zip.Store, nil)},
		{"zip deflate", "zip", false, zipBy(zip.Deflate, nil)},
		{"zip zstd", "zip", false, zipBy(93, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })},
		{"zip xz", "zip", false, zipBy(95, func(w io.Writer) (io.WriteCloser, error) { return &late{w: w}, nil })},
		{"zip bzip2", "zip", false, program("7z", "a", "-tzip", "-mm=BZip2", "out", "in")},
		{"zip deflate64", "zip", false, program("7z", "a", "-tzip", "-mm=Deflate64", "out", "in")},
		{"zip lzma", "zip", false, program("7z", "a", "-tzip", "-mm=LZMA", "out", "in")},
		{"zip old cipher", "zip", true, program("7z", "a", "-tzip", "-mem=ZipCrypto", "-p"+Password, "out", "in")},
		{"zip AES", "zip", true, program("7z", "a", "-tzip", "-mem=AES256", "-p"+Password, "out", "in")},
		{"zip without its directory", "zip", false, zipHead},
		{"zip behind a program", "exe", false, zipTail},
		{"gzip", "gz", false, stream(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })},
		{"bzip2", "bz2", false, filter("bzip2", "-c")},
		{"xz", "xz", false, stream(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })},
		{"lzma", "lzma", false, stream(func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })},
		{"zstd", "zst", false, stream(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })},
		{"lz4", "lz4", false, stream(func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })},
		{"compress", "Z", false, filter("compress", "-c", "-f")},
		{"tar ustar", "tar", false, tarBy(tar.FormatUSTAR)},
		{"tar pax", "tar", false, tarBy(tar.FormatPAX)},
		{"tar gnu", "tar", false, tarBy(tar.FormatGNU)},
		{"tgz", "tgz", false, tgz},
		{"7z lzma2", "7z", false, program("7z", "a", "out", "in")},
		{"7z ppmd", "7z", false, program("7z", "a", "-m0=PPMd", "out", "in")},
		{"7z deflate64", "7z", false, program("7z", "a", "-m0=Deflate64", "out", "in")},
		{"7z with a password", "7z", true, program("7z", "a", "-p"+Password, "out", "in")},
		{"7z with a locked list", "7z", true, program("7z", "a", "-mhe=on", "-p"+Password, "out", "in")},
		{"rar 4", "rar", false, Rar4},
		{"rar 5", "rar", false, Rar5},
		{"rar 5 behind a picture", "gif", false, rarTail},
		{"cab MSZIP", "cab", false, program("gcab", "-cz", "out", "in")},
		{"cab stored", "cab", false, program("gcab", "-cn", "out", "in")},
		{"iso", "iso", false, program("genisoimage", "-quiet", "-o", "out", "in")},
		{"iso Joliet and Rock Ridge", "iso", false, program("genisoimage", "-quiet", "-J", "-R", "-o", "out", "in")},
		{"iso and UDF", "iso", false, program("genisoimage", "-quiet", "-udf", "-o", "out", "in")},
		{"UDF alone", "iso", false, udfAlone},
		{"ar", "a", false, program("ar", "rc", "out", "in")},
		{"deb", "deb", false, deb},
		{"cpio new", "cpio", false, cpio("newc")},
		{"cpio old", "cpio", false, cpio("odc")},
		{"cpio binary", "cpio", false, cpio("bin")},
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func zipBy(method uint16, compressor zip.Compressor) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, name string, data []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		if compressor != nil {
			w.RegisterCompressor(method, compressor)
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		must(t, err)
		_, err = f.Write(data)
		must(t, err, w.Close())
		return b.Bytes()
	}
}

// late begins an xz stream with the first octets: a writer that began at once would
// write before the header of the member.
type late struct {
	w io.Writer
	z *xz.Writer
}

func (l *late) Write(p []byte) (n int, err error) {
	if l.z == nil {
		l.z, err = xz.NewWriter(l.w)
	}
	if err != nil {
		return 0, err
	}
	return l.z.Write(p)
}

func (l *late) Close() error { return l.z.Close() }

// zipHead is a zip cut before its directory.
func zipHead(t testing.TB, name string, data []byte) []byte {
	z := zipBy(zip.Deflate, nil)(t, name, data)
	return z[:bytes.LastIndex(z, []byte("PK\x01\x02"))]
}

func zipTail(t testing.TB, name string, data []byte) []byte {
	stub := append([]byte("MZ\x90\x00"), make([]byte, 1<<10)...)
	return append(stub, zipBy(zip.Deflate, nil)(t, name, data)...)
}

func rarTail(t testing.TB, name string, data []byte) []byte {
	return append([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"), Rar5(t, name, data)...)
}

func stream(open func(io.Writer) (io.WriteCloser, error)) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, _ string, data []byte) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		must(t, err)
		_, err = w.Write(data)
		must(t, err, w.Close())
		return b.Bytes()
	}
}

// udfAlone is an image whose ISO 9660 volume is struck out.
func udfAlone(t testing.TB, name string, data []byte) []byte {
	image := program("genisoimage", "-quiet", "-udf", "-o", "out", "in")(t, name, data)
	for at := 0x8000; string(image[at+1:at+6]) == "CD001"; at += 2048 {
		image[at] = 0 // a boot record of nobody
	}
	return image
}

func tarBy(format tar.Format) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, name string, data []byte) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		must(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600, Format: format}))
		_, err := w.Write(data)
		must(t, err, w.Close())
		return b.Bytes()
	}
}

func tgz(t testing.TB, name string, data []byte) []byte {
	return stream(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, flate.BestSpeed) })(t, "", tarBy(tar.FormatGNU)(t, name, data))
}

// deb is a Debian package: an ar with a tar in it.
func deb(t testing.TB, name string, data []byte) []byte {
	inner := tgz(t, name, data)
	return append(append([]byte("!<arch>\n"), arMember("debian-binary", []byte("2.0\n"))...), arMember("data.tar.gz", inner)...)
}

func arMember(name string, data []byte) []byte {
	m := fmt.Appendf(nil, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(data))
	m = append(m, data...)
	if len(data)%2 == 1 {
		m = append(m, '\n')
	}
	return m
}

// Need finds a program, or skips the test.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is missing; make needs-test installs it", name)
	}
	return path
}

// program runs a program in a folder of its own; of its arguments "in" is the file and
// "out" the archive.
func program(name string, args ...string) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, file string, data []byte) []byte {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, file), data, 0o600))
		argv := make([]string, len(args))
		for i, a := range args {
			switch a {
			case "in":
				a = file
			case "out":
				a = "out.tmp"
			}
			argv[i] = a
		}
		cmd := exec.Command(Need(t, name), argv...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
		return read(t, filepath.Join(dir, "out.tmp"))
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return data
}

// filter runs a program from its standard input to its standard output.
func filter(name string, args ...string) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, _ string, data []byte) []byte {
		cmd := exec.Command(Need(t, name), args...)
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.Output()
		must(t, err)
		return out
	}
}

func cpio(format string) func(testing.TB, string, []byte) []byte {
	return func(t testing.TB, file string, data []byte) []byte {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, file), data, 0o600))
		cmd := exec.Command(Need(t, "cpio"), "--quiet", "-o", "-H", format)
		cmd.Dir = dir
		cmd.Stdin = bytes.NewReader([]byte(file + "\n"))
		out, err := cmd.Output()
		must(t, err)
		return out
	}
}

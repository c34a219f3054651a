package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
)

type file struct {
	name, data string
	method     uint16
}

func zipOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method})
		if err == nil {
			_, err = out.Write([]byte(f.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rawZip is a zip with sizes in its local headers, as most programs but Go write it.
func rawZip(t testing.TB, name, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	out, err := w.CreateRaw(&zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE([]byte(data)), CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data))})
	if err == nil {
		_, err = out.Write([]byte(data))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, name, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if _, err := w.Write([]byte(data)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func budget() *archive.Budget {
	return archive.NewBudget(context.Background(), archive.DefaultLimits())
}

// members collects what was visited as "name=data", and the troubles.
type members struct {
	seen     []string
	troubles []archive.Trouble
	evidence []string
}

func (m *members) visit(x archive.Member) { m.seen = append(m.seen, x.Name+"="+string(x.Data)) }

func (m *members) done(rs []archive.Remark) *members {
	for _, r := range rs {
		m.troubles = append(m.troubles, r.Trouble)
		m.evidence = append(m.evidence, r.Evidence)
	}
	return m
}

func (m *members) check(t *testing.T, seen string, troubles ...archive.Trouble) {
	t.Helper()
	if got := strings.Join(m.seen, " "); got != seen || !slices.Equal(m.troubles, troubles) {
		t.Errorf("saw %q with troubles %v, want %q with %v", got, m.troubles, seen, troubles)
	}
}

func openZip(data []byte) *members {
	m := &members{}
	return m.done(budget().Zip(data, m.visit))
}

func TestZip(t *testing.T) {
	two := zipOf(t, file{"a.txt", "hello", zip.Deflate}, file{"b.txt", "world", zip.Store})
	openZip(two).check(t, "a.txt=hello b.txt=world")
	openZip(append([]byte("#!self extracting\n"), two...)).check(t, "a.txt=hello b.txt=world")
	openZip(zipOf(t)).check(t, "")
	openZip(rawZip(t, "a", "x")).check(t, "a=x")
	// a stored zip inside a zip is a member, not a second reading
	openZip(zipOf(t, file{"in.zip", string(rawZip(t, "a", "x")), zip.Store})).check(t, "in.zip="+string(rawZip(t, "a", "x")))
	if !archive.HasZipEnd(two) || archive.HasZipEnd([]byte("PK\x03\x04")) {
		t.Error("the end record")
	}
}

func TestZipToldTwice(t *testing.T) {
	local := func(z []byte, name string) []byte { z = slices.Clone(z); copy(z[30:], name); return z }
	a := rawZip(t, "a.txt", "hello")
	openZip(local(a, "a.exe")).check(t, "a.exe= a.txt=hello a.exe=hello", archive.Conflict)
	// two archives end to end: one reader opens the last, another the first
	b := rawZip(t, "b.exe", "evil")
	openZip(append(slices.Clone(b), a...)).check(t, "a.txt=hello b.exe=evil", archive.Conflict)
	// the first header is not in the directory
	hidden := append(slices.Clone(b[:30+5+4]), a...)
	openZip(hidden).check(t, "a.txt=hello b.exe=evil", archive.Conflict)
	// a member in the archive's comment
	comment := slices.Clone(a)
	binary.LittleEndian.PutUint16(comment[len(comment)-2:], 39)
	openZip(append(comment, b[:39]...)).check(t, "a.txt=hello b.exe=evil", archive.Conflict)
	// the directory is gone: recovery programs go by the local headers
	openZip(a[:bytes.Index(a, []byte("PK\x01\x02"))]).check(t, "a.txt=hello", archive.Damaged)
	// sizes differ
	size := slices.Clone(a)
	binary.LittleEndian.PutUint32(size[18:], 3)
	openZip(size).check(t, "a.txt=hello a.txt=hel", archive.Conflict)
}

func TestZipThatCannotBeOpened(t *testing.T) {
	flag := func(method uint16, flags byte) []byte {
		z := rawZip(t, "a.exe", "x")
		dir := bytes.Index(z, []byte("PK\x01\x02"))
		z[6] |= flags
		z[dir+8] |= flags
		binary.LittleEndian.PutUint16(z[8:], method)
		binary.LittleEndian.PutUint16(z[dir+10:], method)
		return z
	}
	openZip(flag(0, 1)).check(t, "a.exe=", archive.Encrypted)
	openZip(flag(99, 1)).check(t, "a.exe=", archive.Encrypted)
	openZip(flag(98, 0)).check(t, "a.exe=x", archive.Method) // some take it for stored
	bad := zipOf(t, file{"a.txt", strings.Repeat("hello", 100), zip.Deflate})
	bad[30+5+3] ^= 0xFF
	m := openZip(bad)
	if len(m.troubles) != 1 || m.troubles[0] != archive.Damaged {
		t.Errorf("broken data: %v", m.troubles)
	}
	openZip([]byte("PK\x03\x04junk")).check(t, "", archive.Damaged)
}

func TestGzipAndBzip2(t *testing.T) {
	m := &members{}
	m.done(budget().Gzip("so lieu.txt.gz", append(gz(t, "", "one "), gz(t, "", "two")...), m.visit)).check(t, "so lieu.txt=one two")
	m = &members{}
	m.done(budget().Gzip("a.tgz", gz(t, "evil.exe", "x"), m.visit)).check(t, "evil.exe= a.tar=x")
	m = &members{}
	cut := gz(t, "", strings.Repeat("abc", 1000))
	m.done(budget().Gzip("a.gz", cut[:len(cut)-9], m.visit))
	if len(m.troubles) != 1 || m.troubles[0] != archive.Damaged {
		t.Errorf("cut: %v", m.troubles)
	}
	m = &members{}
	m.done(budget().Bzip2("a.bz2", []byte("BZh9junk"), m.visit)).check(t, "a=", archive.Damaged)
	m = &members{}
	empty := []byte("BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00")
	m.done(budget().Bzip2("a.bz2", empty, m.visit)).check(t, "a=")
}

func TestTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{{Name: "../x.sh", Size: 2, Mode: 0o700}, {Name: "d/", Typeflag: tar.TypeDir}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = w.Write([]byte("hi"))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m := &members{}
	m.done(budget().Tar(b.Bytes(), m.visit)).check(t, "../x.sh=hi d/= d/= /etc/passwd= l=")
	m = &members{}
	m.done(budget().Tar(b.Bytes()[:513], m.visit))
	if len(m.troubles) == 0 || m.troubles[0] != archive.Damaged {
		t.Errorf("cut tar: %v", m.troubles)
	}
	m = &members{}
	m.done(budget().Tar(append(b.Bytes(), b.Bytes()...), m.visit))
	if !slices.Equal(m.troubles, []archive.Trouble{archive.Conflict}) {
		t.Errorf("two tars: %v", m.troubles)
	}
}

func TestLimits(t *testing.T) {
	zeros := zipOf(t, file{"zeros", strings.Repeat("\x00", 32<<20), zip.Deflate})
	many := make([]file, 30)
	for i := range many {
		many[i] = file{strings.Repeat("a", i+1), "x", zip.Store}
	}
	for name, c := range map[string]struct {
		edit func(*archive.Limits)
		data []byte
	}{
		"ratio":   {func(*archive.Limits) {}, zeros},
		"bytes":   {func(l *archive.Limits) { l.Bytes = 1 << 20 }, zeros},
		"member":  {func(l *archive.Limits) { l.Member = 1 << 20 }, zeros},
		"entries": {func(l *archive.Limits) { l.Entries = 29 }, zipOf(t, many...)},
	} {
		l := archive.DefaultLimits()
		c.edit(&l)
		m := &members{}
		m.done(archive.NewBudget(context.Background(), l).Zip(c.data, func(archive.Member) {}))
		if !slices.Equal(m.troubles, []archive.Trouble{archive.Limit}) {
			t.Errorf("%s: %v", name, m.troubles)
		}
	}
	l := archive.DefaultLimits()
	l.Entries = 30
	m := &members{}
	m.done(archive.NewBudget(context.Background(), l).Zip(zipOf(t, many...), func(archive.Member) {}))
	if len(m.troubles) != 0 {
		t.Errorf("exactly the limit: %v", m.troubles)
	}
}

func TestTimeEndsIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	m := &members{}
	m.done(archive.NewBudget(ctx, archive.DefaultLimits()).Zip(zipOf(t, file{"a", "x", zip.Store}), m.visit)).check(t, "", archive.Limit)
}

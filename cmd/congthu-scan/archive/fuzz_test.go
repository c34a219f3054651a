package archive_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
)

// written are the containers of those formats, as far as their programs are here.
func written(f *testing.F, formats ...string) {
	f.Helper()
	for _, c := range archivetest.All() {
		for _, format := range formats {
			if !strings.HasPrefix(c.Name, format) {
				continue
			}
			f.Add(c.Write(f, "a.txt", []byte("hello hello hello")))
		}
	}
}

// fuzz holds a reader to its limits: of what is small, no more comes out than allowed.
// A reader of ours must not fail at all; one of a library may, and then it is said.
func fuzz(f *testing.F, with opens, ours bool) {
	f.Helper()
	f.Fuzz(func(t *testing.T, data []byte) {
		l := archive.DefaultLimits()
		l.Bytes, l.Member, l.Entries, l.Dictionary, l.Trying = 1<<20, 1<<20, 100, 8<<20, time.Second
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b := archive.NewBudget(ctx, l)
		b.Passwords = func() []string { return []string{archivetest.Password} }
		var out int64
		remarks := with(b, data, func(m archive.Member) { out += int64(len(m.Data)) })
		if out > 4*l.Bytes+4*int64(len(data)) { // a member in doubt is given out more than once
			t.Errorf("%d octets out of a budget of %d", out, l.Bytes)
		}
		for _, r := range remarks {
			if ours && strings.Contains(r.Evidence, "the reader failed") {
				t.Error(r.Evidence)
			}
		}
	})
}

func FuzzZip(f *testing.F) {
	f.Add(rawZip(f, "a.txt", "hello"))
	f.Add(append(rawZip(f, "b", "x"), rawZip(f, "a", "y")...))
	written(f, "zip")
	fuzz(f, (*archive.Budget).Zip, true)
}

func FuzzTar(f *testing.F) {
	f.Add(make([]byte, 1024))
	written(f, "tar")
	fuzz(f, (*archive.Budget).Tar, true)
}

func FuzzRar(f *testing.F) {
	f.Add(archivetest.Rar5Bomb(15))
	written(f, "rar")
	fuzz(f, (*archive.Budget).Rar, false)
}

func FuzzSevenZip(f *testing.F) {
	f.Add(archivetest.Seven("\x00", "", []byte("hello"), 5))
	written(f, "7z")
	fuzz(f, func(b *archive.Budget, data []byte, v archive.Visit) []archive.Remark {
		return b.SevenZip(summed7z(bytes.Clone(data)), v)
	}, false)
}

// summed7z puts the right checksums into the headers: otherwise nothing behind them
// would ever be read.
func summed7z(d []byte) []byte {
	if len(d) < 32 {
		return d
	}
	next, size := binary.LittleEndian.Uint64(d[12:]), binary.LittleEndian.Uint64(d[20:])
	if rest := uint64(len(d) - 32); next <= rest && size <= rest-next {
		binary.LittleEndian.PutUint32(d[28:], crc32.ChecksumIEEE(d[32+next:32+next+size]))
	}
	binary.LittleEndian.PutUint32(d[8:], crc32.ChecksumIEEE(d[12:32]))
	return d
}

func FuzzCab(f *testing.F) {
	f.Add(cabOf(0, "hello"))
	written(f, "cab")
	fuzz(f, (*archive.Budget).Cab, true)
}

// FuzzISO works on what stands behind the empty system area.
func FuzzISO(f *testing.F) {
	const system = 16 * 2048
	for _, c := range archivetest.All() {
		if c.Ext == "iso" {
			image := c.Write(f, "a.txt", []byte("hello"))
			f.Add(image[system:])
		}
	}
	fuzz(f, func(b *archive.Budget, data []byte, v archive.Visit) []archive.Remark {
		return b.ISO(append(make([]byte, system), data...), v)
	}, true)
}

func FuzzAr(f *testing.F) {
	written(f, "ar", "deb")
	fuzz(f, (*archive.Budget).Ar, true)
}

func FuzzCpio(f *testing.F) {
	written(f, "cpio")
	fuzz(f, (*archive.Budget).Cpio, true)
}

func FuzzGzip(f *testing.F) {
	f.Add(gz(f, "a", "hello"))
	fuzz(f, named((*archive.Budget).Gzip), true)
}

func FuzzCompress(f *testing.F) {
	written(f, "compress")
	fuzz(f, named((*archive.Budget).Compress), true)
}

// FuzzStreams is for the streams whose readers are others'.
func FuzzStreams(f *testing.F) {
	written(f, "xz", "lzma", "zstd", "lz4", "bzip2")
	f.Add(archivetest.XZBomb())
	f.Add(archivetest.LZMABomb())
	f.Add(archivetest.ZstdBomb())
	fuzz(f, func(b *archive.Budget, data []byte, v archive.Visit) []archive.Remark {
		switch {
		case bytes.HasPrefix(data, []byte("\xfd7zXZ")):
			return b.XZ("a", data, v)
		case bytes.HasPrefix(data, []byte("BZh")):
			return b.Bzip2("a", data, v)
		case bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
			return b.Zstd("a", data, v)
		case bytes.HasPrefix(data, []byte("\x04\x22")):
			return b.LZ4("a", data, v)
		}
		return b.LZMA("a", data, v)
	}, false)
}

func FuzzFindHidden(f *testing.F) {
	f.Add([]byte("xxRar!\x1a\x07\x01\x00\x00\x00\x00\x00\x80\x80\x80"))
	f.Add(append([]byte("front"), archivetest.Rar4(f, "a", []byte("x"))...))
	f.Add(append([]byte("front"), archivetest.Seven("\x00", "", []byte("x"), 1)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, h := range archive.FindHidden(data) {
			if h.At < 1 || h.At >= len(data) {
				t.Errorf("at %d of %d", h.At, len(data))
			}
		}
	})
}

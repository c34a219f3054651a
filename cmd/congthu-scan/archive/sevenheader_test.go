package archive_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
)

// sevenFile is a 7z file of these packed octets and this header.
func sevenFile(packed, header string) []byte {
	d := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, 24)...)
	binary.LittleEndian.PutUint64(d[12:], uint64(len(packed)))
	binary.LittleEndian.PutUint64(d[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(d[28:], crc32.ChecksumIEEE([]byte(header)))
	binary.LittleEndian.PutUint32(d[8:], crc32.ChecksumIEEE(d[12:32]))
	return append(append(d, packed...), header...)
}

// packedList is a file whose list of members is stored as a stream of the file.
func packedList(list string) []byte {
	n := string([]byte{0xFF})
	n += string(binary.LittleEndian.AppendUint64(nil, uint64(len(list))))
	return sevenFile(list, "\x17\x06\x00\x01\x09"+n+"\x00\x07\x0b\x01\x00\x01\x01\x00\x0c"+n+"\x00\x00")
}

// A list that counts more than there can be costs no memory, be it open, packed, or packed
// in another one; and what it says is a limit.
func TestSevenCountsThatLie(t *testing.T) {
	const billion = "\xf0\x00\xca\x9a\x3b" // files
	stored := "\x04\x06\x00\x01\x09\x04\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x04\x00\x08\x00\x00"
	for name, list := range map[string]string{
		"files":    "\x01" + stored + "\x05" + billion + "\x11\x05\x00a\x00\x00\x00\x00\x00",
		"streams":  "\x01\x04\x06\x00" + billion + "\x09\x04\x00",
		"folders":  "\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0b" + billion + "\x00",
		"coders":   "\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0b\x01\x00" + billion + "\x01\x00",
		"inputs":   "\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0b\x01\x00\x01\x11\x00" + billion + "\x01",
		"packages": "\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x04\x00\x08\x0d" + billion + "\x00\x00",
	} {
		once := packedList(list)
		for form, data := range map[string][]byte{"open": sevenFile("data", list), "packed": once, "packed twice": packedList("\x17" + strings.TrimPrefix(string(once[32+len(list):]), "\x17"))} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b := archive.NewBudget(context.Background(), archive.DefaultLimits())
			remarks := b.SevenZip(data, func(archive.Member) { t.Errorf("%s, %s: a member", name, form) })
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
				t.Errorf("%s, %s: %d MiB", name, form, grown>>20)
			}
			if len(remarks) != 1 || remarks[0].Trouble == archive.Encrypted || form != "packed twice" && remarks[0].Trouble != archive.Limit {
				t.Errorf("%s, %s: %v", name, form, remarks)
			}
		}
	}
}

// The list of an ordinary file, stored as a stream, is read as if it lay open.
func TestSevenPackedList(t *testing.T) {
	list := "\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x04\x00\x08\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"
	n := []byte{byte(len(list))}
	data := sevenFile("EVIL"+list, "\x17\x06\x04\x01\x09"+string(n)+"\x00\x07\x0b\x01\x00\x01\x01\x00\x0c"+string(n)+"\x00\x00")
	var got []string
	b := archive.NewBudget(context.Background(), archive.DefaultLimits())
	remarks := b.SevenZip(bytes.Clone(data), func(m archive.Member) { got = append(got, m.Name+"="+string(m.Data)) })
	if len(remarks) > 0 || len(got) != 1 || got[0] != "a=EVIL" {
		t.Errorf("%q %v", got, remarks)
	}
}

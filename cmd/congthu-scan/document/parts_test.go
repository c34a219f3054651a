package document_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/document"
)

// FuzzFilters is for the filters of PDF, each alone: in a whole file they are seldom
// reached. What comes out stays within what they may expand to.
func FuzzFilters(f *testing.F) {
	names := []string{"FlateDecode", "ASCIIHexDecode", "ASCII85Decode", "LZWDecode", "RunLengthDecode"}
	f.Add(uint8(0), []byte("\x78\x9c\x4b\x04\x00"), 1, 1, 8, 1)
	f.Add(uint8(1), []byte("45 56 4>"), 1, 1, 8, 1)
	f.Add(uint8(2), []byte("<~87cURD]i,\"Ebo80~>"), 12, 1, 8, 2)
	f.Add(uint8(3), []byte("\x80\x0B\x60\x50\x22\x0C\x0C\x85\x01"), 15, 3, 8, 1)
	f.Add(uint8(4), []byte("\xffa\x02abc\x80"), 14, 4, 16, 2)
	f.Fuzz(func(t *testing.T, which uint8, data []byte, predictor, colors, depth, columns int) {
		began := cpu(t)
		out, err := document.Unfilter(names[int(which)%len(names)], data, predictor, colors, depth, columns)
		if err != nil {
			t.Error(err)
		}
		if len(out) > 1<<22 {
			t.Errorf("%d octets", len(out))
		}
		if took := cpu(t) - began; took > 2*time.Second {
			t.Errorf("%v for %d octets", took, len(data))
		}
	})
}

// FuzzStream is for the streams that old Office files and Outlook items are made of.
func FuzzStream(f *testing.F) {
	names := []string{
		"WordDocument", "Workbook", "PowerPoint Document", "Current User", "Ole10Native", "Package", "Ole", "Equation Native",
		"_1234", "__properties_version1.0", "__substg1.0_10090102", "__substg1.0_10130102", "__substg1.0_1000001F",
	}
	for i, data := range []string{
		"\xec\xa5\xc1\x00" + strings.Repeat("\x00", 20) + "\x13 DDEAUTO cmd.exe \"/k calc\" \x14x\x15",
		le(uint16(0x0809), uint16(4), uint16(0x0600), uint16(5), uint16(0x85), uint16(9), "\x00\x00\x00\x00\x02\x01\x01\x00A", uint16(0x1AE), uint16(14), uint16(1), uint16(9), "\x00cmd\x03calc"),
		le(uint16(0xF), uint16(1000), uint32(12), uint16(0x10), uint16(0x1011), uint32(4), uint32(4)),
		le(uint32(0), uint32(0), uint32(20), uint32(0xF3D1C4DF)),
		native("a.exe", "x"),
		"PK\x03\x04",
		"\x01\x00\xE0\xC9\xEA\x79\xF9\xBA\xCE\x11\x8C\x82\x00\xAA\x00\x4B\xA9\x0B\x08\x00\x00\x00h\x00t\x00t\x00p\x00:\x00",
		le(strings.Repeat("\x00", 28), "\x03\x01\x01\x03\x0a\x0a\x01\x08\x5a\x5a", strings.Repeat("c", 48)),
	} {
		f.Add(uint8(i), []byte(data))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		l := archive.DefaultLimits()
		l.Bytes, l.Member, l.Entries = 4<<20, 1<<20, 1000
		began := cpu(t)
		r := document.ReadStream(names[int(which)%len(names)], data, archive.NewBudget(context.Background(), l))
		if took := cpu(t) - began; took > 2*time.Second {
			t.Errorf("%v for %d octets", took, len(data))
		}
		for _, x := range r.Remarks {
			if strings.Contains(x.Evidence, "the reader failed") {
				t.Error(x.Evidence)
			}
		}
		for _, x := range r.Facts {
			if len(x.Evidence) > 200 {
				t.Errorf("%q", x.Evidence)
			}
		}
	})
}

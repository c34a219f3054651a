// Package sniff tells what a file is, by its octets and by its name, and where the
// two contradict each other. It opens nothing: that is what package archive does.
package sniff

import (
	"bytes"
	"encoding/binary"
)

// Kind is the true type of an object, as its octets show it.
type Kind string

// The kinds that matter to a decision. Unknown is most text.
const (
	Unknown Kind = ""
	Zip     Kind = "zip"
	Gzip    Kind = "gzip"
	Bzip2   Kind = "bzip2"
	Tar     Kind = "tar"
	Rar     Kind = "rar"
	Seven   Kind = "7z"
	XZ      Kind = "xz"
	LZMA    Kind = "lzma"
	Zstd    Kind = "zstd"
	LZ4     Kind = "lz4"
	LZW     Kind = "compress"
	Cab     Kind = "cabinet"
	Ar      Kind = "ar"
	Cpio    Kind = "cpio"
	Sealed  Kind = "archive" // an archive format that is not opened here
	TNEF    Kind = "tnef"
	CMS     Kind = "s/mime"
	Apple   Kind = "apple file" // two forks in one
	ISO     Kind = "disk image"
	Disk    Kind = "disk" // an image of a disk that is not opened here
	OLE     Kind = "ole"  // compound file: old Office, MSI, Outlook item
	RTF     Kind = "rtf"
	PDF     Kind = "pdf"
	PE      Kind = "windows program"
	ELF     Kind = "linux program"
	MachO   Kind = "macos program"
	Class   Kind = "java class"
	LNK     Kind = "shortcut"
	Script  Kind = "script"
	HTML    Kind = "html"
	OneNote Kind = "onenote"
	CHM     Kind = "compiled help"
	JPEG    Kind = "jpeg"
	PNG     Kind = "png"
	GIF     Kind = "gif"
)

type signature struct {
	at    int
	magic string
	kind  Kind
}

// bySignature knows what has its signature at a fixed place. The order matters where
// one could be another. The table is an array that stays where it is: every object is
// looked at.
func bySignature(data []byte) (Kind, bool) {
	for _, s := range [...]signature{
		{0, "PK\x03\x04", Zip},
		{0, "PK\x05\x06", Zip},
		{0, "PK\x07\x08PK\x03\x04", Zip}, // spanned, in one piece
		{0, "\x1f\x8b\x08", Gzip},
		{0, "BZh", Bzip2},
		{257, "ustar", Tar},
		{0, "7z\xbc\xaf\x27\x1c", Seven},
		{0, "Rar!\x1a\x07", Rar},
		{0, "RE~^", Sealed}, // RAR 1.4
		{0, "\xfd7zXZ\x00", XZ},
		{0, "\x28\xb5\x2f\xfd", Zstd},
		{0, "\x04\x22\x4d\x18", LZ4},
		{0, "\x02\x21\x4c\x18", LZ4}, // the format before frames
		{0, "MSCF\x00\x00\x00\x00", Cab},
		{0, "LZIP", Sealed},
		{0, "ISc(", Sealed}, // InstallShield cabinet
		{7, "**ACE**", Sealed},
		{0, "\x60\xea", Sealed}, // arj
		{2, "-lh", Sealed},      // lha
		{0, "\x1f\x9d", LZW},
		{0, "\x1f\xa0", Sealed},
		{0, "!<arch>\n", Ar},
		{0, "\xed\xab\xee\xdb", Sealed}, // rpm
		{0, "xar!", Sealed},
		{0, "egg!", Sealed},
		{0, "ALZ\x01", Sealed},
		{0, "zPQ", Sealed},
		{0, "\x78\x9f\x3e\x22", TNEF},
		{0, "\x00\x05\x16\x00\x00", Apple},
		{0, "\x00\x05\x16\x07\x00", Apple},
		{0x8001, "CD001", ISO},
		{0x8001, "BEA01", ISO}, // UDF (ECMA-167)
		{0, "MSWIM\x00\x00\x00", Disk},
		{0, "conectix", Disk},
		{0, "vhdxfile", Disk},
		{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE},
		{0, "{\\rt", RTF}, // Word opens {\rt without f
		{0, "\x7fELF", ELF},
		{0, "\xfe\xed\xfa\xce", MachO},
		{0, "\xfe\xed\xfa\xcf", MachO},
		{0, "\xce\xfa\xed\xfe", MachO},
		{0, "\xcf\xfa\xed\xfe", MachO},
		{0, "\xca\xfe\xba\xbe", Class}, // also a universal Mach-O program: one fate
		{0, "L\x00\x00\x00\x01\x14\x02\x00", LNK},
		{0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", OneNote},
		{0, "ITSF", CHM},
		{0, "\xff\xd8\xff", JPEG},
		{0, "\x89PNG\r\n\x1a\n", PNG},
		{0, "GIF8", GIF},
	} {
		if len(data) >= s.at+len(s.magic) && string(data[s.at:s.at+len(s.magic)]) == s.magic {
			return s.kind, true
		}
	}
	return Unknown, false
}

// Of tells what the octets are.
func Of(data []byte) Kind {
	if isPE(data) {
		return PE
	}
	if kind, ok := bySignature(data); ok {
		return kind
	}
	head := data[:min(len(data), 1024)]
	switch {
	case bytes.Contains(head, []byte("%PDF-")): // readers look in the first kilobyte
		return PDF
	case isCMS(head):
		return CMS
	case isDMG(data):
		return Disk
	case isCpio(data):
		return Cpio
	case isSkippable(data):
		return Zstd
	case isLZMA(data):
		return LZMA
	case isOldTar(data):
		return Tar
	}
	return text(data)
}

// isPE wants the DOS head and one of the heads it leads to; a bare DOS program counts
// when its head is whole.
func isPE(data []byte) bool {
	if len(data) < 0x40 || (string(data[:2]) != "MZ" && string(data[:2]) != "ZM") {
		return false
	}
	at := binary.LittleEndian.Uint32(data[0x3C:])
	if uint64(at)+2 <= uint64(len(data)) {
		switch string(data[at : at+2]) {
		case "PE", "NE", "LE", "LX":
			return true
		}
	}
	return bytes.IndexByte(data[:0x40], 0) >= 0 // binary: no letter begins so
}

// isCMS wants a sequence that begins with one of the types of RFC 5652 that wrap
// something, after a length of any form.
func isCMS(head []byte) bool {
	if len(head) < 24 || head[0] != 0x30 {
		return false
	}
	for _, oid := range []string{"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"} {
		if at := bytes.Index(head[:24], []byte(oid)); at >= 2 {
			return true
		}
	}
	return false
}

// isDMG looks for the trailer of an Apple disk image.
func isDMG(data []byte) bool {
	return len(data) >= 512 && string(data[len(data)-512:len(data)-508]) == "koly"
}

// isCpio wants more than the few octets that a cpio file begins with: digits to the
// end of an ASCII header, a name and a file type in a binary one.
func isCpio(data []byte) bool {
	digits := func(end int, set string) bool {
		return len(data) >= end && len(bytes.Trim(data[6:end], set)) == 0
	}
	switch {
	case bytes.HasPrefix(data, []byte("070701")), bytes.HasPrefix(data, []byte("070702")):
		return digits(110, "0123456789abcdefABCDEF")
	case bytes.HasPrefix(data, []byte("070707")):
		return digits(76, "01234567")
	case len(data) < 26:
		return false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint16(data) != 0o70707 {
		order = binary.BigEndian
	}
	name := order.Uint16(data[20:])
	return order.Uint16(data) == 0o70707 && order.Uint16(data[6:])>>12 != 0 && name > 1 && name <= 1024
}

// isSkippable knows the frame that may stand before the first one of zstd and LZ4.
func isSkippable(data []byte) bool {
	return len(data) >= 8 && data[0]&0xF0 == 0x50 && string(data[1:4]) == "\x2a\x4d\x18"
}

// isLZMA knows the format before xz, which has no signature, by properties and sizes
// that make sense.
func isLZMA(data []byte) bool {
	if len(data) < 14 || data[0] != 0x5D || data[13] != 0 {
		return false
	}
	dictionary, size := binary.LittleEndian.Uint32(data[1:]), binary.LittleEndian.Uint64(data[5:])
	round := dictionary&(dictionary-1) == 0 || dictionary%3 == 0 && dictionary/3&(dictionary/3-1) == 0 || dictionary == 1<<32-1
	return dictionary >= 1<<12 && round && (size == 1<<64-1 || size < 1<<40)
}

// isOldTar knows a tar from before POSIX by the checksum of its first header.
func isOldTar(data []byte) bool {
	if len(data) < 512 || data[0] == 0 {
		return false
	}
	sum, want := 0, 0
	for i, c := range data[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	for _, c := range data[148:154] {
		if c >= '0' && c <= '7' {
			want = want*8 + int(c-'0')
		} else if c != ' ' && c != 0 {
			return false
		}
	}
	return want == sum
}

// text tells the texts that programs run or draw from other text.
func text(data []byte) Kind {
	head := bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(narrow(head), " \t\r\n\x00")
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return Script
	case looksHTML(head):
		return HTML
	}
	return Unknown
}

// narrow drops the zero octets of UTF-16, which browsers and script hosts read, too.
func narrow(head []byte) []byte {
	if len(head) < 4 || (string(head[:2]) != "\xff\xfe" && string(head[:2]) != "\xfe\xff") {
		return head
	}
	return bytes.ReplaceAll(head[2:], []byte{0}, nil)
}

func looksHTML(head []byte) bool {
	if !bytes.HasPrefix(head, []byte("<")) {
		return false // most letters, without a copy
	}
	head = bytes.ToLower(head)
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<script", "<iframe", "<svg", "<meta "} {
		if bytes.HasPrefix(head, []byte(tag)) {
			return true
		}
	}
	marked := bytes.HasPrefix(head, []byte("<!--")) || bytes.HasPrefix(head, []byte("<?xml"))
	return marked && (bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<svg")) || bytes.Contains(head, []byte("<script")))
}

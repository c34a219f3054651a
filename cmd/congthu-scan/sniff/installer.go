package sniff

import (
	"bytes"
	"encoding/binary"
)

// isInstaller tells the packages of Windows Installer, which are programs to whoever opens
// one, from other compound files: by the class of the root storage (packages, transforms
// and patches), or by the name of a table that each package has. The installer writes
// names in an alphabet of its own, two letters in one: this one says _StringPool.
func isInstaller(data []byte) bool {
	if class := rootClass(data); len(class) > 0 {
		switch class[0] {
		case 0x82, 0x84, 0x86: // 000C1082, 000C1084, 000C1086-0000-0000-C000-000000000046
			if string(class[1:]) == "\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46" {
				return true
			}
		}
	}
	return bytes.Contains(data, []byte("\x40\x48\x3f\x3f\x77\x45\x6c\x44\x6a\x3e\xb2\x44\x2f\x48"))
}

// rootClass is the class of a compound file's root entry, which is the first one of its
// directory (MS-CFB 2.6.2), or nil.
func rootClass(data []byte) []byte {
	const first, shift, class = 48, 30, 80
	if len(data) < 512 {
		return nil
	}
	bits := binary.LittleEndian.Uint16(data[shift:])
	if bits != 9 && bits != 12 {
		return nil
	}
	at := (uint64(binary.LittleEndian.Uint32(data[first:]))+1)<<bits + class
	if at+16 > uint64(len(data)) {
		return nil
	}
	return data[at : at+16]
}

// sealedType is the word for an archive that is not opened here, beside "archive".
func sealedType(data []byte) string {
	at := func(n int, s string) bool { return len(data) >= n+len(s) && string(data[n:n+len(s)]) == s }
	switch {
	case at(0, "RE~^"):
		return "rar"
	case at(7, "**ACE**"):
		return "ace"
	case at(0, "\x60\xea"):
		return "arj"
	case at(2, "-lh"):
		return "lzh"
	case at(0, "\xed\xab\xee\xdb"):
		return "rpm"
	}
	return ""
}

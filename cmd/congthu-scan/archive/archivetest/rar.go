package archivetest

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// Rar4 writes a RAR 4 file with one stored member.
func Rar4(_ testing.TB, name string, data []byte) []byte {
	out := []byte("Rar!\x1a\x07\x00")
	out = append(out, block4(0x73, 0, make([]byte, 6))...)
	file := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(data)))
	file = append(file, 3) // made on Unix
	file = binary.LittleEndian.AppendUint32(file, crc32.ChecksumIEEE(data))
	file = binary.LittleEndian.AppendUint32(file, 0x5A21_0000) // a day
	file = append(file, 29, 0x30)                              // needs 2.9; stored
	file = binary.LittleEndian.AppendUint16(file, uint16(len(name)))
	file = binary.LittleEndian.AppendUint32(file, 0o100644)
	file = append(file, name...)
	out = append(out, block4(0x74, 0x8000, file)...)
	out = append(out, data...)
	return append(out, block4(0x7B, 0x4000, nil)...)
}

// block4 is the checksum, the type, the flags and the size, then what the type wants.
func block4(kind byte, flags uint16, body []byte) []byte {
	b := []byte{kind}
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint16(b, uint16(7+len(body)))
	b = append(b, body...)
	return append(binary.LittleEndian.AppendUint16(nil, uint16(crc32.ChecksumIEEE(b))), b...)
}

// Rar5 writes a RAR 5 file with one stored member.
func Rar5(_ testing.TB, name string, data []byte) []byte {
	return rar5(name, data, uint64(len(data)), 0)
}

// Rar5Bomb writes a RAR 5 file whose member asks for a dictionary of 128 KiB shifted
// left by power, and claims to be of that size.
func Rar5Bomb(power int) []byte {
	return rar5("a.exe", []byte("\x00\x01\x02\x03\x04\x05\x06\x07"), 1<<17<<power, uint64(power)<<10|3<<7)
}

func rar5(name string, data []byte, size, compression uint64) []byte {
	out := []byte("Rar!\x1a\x07\x01\x00")
	out = append(out, block5(varints(1, 0, 0))...) // main header
	head := varints(2, 2, uint64(len(data)))       // file header, with data
	head = append(head, varints(4, size, 0o100644)...)
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(data))
	head = append(head, varints(compression, 1, uint64(len(name)))...)
	out = append(out, block5(append(head, name...))...)
	out = append(out, data...)
	return append(out, block5(varints(5, 0, 0))...)
}

// block5 is the checksum and the size, then the header.
func block5(head []byte) []byte {
	b := append(varints(uint64(len(head))), head...)
	return append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)), b...)
}

func varints(values ...uint64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.AppendUvarint(out, v)
	}
	return out
}

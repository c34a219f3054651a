package archivetest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// ZipOverlapping is a small zip whose entries all point to the same data: each of them
// gives size octets.
func ZipOverlapping(entries, size int) []byte {
	zeros := make([]byte, size)
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level is good
	_, _ = w.Write(zeros)                                   // into memory
	_ = w.Close()
	sum := crc32.ChecksumIEEE(zeros)
	shared := func(b []byte) []byte {
		b = append(b, 20, 0, 0, 0, 8, 0, 0, 0, 0, 0) // version, flags, deflate, time, date
		b = binary.LittleEndian.AppendUint32(b, sum)
		b = binary.LittleEndian.AppendUint32(b, uint32(packed.Len()))
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
		return append(b, 1, 0, 0, 0) // a name of one octet, no extra field
	}
	out := append(shared([]byte("PK\x03\x04")), 'a')
	out = append(out, packed.Bytes()...)
	begin := len(out)
	for range entries {
		out = shared(append(out, 'P', 'K', 1, 2, 20, 0))
		out = append(out, make([]byte, 14)...)
		out = append(out, 'a')
	}
	end := []byte("PK\x05\x06\x00\x00\x00\x00")
	end = binary.LittleEndian.AppendUint16(end, uint16(entries))
	end = binary.LittleEndian.AppendUint16(end, uint16(entries))
	end = binary.LittleEndian.AppendUint32(end, uint32(len(out)-begin))
	end = binary.LittleEndian.AppendUint32(end, uint32(begin))
	return append(out, append(end, 0, 0)...)
}

// Seven writes a 7z file with one member, packed by one coder: its id, its properties,
// and the size that it claims to give.
func Seven(id, properties string, packed []byte, size uint64) []byte {
	head := []byte{0x01, 0x04, 0x06} // header, its streams, how they are packed
	head = append(head, number(0)...)
	head = append(head, number(1)...)
	head = append(head, 0x09)
	head = append(head, number(uint64(len(packed)))...)
	head = append(head, 0x00, 0x07, 0x0B, 1, 0) // one folder, here
	head = append(head, 1, byte(len(id))|0x20)
	head = append(head, id...)
	head = append(head, number(uint64(len(properties)))...)
	head = append(head, properties...)
	head = append(head, 0x0C)
	head = append(head, number(size)...)
	head = append(head, 0x00, 0x08, 0x00, 0x00)
	head = append(head, 0x05, 1, 0x11, 5, 0, 'a', 0, 0, 0, 0x00, 0x00) // one file named "a"
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(packed)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(head)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(head))
	out := []byte("7z\xbc\xaf\x27\x1c\x00\x04")
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(start))
	out = append(append(out, start...), packed...)
	return append(out, head...)
}

// number is an integer as 7z writes it, here always in full.
func number(v uint64) []byte {
	if v < 0x80 {
		return []byte{byte(v)}
	}
	return binary.LittleEndian.AppendUint64([]byte{0xFF}, v)
}

// XZBomb is an xz stream whose only block asks for a dictionary of almost 4 GiB.
func XZBomb() []byte {
	out := []byte("\xfd7zXZ\x00\x00\x01")
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out[6:8]))
	block := []byte{2, 0, 0x21, 1, 40, 0, 0, 0}
	out = append(out, block...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(block))
	return append(out, 1, 0, 0, 'x', 0)
}

// LZMABomb is an LZMA file that asks for a dictionary of 4 GiB less one.
func LZMABomb() []byte {
	return append([]byte("\x5d\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), make([]byte, 100)...)
}

// ZstdBomb is a Zstandard frame that asks for a window of 3.75 TiB.
func ZstdBomb() []byte {
	return []byte("\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00")
}

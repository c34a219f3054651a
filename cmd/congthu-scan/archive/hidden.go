package archive

import (
	"bytes"
	"hash/crc32"
)

// Hidden is an archive that begins somewhere inside of a file of another kind, where
// its own programs find it: a self-extracting program, a picture with a tail.
type Hidden struct {
	Format string // "rar", "7z" or "cab"
	At     int
}

// FindHidden returns the archives inside data, a bounded number of them. Only a whole
// and plausible header counts, for a program may carry the signatures it looks for.
func FindHidden(data []byte) []Hidden {
	const most = 8
	var found []Hidden
	for _, s := range []struct {
		format, magic string
		whole         func([]byte) bool
	}{{"rar", "Rar!\x1a\x07", isRar}, {"7z", sevenMagic, isSeven}, {"cab", cabMagic, isCab}} {
		for at := 1; at < len(data) && len(found) < most; at++ {
			n := bytes.Index(data[at:], []byte(s.magic))
			if n < 0 {
				break
			}
			if at += n; s.whole(data[at:]) {
				found = append(found, Hidden{s.format, at})
			}
		}
	}
	return found
}

// isRar wants the first block behind the signature to have its right checksum.
func isRar(d []byte) bool {
	switch {
	case len(d) >= 20 && d[6] == 0: // the main header of RAR 1.5 to 4
		size := int(le16(d, 12))
		return d[9] == 0x73 && size >= 13 && len(d) >= 7+size && uint16(crc32.ChecksumIEEE(d[9:7+size])) == le16(d, 7) //nolint:gosec // its low half
	case len(d) >= 16 && d[6] == 1 && d[7] == 0:
		size, n := uvarint(d[12:])
		end := 12 + n + int(size)
		return n > 0 && size < 2<<20 && end <= len(d) && crc32.ChecksumIEEE(d[12:end]) == le32(d, 8)
	}
	return false
}

func uvarint(d []byte) (v uint64, n int) {
	for n < len(d) && n < 5 {
		c := d[n]
		v |= uint64(c&0x7F) << (7 * n)
		if n++; c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

func isSeven(d []byte) bool {
	return len(d) >= sevenHead && crc32.ChecksumIEEE(d[12:sevenHead]) == le32(d, 8)
}

func isCab(d []byte) bool {
	return len(d) >= cabHead && d[24] == 3 && d[25] == 1 && int64(le32(d, 8)) <= int64(len(d))
}

package pgp

import "encoding/binary"

// crcInit and crcPoly are those of RFC 9580 section 6.1.1.
const (
	crcInit = 0xB704CE
	crcPoly = 0x1864CFB
)

// crcTables[k][b] is the checksum of the octet b before k octets of zero: eight octets are
// taken at a time.
var crcTables = makeCRC()

func makeCRC() (t [8][256]uint32) {
	for i := range t[0] {
		c := uint32(i) << 16
		for range 8 {
			if c <<= 1; c&0x1000000 != 0 {
				c ^= crcPoly
			}
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i, c := range t[k-1] {
			t[k][i] = c<<8&0xFFFFFF ^ t[0][c>>16]
		}
	}
	return t
}

// crcSpan is how far crc24 folds, and crcWords are how many words of eight octets it folds at
// a time.
const (
	crcSpan  = 54
	crcWords = 1024
)

// crc24 goes on with a checksum. x^54+x^45+x^43+x^30+x^6+1 is a multiple of the polynomial,
// and so it is with each power taken 64 times, which is squaring six times. Hence a word
// may go when it is added to those that lie 9, 11, 24, 48 and 54 words behind it: of a block,
// only its last 54 words need the tables, which cost several times as much.
func crc24(sum uint32, p []byte) uint32 {
	var f [crcWords + crcSpan]uint64 // what has gone, behind as many words of nothing
	for ; len(p) >= 8*crcWords; p = p[8*crcWords:] {
		in := (*[8 * crcWords]byte)(p)
		before := uint64(sum) << 40
		for i := range crcWords - crcSpan {
			f[i+crcSpan] = before ^ binary.BigEndian.Uint64(in[8*i:]) ^ f[i+45] ^ f[i+43] ^ f[i+30] ^ f[i+6] ^ f[i]
			before = 0
		}
		sum = 0
		for i := crcWords - crcSpan; i < crcWords; i++ {
			sum = crcEight(sum, binary.BigEndian.Uint64(in[8*i:])^f[i+45]^f[i+43]^f[i+30]^f[i+6]^f[i])
		}
	}
	for ; len(p) >= 8; p = p[8:] {
		sum = crcEight(sum, binary.BigEndian.Uint64(p))
	}
	for _, b := range p {
		sum = sum<<8&0xFFFFFF ^ crcTables[0][byte(sum>>16)^b]
	}
	return sum
}

// crcEight goes on by eight octets. What depends on those before is put together last.
func crcEight(sum uint32, v uint64) uint32 {
	t := &crcTables
	rest := t[4][byte(v>>32)] ^ t[3][byte(v>>24)] ^ t[2][byte(v>>16)] ^ t[1][byte(v>>8)] ^ t[0][byte(v)]
	sum ^= uint32(v >> 40)
	return (t[7][byte(sum>>16)] ^ t[6][byte(sum>>8)]) ^ (t[5][byte(sum)] ^ rest)
}

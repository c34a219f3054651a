// Package radix64 writes octets as lines of base64, as MIME parts and OpenPGP armor have
// them. It exists beside encoding/base64, which knows no lines, because letters of many
// megabytes are written so: six octets become eight characters at a time.
package radix64

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// MIME and Armor are how many octets a line holds: 76 characters (RFC 2045 section 6.8), and
// the 64 that programs write in armor (RFC 9580 section 6.1 allows 76).
const (
	MIME  = 57
	Armor = 48
)

// AppendLines appends data to dst in base64 (RFC 4648 section 4), so many octets on a line,
// a number above 0 that divides by three; every line, the last one as well, is followed by
// end.
func AppendLines(dst, data []byte, octets int, end string) []byte {
	done, size := len(dst), Size(len(data), octets, end)
	dst = slices.Grow(dst, size)[:done+size]
	out := dst[done:]
	if octets == Armor {
		out, data = armorLines(out, data, end)
	}
	for len(data) > 0 {
		n := min(octets, len(data))
		k := 0
		for ; k+8 <= n; k += 6 {
			eight(out[k/3*4:], binary.BigEndian.Uint64(data[k:])>>16)
		}
		base64.StdEncoding.Encode(out[k/3*4:], data[k:n])
		out = out[base64.StdEncoding.EncodedLen(n):]
		out = out[copy(out, end):]
		data = data[n:]
	}
	return dst
}

// Size is how many octets AppendLines appends for so many.
func Size(n, octets int, end string) int {
	return base64.StdEncoding.EncodedLen(n) + (n+octets-1)/octets*len(end)
}

// armorLines encodes the whole lines of armor, and returns what is left. Sizes that the
// compiler knows make it twice as fast as lines of any length are.
func armorLines(out, data []byte, end string) (_, _ []byte) {
	const chars = Armor / 3 * 4
	for len(data) >= Armor {
		line, from := (*[chars]byte)(out), (*[Armor]byte)(data)
		for i := range Armor/6 - 1 {
			eight(line[8*i:], binary.BigEndian.Uint64(from[6*i:])>>16)
		}
		eight(line[chars-8:], binary.BigEndian.Uint64(from[Armor-8:]))
		out, data = out[chars:], data[Armor:]
		out = out[copy(out, end):]
	}
	return out, data
}

// eight writes the lower six octets of v as eight characters.
func eight(out []byte, v uint64) {
	const pair = 1<<12 - 1
	binary.LittleEndian.PutUint64(out, uint64(pairs[v>>36&pair])|uint64(pairs[v>>24&pair])<<16|
		uint64(pairs[v>>12&pair])<<32|uint64(pairs[v&pair])<<48)
}

// pairs are the two characters of each twelve bits, the first one lower.
var pairs = makePairs()

func makePairs() (t [1 << 12]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return t
}

package octets_test

import (
	"encoding/binary"
	"testing"

	"congthu/internal/octets"
)

// Each octet beside each other one, in each place.
func TestWithin(t *testing.T) {
	for _, bound := range [][2]byte{{'a', 'z'}, {'0', '9'}, {'%', '%'}, {0, 0}, {0, 0x7F}, {0x7F, 0x7F}} {
		for a := range 256 {
			for b := range 256 {
				s := string([]byte{byte(a), byte(b), byte(b), byte(a), byte(a), byte(a), byte(b), byte(b)})
				got := octets.Within(octets.Eight(s), bound[0], bound[1])
				want, run := uint64(0), 0
				for i := 7; i >= 0; i-- {
					want <<= 8
					if s[i] >= bound[0] && s[i] <= bound[1] {
						want |= 0x80
						run++
					} else {
						run = 0
					}
				}
				if got != want || octets.Run(got) != run {
					t.Fatalf("%q in %q: %x and %d, want %x and %d", s, bound, got, octets.Run(got), want, run)
				}
			}
		}
	}
}

func TestEight(t *testing.T) {
	const s = "\x00\x01abc\xfe\xff\x80"
	if got, want := octets.Eight(s), binary.LittleEndian.Uint64([]byte(s)); got != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestASCII(t *testing.T) {
	for s, want := range map[string]int{"": 0, "1234567": 0, "12345678": 8, "12345678\x80": 8, "1234567\x80": 0, "123456781234567812345\xff": 16} {
		if got := octets.ASCII(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

package pgp

import (
	"math/rand/v2"
	"testing"
)

// slowly is the checksum by its definition, bit by bit (RFC 9580 section 6.1.1).
func slowly(sum uint32, p []byte) uint32 {
	for _, b := range p {
		sum ^= uint32(b) << 16
		for range 8 {
			if sum <<= 1; sum&0x1000000 != 0 {
				sum ^= crcPoly
			}
		}
	}
	return sum
}

// Whatever the length and however the octets are cut.
func TestChecksum(t *testing.T) {
	data := make([]byte, 3*8*crcWords+8*crcSpan+5)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data)
	for n := range 70 {
		want := slowly(crcInit, data[:n])
		for cut := range n + 1 {
			if got := crc24(crc24(crcInit, data[:cut]), data[cut:n]); got != want {
				t.Fatalf("%d octets, cut at %d: %06x, want %06x", n, cut, got, want)
			}
		}
	}
	for _, n := range []int{8*crcWords - 1, 8 * crcWords, 8*crcWords + 1, 2*8*crcWords + 9, len(data)} {
		for _, from := range []int{0, 1, 7, 8*crcSpan + 3} {
			from = min(from, n)
			if got, want := crc24(crcInit, data[from:n]), slowly(crcInit, data[from:n]); got != want {
				t.Errorf("%d octets from %d on: %06x, want %06x", n, from, got, want)
			}
		}
	}
}

// One octet anywhere in a block is one octet in the checksum.
func TestChecksumOfEachPlace(t *testing.T) {
	block := make([]byte, 8*crcWords)
	for i := range block {
		block[i] = 0x5A
		if got, want := crc24(0, block), slowly(0, block); got != want {
			t.Fatalf("octet %d: %06x, want %06x", i, got, want)
		}
		block[i] = 0
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte("x"), 1, 3*8*crcWords)
	f.Fuzz(func(t *testing.T, seed []byte, cut, n int) {
		data := make([]byte, min(max(n, 0), 1<<16))
		for i := range data {
			data[i] = byte(i * i >> 3)
			if len(seed) > 0 {
				data[i] ^= seed[i%len(seed)]
			}
		}
		cut = min(max(cut, 0), len(data))
		if got, want := crc24(crc24(crcInit, data[:cut]), data[cut:]), slowly(crcInit, data); got != want {
			t.Errorf("%06x, want %06x", got, want)
		}
	})
}

func BenchmarkChecksum(b *testing.B) {
	data := make([]byte, 32<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		crc24(crcInit, data)
	}
}

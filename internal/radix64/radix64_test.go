package radix64_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"congthu/internal/radix64"
)

// plainly is the same by the standard library alone.
func plainly(data []byte, octets int, end string) (out []byte) {
	for len(data) > 0 {
		n := min(octets, len(data))
		out = append(base64.StdEncoding.AppendEncode(out, data[:n]), end...)
		data = data[n:]
	}
	return out
}

func same(t *testing.T, data []byte, octets int, end string) {
	t.Helper()
	want := plainly(data, octets, end)
	got := radix64.AppendLines([]byte("before "), data, octets, end)
	if !bytes.Equal(got, append([]byte("before "), want...)) {
		t.Fatalf("%d octets in lines of %d: %q, want %q", len(data), octets, got, want)
	}
	if n := radix64.Size(len(data), octets, end); n != len(want) {
		t.Fatalf("%d octets in lines of %d: size %d, want %d", len(data), octets, n, len(want))
	}
}

// Every pair of characters in every place, and every length around the ends of lines.
func TestAppendLines(t *testing.T) {
	var all []byte
	for v := range 1 << 12 {
		all = append(all, byte(v>>4), byte(v<<4)|byte(v>>8), byte(v))
	}
	for i := range 6 {
		same(t, all[i:], radix64.Armor, "\r\n")
	}
	data := make([]byte, 300)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	for n := range data {
		for _, octets := range []int{3, 6, 9, radix64.Armor, radix64.MIME} {
			same(t, data[:n:n], octets, "\r\n")
			same(t, data[:n:n], octets, "\n")
			same(t, data[:n:n], octets, "")
		}
	}
}

// What has room is not moved.
func TestAppendLinesInPlace(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	room := make([]byte, 0, radix64.Size(len(data), radix64.MIME, "\r\n"))
	if n := testing.AllocsPerRun(10, func() { radix64.AppendLines(room, data, radix64.MIME, "\r\n") }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func FuzzAppendLines(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), 2, "\r\n")
	f.Fuzz(func(t *testing.T, data []byte, octets int, end string) {
		same(t, data, 3+3*(octets&63), end)
	})
}

func BenchmarkAppendLines(b *testing.B) {
	data := make([]byte, 256*radix64.Armor)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	var out []byte
	for name, encode := range map[string]func(){
		"ours":     func() { out = radix64.AppendLines(out[:0], data, radix64.Armor, "\r\n") },
		"standard": func() { out = plainly(data, radix64.Armor, "\r\n") },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				encode()
			}
		})
	}
}

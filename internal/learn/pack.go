package learn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
)

// ErrFormat says that octets are no model, or a damaged one, or of another version.
var ErrFormat = errors.New("learn: not a model of this version")

// magic begins a model file. The number changes with everything that gives features other
// numbers: a model is of no use to a program that reads letters in another way.
const magic = "congthu-model 2\n"

// quiet is the weight, in steps of 127 by square root, below which it is left out.
const quiet = 5

// Pack writes the model small: weights in one octet each, those near zero left out,
// features seen once only not counted, compressed, with a checksum. What a packed model
// says differs a little from what was packed; packing an unpacked model changes nothing
// more than once.
func (m *Model) Pack() ([]byte, error) {
	w := packer{b: bytes.Clone(m.Material[:])}
	for _, x := range []float64{m.a, m.b, m.steps, m.seen[0], m.seen[1], m.naive.total[0], m.naive.total[1]} {
		w.float(x)
	}
	for v := range views {
		w.linear(m.line[v])
	}
	w.counts(m.naive)
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	out := z.EncodeAll(w.b, []byte(magic))
	sum := sha256.Sum256(out)
	return append(out, sum[:]...), nil
}

type packer struct{ b []byte }

func (w *packer) float(x float64) { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x)) }
func (w *packer) number(n int)    { w.b = binary.AppendUvarint(w.b, uint64(n)) }

// places writes ascending numbers as differences.
func (w *packer) places(list []uint32) {
	w.number(len(list))
	last := uint32(0)
	for _, i := range list {
		w.number(int(i - last))
		last = i
	}
}

func (w *packer) linear(l *linear) {
	var top, rates float64
	for _, x := range l.w {
		top = max(top, math.Abs(float64(x)))
	}
	var at []uint32
	var q []byte
	for i, x := range l.w {
		if c := squeeze(float64(x), top); c != 0 {
			at, q = append(at, uint32(i)), append(q, byte(c))
			rates += float64(l.g[i].float())
		}
	}
	w.float(top)
	w.float(rates / float64(max(len(at), 1)))
	w.places(at)
	w.b = append(w.b, q...)
}

// squeeze gives a weight as a signed octet, finer near zero.
func squeeze(x, top float64) int8 {
	if top == 0 {
		return 0
	}
	c := int8(math.Round(127 * math.Sqrt(math.Abs(x)/top)))
	switch {
	case c < quiet:
		return 0
	case x < 0:
		return -c
	}
	return c
}

func stretch(c int8, top float64) float32 {
	s := float64(c) / 127
	return float32(math.Copysign(float64(s*s)*top, s))
}

func (w *packer) counts(c *counts) {
	var at []uint32
	for i, n := range c.n {
		if int(n[0])+int(n[1]) > 1 {
			at = append(at, uint32(i))
		}
	}
	w.places(at)
	for k := range 2 {
		for _, i := range at {
			w.number(int(c.n[i][k]))
		}
	}
}

// Unpack reads what Pack wrote. The error is ErrFormat.
func Unpack(b []byte) (*Model, error) {
	body, sum := b[:max(0, len(b)-sha256.Size)], b[max(0, len(b)-sha256.Size):]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) || !bytes.HasPrefix(body, []byte(magic)) {
		return nil, ErrFormat
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(unpackLimit))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain, err := z.DecodeAll(body[len(magic):], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	r := unpacker{b: plain}
	m := New()
	copy(m.Material[:], r.take(len(m.Material)))
	for _, x := range []*float64{&m.a, &m.b, &m.steps, &m.seen[0], &m.seen[1], &m.naive.total[0], &m.naive.total[1]} {
		*x = r.float()
	}
	for v := range views {
		r.linear(m.line[v])
	}
	r.counts(m.naive)
	if r.bad || len(r.b) > 0 {
		return nil, ErrFormat
	}
	return m, nil
}

// unpackLimit bounds what a file may grow to, in octets.
const unpackLimit = 64 << 20

// unpacker reads numbers; after a mistake it gives zeros and remembers.
type unpacker struct {
	b   []byte
	bad bool
}

func (r *unpacker) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *unpacker) float() float64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		r.bad = true
		return 0
	}
	return x
}

func (r *unpacker) number() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

// places reads ascending numbers below the limit.
func (r *unpacker) places(limit int) []uint32 {
	n := r.number()
	if n > uint64(limit) || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := make([]uint32, 0, n)
	at := uint64(0)
	for k := range n {
		d := r.number()
		at += d
		if d >= uint64(limit) || at >= uint64(limit) || k > 0 && d == 0 {
			r.bad = true
			return nil
		}
		out = append(out, uint32(at))
	}
	return out
}

func (r *unpacker) linear(l *linear) {
	top, rates := r.float(), halfOf(float32(max(0, r.float())))
	at := r.places(len(l.w))
	q := r.take(len(at))
	if r.bad {
		return
	}
	for k, i := range at {
		l.w[i], l.g[i] = stretch(int8(q[k]), top), rates
	}
}

func (r *unpacker) counts(c *counts) {
	at := r.places(len(c.n))
	for k := range 2 {
		for _, i := range at {
			c.n[i][k] = uint16(min(r.number(), math.MaxUint16))
		}
	}
}

// Pack writes an example for the store: about 6 KB for a common letter.
func (e Example) Pack() []byte {
	var w packer
	w.number(exampleVersion)
	for v := range views {
		w.places(e[v])
	}
	return w.b
}

// exampleVersion changes when features are numbered otherwise: what was packed before
// means nothing any more.
const exampleVersion = 2

// UnpackExample reads what Example.Pack wrote. The error is ErrFormat.
func UnpackExample(b []byte) (Example, error) {
	r := unpacker{b: b}
	if r.number() != exampleVersion {
		return Example{}, ErrFormat
	}
	var e Example
	for v := range views {
		e[v] = r.places(1 << v.slots())
	}
	if r.bad || len(r.b) > 0 {
		return Example{}, ErrFormat
	}
	return e, nil
}

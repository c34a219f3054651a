package learn

import "math"

// linear is a logistic regression that learns one example after the other. Each weight
// has a rate of its own, which is the smaller the more the weight has moved (AdaGrad), so
// that rare features learn fast and common ones settle.
type linear struct {
	w []float32
	g []half // sum of the squared steps
}

func newLinear(slots int) *linear {
	return &linear{w: make([]float32, 1<<slots), g: make([]half, 1<<slots)}
}

// Chosen by cross validation within the open half of the SpamAssassin corpus and from one
// of its sources to others; each may be halved or doubled without much harm.
const (
	rate = 1.0
	damp = 0.001 // keeps the first step of a weight short
	near = 0.1   // what is known within this probability is not learned again
)

// score is the opinion in log-odds. Long letters have many features; they do not say
// more for it. There is no constant term: it would learn which kind came last.
func (l *linear) score(f []uint32) float64 {
	if len(f) == 0 {
		return 0
	}
	var sum float64
	for _, i := range f {
		sum += float64(l.w[i])
	}
	return sum / math.Sqrt(float64(len(f)))
}

// train moves the weights if the opinion is wrong or not sure.
func (l *linear) train(f []uint32, spam bool) {
	if len(f) == 0 {
		return
	}
	g := sigmoid(l.score(f)) - float64(index(spam))
	if math.Abs(g) < near {
		return
	}
	step := g / math.Sqrt(float64(len(f)))
	square := float32(step * step)
	for _, i := range f {
		l.g[i] = l.g[i].plus(square)
		l.w[i] -= float32(rate * step / math.Sqrt(float64(l.g[i].float())+damp))
	}
}

// half is the upper half of a float32: enough for a sum that only sets a rate, and half
// the memory. When the sum has grown 256 times as large as a step it stays, and so a
// weight never stops learning.
type half uint16

func (h half) float() float32 { return math.Float32frombits(uint32(h) << 16) }

func (h half) plus(x float32) half { return halfOf(h.float() + x) }

// halfOf rounds to nearest; x is not negative.
func halfOf(x float32) half { return half((math.Float32bits(x) + 0x8000) >> 16) }

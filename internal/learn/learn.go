// Package learn is the classifier: it learns from labelled letters which are unwanted, in
// any language, one letter at a time, in bounded memory. It is pure code: no files, no
// clock, no chance; the same letters in the same order make the same model to the bit.
//
// A letter is looked at in five ways (see View), each with an online logistic regression
// of its own over hashed features, and its words by a sixth learner that only counts. Their
// opinions are added as log-odds with fixed weights. Weights that are learned as well
// (stacking) were tried and left: on letters of the same mailbox they gain nothing, and
// on letters of another they trust the views that saw the mailbox and not the letter.
// What the sum is worth as a probability is learned (Platt scaling), from opinions given
// before the letter itself was learned.
package learn

import (
	"math"

	"congthu/internal/msg"
)

// Letter is what the classifier reads of a message: its octets, its parts, and the text
// its reader sees. Root and Text may be nil; then less is seen.
type Letter struct {
	Raw  []byte
	Root *msg.Part
	Text *msg.Text
}

// Of is the letter of a message that was parsed and read.
func Of(m *msg.Message) Letter { return Letter{m.Raw, m.Root, m.Text} }

// Model is what was learned. It takes about 16 MB. Its methods are not safe for
// concurrent use with Train.
type Model struct {
	line  [views]*linear
	naive *counts
	a, b  float64    // Platt scaling of the sum
	steps float64    // of the scaling
	seen  [2]float64 // letters learned: ham, spam

	// Material is a hash of what a starting model was made of; zeros if nobody said.
	Material [32]byte
}

// New returns a model that knows nothing and is never sure.
func New() *Model {
	m := &Model{naive: newCounts(Words.slots()), a: 1.0 / 3}
	for v := range views {
		m.line[v] = newLinear(v.slots())
	}
	return m
}

// Opinion is what the model thinks of a letter.
type Opinion struct {
	LogOdds float64 // of being unwanted, in natural units; 0: no opinion
	Known   float64 // share of its words that were seen before, 0 to 1
}

// Spam is the probability that the letter is unwanted, 0 to 1.
func (o Opinion) Spam() float64 { return sigmoid(o.LogOdds) }

// countsLimit bounds the opinion of the learner that counts, in log-odds: it takes words
// for independent that are not, and is too sure.
const countsLimit = 16

// sum adds the views' opinions.
func (m *Model) sum(e Example) (z, known float64) {
	for v := range views {
		z += m.line[v].score(e[v])
	}
	n, known := m.naive.score(e[Words])
	return z + max(-countsLimit, min(countsLimit, n)), known
}

// Judge gives the model's opinion of a letter.
func (m *Model) Judge(e Example) Opinion {
	z, known := m.sum(e)
	return Opinion{LogOdds: float64(m.a*z) + m.b, Known: known}
}

// Seen is how many letters of each kind were learned.
func (m *Model) Seen() (ham, spam int) { return int(m.seen[0]), int(m.seen[1]) }

// Train learns one letter.
func (m *Model) Train(e Example, spam bool) {
	m.calibrate(e, spam)
	m.again(e, spam)
	m.naive.train(e[Words], spam)
	m.seen[index(spam)]++
}

// again goes over a letter that was learned: regressions gain from it, counts would be
// wrong by it.
func (m *Model) again(e Example, spam bool) {
	for v := range views {
		m.line[v].train(e[v], spam)
	}
}

// calibrate learns what the sum is worth from what it says before it knows the answer.
func (m *Model) calibrate(e Example, spam bool) {
	z, _ := m.sum(e)
	z = max(-30, min(30, z))
	m.steps++
	g := sigmoid(float64(m.a*z)+m.b) - float64(index(spam))
	rate := 1 / math.Sqrt(100+m.steps)
	m.a = max(0.05, min(1, m.a-float64(0.02*rate*float64(g*z))))
	m.b = max(-4, min(4, m.b-float64(0.5*rate*g)))
}

func index(spam bool) int {
	if spam {
		return 1
	}
	return 0
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Lesson is a labelled letter.
type Lesson struct {
	Example Example
	Spam    bool
}

// TrainAll learns n lessons several times over, each time in another order, which depends
// on nothing but their number. They are asked for one at a time, so that a collection need
// not be in memory unpacked.
func (m *Model) TrainAll(n int, lesson func(int) Lesson) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	seed := uint64(1)
	for round := range rounds {
		shuffle(order, &seed)
		for _, i := range order {
			l := lesson(i)
			if round == 0 {
				m.Train(l.Example, l.Spam)
			} else {
				m.again(l.Example, l.Spam)
			}
		}
	}
}

// rounds is how often a collection is gone over; more gain nothing on letters not seen.
const rounds = 4

// shuffle is our own, so that the order is the same with every release of the library.
func shuffle(order []int, seed *uint64) {
	for i := len(order) - 1; i > 0; i-- {
		*seed = *seed*6364136223846793005 + 1442695040888963407
		j := int((*seed >> 33) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
}

// Teach learns one letter that a person has judged: again, a few times, until it would be
// judged so, because a report that changes nothing is not made twice.
func (m *Model) Teach(e Example, spam bool) {
	m.Train(e, spam)
	for range patience {
		if (m.Judge(e).LogOdds > 0) == spam {
			return
		}
		m.again(e, spam)
	}
}

// patience bounds how often a letter is gone over again, so that one report moves little
// else.
const patience = 3

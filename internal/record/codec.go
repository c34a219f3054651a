package record

import (
	"encoding/binary"
	"fmt"
	"math"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// A row's content, unpacked, is an octet that names its form and then letters: the length
// of each, and its fields one after the other. JSON would take four times as long to
// read, and a week has a million letters. A new field is a new form; old forms are read
// as long as rows of theirs are kept.
const form = 1

// writer appends fields.
type writer struct{ b []byte }

func (w *writer) number(n int64)  { w.b = binary.AppendVarint(w.b, n) }
func (w *writer) text(s string)   { w.b = append(binary.AppendUvarint(w.b, uint64(len(s))), s...) }
func (w *writer) count(n int)     { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *writer) score(f float64) { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(f)) }

func (w *writer) truth(bs ...bool) {
	var n byte
	for i, b := range bs {
		if b {
			n |= 1 << i
		}
	}
	w.b = append(w.b, n)
}

func (w *writer) places(ps []int) {
	w.count(len(ps))
	for _, p := range ps {
		w.count(p)
	}
}

func (w *writer) letter(l *Letter) {
	w.text(l.ID)
	w.number(l.At)
	w.text(l.From.Raw)
	w.text(l.From.Domain)
	w.count(len(l.To))
	for _, a := range l.To {
		w.text(a.Raw)
		w.text(a.Domain)
	}
	w.truth(l.Cut, l.Outbound)
	w.text(l.Agency)
	w.text(l.Account)
	w.number(int64(l.Size))
	w.number(l.Took)
	w.count(len(l.Auth))
	for _, a := range l.Auth {
		w.text(a.Method)
		w.text(a.Status)
		w.text(a.Property)
		w.text(a.Value)
	}
	w.count(len(l.Outcomes))
	for _, o := range l.Outcomes {
		w.outcome(o)
	}
	w.count(len(l.Fates))
	for _, f := range l.Fates {
		w.fate(f)
	}
	w.number(int64(l.Reply))
	w.places(l.Keys)
	w.text(l.Sealed)
	w.text(l.Rules)
}

func (w *writer) outcome(o Outcome) {
	w.text(o.Inspector)
	w.truth(o.Blind)
	w.count(len(o.Findings))
	for _, f := range o.Findings {
		w.text(f.Symbol)
		w.text(f.Evidence)
		w.text(f.Part)
		w.number(int64(f.Percent))
		w.text(f.Type)
	}
}

func (w *writer) fate(f Fate) {
	w.text(f.Action)
	w.score(f.Score)
	w.score(f.Required)
	w.text(f.Reason)
	w.text(f.Rule)
	w.places(f.To)
}

// encode makes the content of a row.
func encode(letters []*Letter) []byte {
	out, w := []byte{form}, writer{}
	for _, l := range letters {
		w.b = w.b[:0]
		w.letter(l)
		out = append(binary.AppendUvarint(out, uint64(len(w.b))), w.b...)
	}
	return out
}

// reader takes fields; after the first that is not there every one is empty and bad is
// set. words holds the texts that stand in every letter, so that each is in memory once.
type reader struct {
	b     []byte
	bad   bool
	words map[string]string
}

func (r *reader) fail() {
	r.b, r.bad = nil, true
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count is a number of things that take an octet or more each.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) octets() []byte {
	n := r.count()
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.octets()) }

// word is a text of which there are few.
func (r *reader) word() string {
	b := r.octets()
	if s, ok := r.words[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(r.words) < 10_000 {
		r.words[s] = s
	}
	return s
}

func (r *reader) score() float64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	return f
}

func (r *reader) truth() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	n := r.b[0]
	r.b = r.b[1:]
	return n
}

// list reads so many things as a count before them says.
func list[T any](r *reader, read func() T) []T {
	n := r.count()
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, maxFindings))
	for range n {
		if r.bad {
			return nil
		}
		out = append(out, read())
	}
	return out
}

// places reads places in a list of n.
func (r *reader) places(n int) []int {
	return list(r, func() int {
		p := r.uint()
		if p >= uint64(n) {
			r.fail()
			return 0
		}
		return int(p)
	})
}

func (r *reader) address() Address { return Address{Raw: r.word(), Domain: r.word()} }

func (r *reader) letter() *Letter {
	l := &Letter{ID: r.text(), At: r.number(), From: Address{Raw: r.text(), Domain: r.word()}, To: list(r, r.address)}
	flags := r.truth()
	l.Cut, l.Outbound = flags&1 != 0, flags&2 != 0
	l.Agency, l.Account = r.word(), r.word()
	l.Size, l.Took = int(r.number()), r.number()
	l.Auth = list(r, func() msg.AuthResult {
		return msg.AuthResult{Method: r.word(), Status: r.word(), Property: r.word(), Value: r.text()}
	})
	l.Outcomes = list(r, r.outcome)
	l.Fates = list(r, func() Fate {
		return Fate{Action: r.word(), Score: r.score(), Required: r.score(), Reason: r.word(), Rule: r.word(), To: r.places(len(l.To))}
	})
	l.Reply, l.Keys = int(r.number()), r.places(len(l.To))
	l.Sealed, l.Rules = r.word(), r.word()
	return l
}

func (r *reader) outcome() Outcome {
	return Outcome{Inspector: r.word(), Blind: r.truth()&1 != 0, Findings: list(r, func() msg.Finding {
		return msg.Finding{Symbol: r.word(), Evidence: r.text(), Part: r.word(), Percent: int(r.number()), Type: r.word()}
	})}
}

// decode reads the content of a row. What is damaged is an error, never a shorter list.
func decode(content []byte, words map[string]string, each func(*Letter) error) error {
	if len(content) == 0 || content[0] != form {
		return fmt.Errorf("record: %w: not of a form that this version reads", store.ErrCorrupt)
	}
	outer := reader{b: content[1:]}
	for len(outer.b) > 0 {
		inner := reader{b: outer.octets(), words: words}
		l := inner.letter()
		if outer.bad || inner.bad || len(inner.b) > 0 {
			return fmt.Errorf("record: %w: a letter is cut or has more fields than it should", store.ErrCorrupt)
		}
		if err := each(l); err != nil {
			return err
		}
	}
	return nil
}

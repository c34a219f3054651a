package content

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// filter says of most texts, in one pass and without trying anything twice, that an
// expression does not match in them: a deterministic automaton over octets. The library
// that finds the match itself takes many times as long, and is asked only where the
// filter is not sure. It is coarser than the expression: long repetitions are without
// bound in it, all octets beyond ASCII are one, and the ends of lines and texts are
// everywhere.
type filter struct {
	class   [256]uint8
	classes int
	next    []uint16  // by state and class of the next octet
	ends    []bool    // by state: the expression may match where the text ends
	skip    [256]bool // octets that lead from an idle state to one
}

// The first states. In an idle one no match has begun; the octet before is one of a word
// or none, which \b asks for.
const (
	idle     = 0
	idleWord = 1
	matched  = 2
)

const (
	maxStates  = 1000
	maxInsts   = 600
	mostCopies = 4 // of what is repeated
	beyond     = 2 // sign of octets beyond ASCII
)

// newFilter returns nil where the automaton would be too large.
func newFilter(source string) *filter {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(coarse(re).Simplify())
	if err != nil || len(prog.Inst) > maxInsts {
		return nil
	}
	b := &filterBuilder{prog: prog, filter: &filter{}, known: map[string]uint16{}, done: make([]int, len(prog.Inst))}
	b.divide()
	return b.build()
}

// coarse lets what is repeated many times be repeated any number of times.
func coarse(re *syntax.Regexp) *syntax.Regexp {
	out := *re
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, sub := range re.Sub {
		out.Sub[i] = coarse(sub)
	}
	if re.Op == syntax.OpRepeat && (re.Max > mostCopies || re.Max < 0) {
		out.Min, out.Max = min(re.Min, mostCopies), -1
	}
	return &out
}

// may tells whether the expression may match somewhere in the text. False is certain.
func (f *filter) may(text string) bool {
	state := uint16(idle)
	for i := 0; i < len(text); i++ {
		if state <= idleWord {
			from := i
			for i < len(text) && f.skip[text[i]] {
				i++
			}
			if i == len(text) {
				break
			}
			if i > from {
				state = idleBehind(text[i-1])
			}
		}
		if state = f.next[int(state)*f.classes+int(f.class[text[i]])]; state == matched {
			return true
		}
	}
	if n := len(text); state <= idleWord && n > 0 {
		state = idleBehind(text[n-1])
	}
	return f.ends[state]
}

func idleBehind(b byte) uint16 {
	if wordOctet(b) {
		return idleWord
	}
	return idle
}

// wordOctet tells the characters that \b looks for.
func wordOctet(b byte) bool { return b < utf8.RuneSelf && syntax.IsWordChar(rune(b)) }

// filterBuilder makes the states of a filter, each from the set of instructions that wait
// for the next octet.
type filterBuilder struct {
	*filter
	prog    *syntax.Prog
	samples []byte            // an octet of each class
	known   map[string]uint16 // states by what waits in them
	states  [][]uint32        // what waits: instructions before their empty steps
	round   int               // of closure
	done    []int             // by instruction: the last round in which it was taken
}

// divide puts octets that no instruction tells from each other into one class.
func (b *filterBuilder) divide() {
	classes := map[string]uint8{}
	sign := make([]byte, 1+len(b.prog.Inst))
	for c := range utf8.RuneSelf + 1 { // those beyond ASCII are as the first of them
		sign[0] = byte(flag(wordOctet(byte(c))))
		if c == utf8.RuneSelf { // they are a class of their own: a character may go on behind them
			sign[0] = beyond
		}
		for i := range b.prog.Inst {
			sign[1+i] = byte(flag(takes(&b.prog.Inst[i], byte(c))))
		}
		if _, ok := classes[string(sign)]; !ok {
			classes[string(sign)] = uint8(len(classes))
			b.samples = append(b.samples, byte(c))
		}
		b.class[c] = classes[string(sign)]
	}
	for c := utf8.RuneSelf; c < 256; c++ {
		b.class[c] = b.class[utf8.RuneSelf]
	}
	b.classes = len(classes)
}

// takes tells whether an instruction may take the octet; of those beyond ASCII, any.
func takes(in *syntax.Inst, c byte) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
	default:
		return false
	}
	if c < utf8.RuneSelf {
		return in.MatchRune(rune(c))
	}
	return in.Op == syntax.InstRuneAny || in.Op == syntax.InstRuneAnyNotNL || takesBeyond(in)
}

// takesBeyond tells whether it may take a character beyond ASCII: k in any case is also
// the sign of the kelvin.
func takesBeyond(in *syntax.Inst) bool {
	if slices.ContainsFunc(in.Rune, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return true
	}
	if len(in.Rune) != 1 || syntax.Flags(in.Arg)&syntax.FoldCase == 0 {
		return false
	}
	for r := unicode.SimpleFold(in.Rune[0]); r != in.Rune[0]; r = unicode.SimpleFold(r) {
		if r >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func (b *filterBuilder) build() *filter {
	b.state(nil, false)
	b.state(nil, true)
	b.states = append(b.states, nil) // matched
	for s := 0; s < len(b.states); s++ {
		if len(b.states) > maxStates {
			return nil
		}
		b.row(s)
	}
	for c := range 256 {
		to := func(s int) uint16 { return b.next[s*b.classes+int(b.class[c])] }
		b.skip[c] = to(idle) <= idleWord && to(idleWord) <= idleWord
	}
	return b.filter
}

// state returns the number of a state: what waits, and whether the octet before is of a
// word, which is put last.
func (b *filterBuilder) state(waits []uint32, behindWord bool) uint16 {
	slices.Sort(waits)
	waits = append(slices.Compact(waits), flag(behindWord))
	name := make([]byte, 0, 4*len(waits))
	for _, w := range waits {
		name = binary.LittleEndian.AppendUint32(name, w)
	}
	n, ok := b.known[string(name)]
	if !ok {
		n = uint16(len(b.states))
		b.known[string(name)] = n
		b.states = append(b.states, waits)
	}
	return n
}

func flag(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}

// row works out where a state leads to.
func (b *filterBuilder) row(s int) {
	if s == matched {
		b.next = append(b.next, slices.Repeat([]uint16{matched}, b.classes)...)
		b.ends = append(b.ends, true)
		return
	}
	waits := b.states[s]
	behindWord := waits[len(waits)-1] == 1
	waits = append(slices.Clone(waits[:len(waits)-1]), uint32(b.prog.Start)) // a match may begin anywhere
	for class := range b.classes {
		c := b.samples[class]
		at, match := b.closure(waits, behindWord, wordOctet(c))
		if match {
			b.next = append(b.next, matched)
			continue
		}
		b.next = append(b.next, b.state(b.over(at, c), wordOctet(c)))
	}
	_, match := b.closure(waits, behindWord, false)
	b.ends = append(b.ends, match)
}

// over returns what waits behind the octet. A character beyond ASCII has more octets, any
// number of them for all that is known here.
func (b *filterBuilder) over(at []uint32, c byte) []uint32 {
	var out []uint32
	for _, n := range at {
		in := &b.prog.Inst[n]
		if !takes(in, c) {
			continue
		}
		out = append(out, in.Out)
		if c >= utf8.RuneSelf {
			out = append(out, n)
		}
	}
	return out
}

// closure takes all steps that need no octet, and tells whether a match ends here.
func (b *filterBuilder) closure(waits []uint32, behindWord, beforeWord bool) (at []uint32, match bool) {
	b.round++
	stack := slices.Clone(waits)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if b.done[n] == b.round {
			continue
		}
		b.done[n] = b.round
		switch in := &b.prog.Inst[n]; in.Op {
		case syntax.InstMatch:
			return nil, true
		case syntax.InstFail:
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, in.Out)
		case syntax.InstEmptyWidth:
			op := syntax.EmptyOp(in.Arg)
			if op&syntax.EmptyWordBoundary != 0 && behindWord == beforeWord || op&syntax.EmptyNoWordBoundary != 0 && behindWord != beforeWord {
				continue
			}
			stack = append(stack, in.Out)
		default:
			at = append(at, n)
		}
	}
	return at, false
}

package policy

import (
	"fmt"
	"strings"

	"congthu/internal/msg"
)

// Composite is a symbol that stands for others together: it is found when its condition
// holds for what the inspectors have found. It may name composites before it.
type Composite struct {
	Symbol string
	When   When
}

// When is a condition over symbols: names, "and", "or", "not" (or & | !), brackets. "not"
// binds more closely than "and", "and" more closely than "or".
type When struct{ root *clause }

type clause struct {
	op     byte // 's' a symbol, '&', '|', '!'
	symbol string
	sub    []*clause
}

// WhenError says where a condition cannot be understood.
type WhenError struct {
	Offset int    // in octets
	Near   string // the word there; "" at the end
}

// Error says it in English.
func (e *WhenError) Error() string {
	return fmt.Sprintf("the condition cannot be understood at %q, octet %d", e.Near, e.Offset+1)
}

const (
	maxWords = 200 // of a condition
	maxDepth = 20  // of its brackets
)

// ParseWhen reads a condition. The error is a *WhenError.
func ParseWhen(s string) (When, error) {
	p := &whenParser{words: whenWords(s), end: len(s)}
	if len(p.words) > maxWords {
		return When{}, &WhenError{Offset: p.words[maxWords].at, Near: p.words[maxWords].text}
	}
	c := p.or(0)
	if c == nil || p.pos < len(p.words) {
		return When{}, p.wrong()
	}
	return When{c}, nil
}

type whenWord struct {
	text string
	at   int
}

func whenWords(s string) []whenWord {
	var out []whenWord
	for i := 0; i < len(s); {
		n := 1
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case strings.IndexByte("()&|!", c) < 0:
			if n = strings.IndexAny(s[i:], " \t\r\n()&|!"); n < 0 {
				n = len(s) - i
			}
		case i+1 < len(s) && s[i+1] == c && (c == '&' || c == '|'):
			n = 2
		}
		out = append(out, whenWord{s[i : i+n], i})
		i += n
	}
	return out
}

type whenParser struct {
	words []whenWord
	pos   int
	end   int
}

func (p *whenParser) wrong() error {
	if p.pos >= len(p.words) {
		return &WhenError{Offset: p.end}
	}
	return &WhenError{Offset: p.words[p.pos].at, Near: p.words[p.pos].text}
}

func (p *whenParser) take(words ...string) bool {
	for _, w := range words {
		if p.pos < len(p.words) && strings.EqualFold(p.words[p.pos].text, w) {
			p.pos++
			return true
		}
	}
	return false
}

// or, and and not return nil where the condition is wrong; pos stays there.
func (p *whenParser) or(depth int) *clause {
	return p.row('|', func() *clause { return p.and(depth) }, "or", "|", "||")
}

func (p *whenParser) and(depth int) *clause {
	return p.row('&', func() *clause { return p.not(depth) }, "and", "&", "&&")
}

func (p *whenParser) row(op byte, next func() *clause, words ...string) *clause {
	first := next()
	if first == nil {
		return nil
	}
	c := &clause{op: op, sub: []*clause{first}}
	for p.take(words...) {
		more := next()
		if more == nil {
			return nil
		}
		c.sub = append(c.sub, more)
	}
	if len(c.sub) == 1 {
		return first
	}
	return c
}

func (p *whenParser) not(depth int) *clause {
	negated := false
	for p.take("not", "!") {
		negated = !negated
	}
	c := p.atom(depth)
	if c == nil || !negated {
		return c
	}
	return &clause{op: '!', sub: []*clause{c}}
}

func (p *whenParser) atom(depth int) *clause {
	if p.take("(") {
		if depth == maxDepth {
			return nil
		}
		c := p.or(depth + 1)
		if c == nil || !p.take(")") {
			return nil
		}
		return c
	}
	if p.pos == len(p.words) || !isSymbol(p.words[p.pos].text) {
		return nil
	}
	p.pos++
	return &clause{op: 's', symbol: p.words[p.pos-1].text}
}

// isSymbol tells names of symbols, which are in capitals, from the words between them.
func isSymbol(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && s != "AND" && s != "OR" && s != "NOT"
}

// Symbols lists the symbols that the condition names, each once.
func (w When) Symbols() []string {
	var out []string
	w.root.walk(func(s string) {
		for _, known := range out {
			if known == s {
				return
			}
		}
		out = append(out, s)
	})
	return out
}

func (c *clause) walk(visit func(string)) {
	if c == nil {
		return
	}
	if c.op == 's' {
		visit(c.symbol)
	}
	for _, s := range c.sub {
		s.walk(visit)
	}
}

// Holds tells whether the condition holds, and by which symbols that are there.
func (w When) Holds(found func(symbol string) bool) ([]string, bool) {
	if w.root == nil {
		return nil, false
	}
	return w.root.holds(found)
}

func (c *clause) holds(found func(string) bool) (by []string, ok bool) {
	switch c.op {
	case 's':
		return []string{c.symbol}, found(c.symbol)
	case '!':
		_, ok := c.sub[0].holds(found)
		return nil, !ok
	}
	for _, s := range c.sub {
		more, ok := s.holds(found)
		switch {
		case c.op == '|' && ok:
			return more, true
		case c.op == '&' && !ok:
			return nil, false
		}
		by = append(by, more...)
	}
	return by, c.op == '&'
}

// compose adds what the composites find to what the inspectors found, and leaves out the
// symbols that the administrator has switched off.
func (p *Policy) compose(outcomes []msg.Outcome) []msg.Outcome {
	outcomes = p.Weights.withoutOff(outcomes)
	if len(p.Composites) == 0 {
		return outcomes
	}
	seen := map[string]bool{}
	for _, o := range outcomes {
		for _, f := range o.Findings {
			seen[f.Symbol] = true
		}
	}
	made := msg.Outcome{Inspector: "composite"}
	for _, c := range p.Composites {
		by, ok := c.When.Holds(func(s string) bool { return seen[s] })
		if ok && !seen[c.Symbol] {
			seen[c.Symbol] = true
			made.Findings = append(made.Findings, msg.Finding{Symbol: c.Symbol, Evidence: strings.Join(by, " ")})
		}
	}
	if len(made.Findings) == 0 {
		return outcomes
	}
	return append(outcomes[:len(outcomes):len(outcomes)], made)
}

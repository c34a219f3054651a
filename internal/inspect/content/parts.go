package content

import "strings"

// parts finds strings anywhere in a text, in one pass: only where the first two octets of
// one of them stand is it compared. They are what regular expressions need.
type parts struct {
	class   [256]uint8       // of an octet; 0: none begins or goes on with it
	classes int              // in use
	byPair  [pairs][]int32   // parts, by the classes of their first two octets
	begins  [pairs]bool      // there are such parts
	strings []string         //
	index   map[string]int32 //
}

// Octets beyond the first few different ones share a class: then more is compared, and
// nothing else found.
const (
	mostClasses = 64
	pairs       = mostClasses * mostClasses
)

func newParts() *parts { return &parts{index: map[string]int32{}} }

// add returns the string's number. It has two octets or more.
func (p *parts) add(s string) int32 {
	if n, ok := p.index[s]; ok {
		return n
	}
	n := int32(len(p.strings))
	p.strings = append(p.strings, s)
	p.index[s] = n
	pair := p.classOf(s[0])*mostClasses + p.classOf(s[1])
	p.begins[pair] = true
	p.byPair[pair] = append(p.byPair[pair], n)
	return n
}

// classOf gives the octet a class.
func (p *parts) classOf(c byte) int {
	if p.class[c] == 0 {
		p.class[c] = uint8(p.classes%(mostClasses-1) + 1)
		p.classes++
	}
	return int(p.class[c])
}

func (p *parts) find(text string, found func(part int32)) {
	if len(p.strings) == 0 || len(text) < 2 {
		return
	}
	pair := uint16(p.class[text[0]])
	for i := 1; i < len(text); i++ {
		pair = (pair*mostClasses | uint16(p.class[text[i]])) % pairs
		if !p.begins[pair] {
			continue
		}
		for _, n := range p.byPair[pair] {
			if strings.HasPrefix(text[i-1:], p.strings[n]) {
				found(n)
			}
		}
	}
}

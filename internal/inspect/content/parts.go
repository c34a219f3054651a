package content

import "strings"

// parts finds strings anywhere in a text, in one pass: only where the first two octets of
// one of them stand is it compared. They are what regular expressions need.
type parts struct {
	begin   [1 << 10]uint64 // a bit for each pair of octets that begins one
	byPair  map[uint16][]int32
	strings []string
	index   map[string]int32
}

func newParts() *parts { return &parts{byPair: map[uint16][]int32{}, index: map[string]int32{}} }

// add returns the string's number. It has two octets or more.
func (p *parts) add(s string) int32 {
	if n, ok := p.index[s]; ok {
		return n
	}
	n := int32(len(p.strings))
	p.strings = append(p.strings, s)
	p.index[s] = n
	pair := uint16(s[0])<<8 | uint16(s[1])
	p.begin[pair>>6] |= 1 << (pair & 63)
	p.byPair[pair] = append(p.byPair[pair], n)
	return n
}

func (p *parts) find(text string, found func(part int32)) {
	if len(p.strings) == 0 || len(text) < 2 {
		return
	}
	pair := uint16(text[0])
	for i := 1; i < len(text); i++ {
		pair = pair<<8 | uint16(text[i])
		if p.begin[pair>>6]&(1<<(pair&63)) == 0 {
			continue
		}
		for _, n := range p.byPair[pair] {
			if strings.HasPrefix(text[i-1:], p.strings[n]) {
				found(n)
			}
		}
	}
}

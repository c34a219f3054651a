package content

import (
	"strings"

	"congthu/internal/msg"
)

// Bounds of the place "links".
const (
	maxLinks      = 200
	maxLinkOctets = 400
)

// links are the addresses of pages in the text parts, shown or behind other words, each
// once: what a letter leads to is part of what it says, whether its plain text spells the
// address out or its page hides it.
func links(root *msg.Part) []string {
	var out []string
	seen := map[string]bool{}
	root.Walk(func(p *msg.Part) {
		if !p.IsText() {
			return
		}
		for s := p.Text; len(out) < maxLinks; {
			i := strings.Index(s, "://")
			if i < 0 {
				return
			}
			s = s[i+len("://"):]
			address := s[:endOfLink(s)]
			if address != "" && !seen[address] {
				seen[address] = true
				out = append(out, address)
			}
		}
	})
	return out
}

func endOfLink(s string) int {
	s = s[:min(len(s), maxLinkOctets)]
	if i := strings.IndexAny(s, " \t\r\n\"'<>()"); i >= 0 {
		return i
	}
	return len(s)
}

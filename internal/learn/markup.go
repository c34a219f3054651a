package learn

import "strings"

// markupLimit is how many octets of text parts are looked through for tags and links.
const markupLimit = 16 << 10

// linkLimit bounds how many links are looked at.
const linkLimit = 20

// markup reads which tags and attributes a page uses, and how often.
func (e *emitter) markup(s string) {
	count := map[string]int{}
	for i := strings.IndexByte(s, '<'); i >= 0; {
		s = s[i+1:]
		name := word(s)
		if name != "" {
			name = strings.ToLower(name)
			count[name]++
			s = e.attributes(name, s[len(name):])
		}
		i = strings.IndexByte(s, '<')
	}
	for name, n := range count {
		e.fact("tag ", name)
		e.fact("tags ", name+size(n))
	}
}

// attributes reads the names of a tag's attributes, and returns what is left of the page.
func (e *emitter) attributes(tag, s string) string {
	end := strings.IndexByte(s, '>')
	if end < 0 || end > 1000 {
		return s
	}
	in := s[:end]
	for n := 0; n < 12; n++ {
		in = strings.TrimLeft(in, " \t\r\n\"'/")
		name := word(in)
		if name == "" {
			break
		}
		e.facts("attribute ", tag, " ", strings.ToLower(name))
		in = in[len(name):]
		if !strings.HasPrefix(in, "=") {
			continue
		}
		in = in[1:]
		quote := " "
		if in != "" && (in[0] == '"' || in[0] == '\'') {
			quote, in = in[:1], in[1:]
		}
		value, rest, _ := strings.Cut(in, quote)
		switch strings.ToLower(name) {
		case "color", "bgcolor", "face", "size", "width", "height", "align", "target", "method", "type", "border":
			e.facts("value ", strings.ToLower(name), "=", strings.ToLower(head(value, 16)))
		}
		in = rest
	}
	return s[end:]
}

// word is the letters that s begins with, at most 16.
func word(s string) string {
	for i := range len(s) {
		if b := s[i] | 0x20; b < 'a' || b > 'z' || i == 16 {
			return s[:i]
		}
	}
	return head(s, 16)
}

// links reads how addresses of pages look: never where they lead.
func (e *emitter) links(s string) {
	n := 0
	for ; n < linkLimit; n++ {
		i := strings.Index(s, "://")
		if i < 0 {
			break
		}
		s = s[i+3:]
		e.link(s[:end(s)])
	}
	e.fact("links ", size(n))
	if strings.Contains(s, "mailto:") {
		e.fact("", "mailto link")
	}
}

// end is where an address ends.
func end(s string) int {
	if i := strings.IndexAny(head(s, 300), " \t\r\n\"'<>)"); i >= 0 {
		return i
	}
	return min(len(s), 300)
}

func (e *emitter) link(u string) {
	host, path, _ := strings.Cut(u, "/")
	if user, h, ok := strings.Cut(host, "@"); ok {
		e.fact("link user ", size(len(user)))
		host = h
	}
	for _, w := range syllables(strings.ToLower(host)) {
		e.say(Words, "u:", w)
	}
	for _, w := range syllables(strings.ToLower(head(path, 100))) {
		e.say(Words, "p:", w)
	}
	host, port, _ := strings.Cut(strings.ToLower(host), ":")
	if port != "" {
		e.fact("", "link with a port")
	}
	e.fact("link top ", head(host[strings.LastIndexByte(host, '.')+1:], 8))
	e.fact("link host ", pattern(host, 24))
	e.fact("link path ", pattern(head(path, 24), 16))
	e.fact("link length ", size(len(path)))
	if strings.Contains(path, "?") {
		e.fact("", "link with a query")
	}
	if i := strings.LastIndexByte(path, '.'); i >= 0 && len(path)-i < 6 {
		e.fact("link to ", strings.ToLower(path[i:]))
	}
}

package link

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// target is where a link goes, as a browser would read it.
type target struct {
	scheme, host, port, path, query string
	userinfo                        bool
	hidden                          bool // the host is written so that its reader does not see which it is
	raw                             string
}

// parse reads a link leniently, as browsers do (the URL standard of the WHATWG): white
// space and control characters inside are dropped, backslashes are slashes, //host has
// the page's scheme.
func parse(href string) (target, bool) {
	href = strings.TrimSpace(href)
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, href)
	t := target{raw: s}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "/\\?#. ") {
		if !strings.HasPrefix(strings.ReplaceAll(s, `\`, "/"), "//") {
			return t, false // a relative link
		}
		scheme, rest = "https", s
	}
	t.scheme = strings.ToLower(scheme)
	if t.scheme != "http" && t.scheme != "https" && t.scheme != "ftp" {
		return t, true
	}
	rest = strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	t.split(rest)
	t.hidden = t.hidden || brokenScheme(href)
	return t, true
}

// brokenScheme tells whether a control character divides the scheme or the slashes: no
// program writes that by mistake.
func brokenScheme(href string) bool {
	i := strings.IndexFunc(href, func(r rune) bool { return r < ' ' })
	return i >= 0 && i < len("https://")
}

func (t *target) split(rest string) {
	end := strings.IndexAny(rest, "/?#")
	authority := rest
	if end >= 0 {
		authority, rest = rest[:end], rest[end:]
		t.path, t.query, _ = strings.Cut(rest, "?")
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		t.userinfo, authority = true, authority[i+1:]
	}
	host := authority
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, t.port = authority[:i], authority[i+1:]
	}
	if u, err := url.PathUnescape(host); err == nil {
		t.hidden = u != host
		host = u
	}
	t.hidden = t.hidden || strings.ContainsFunc(host, disguised)
	t.host = asciiHost(host)
}

// disguised tells whether a letter of a host is one that browsers take for another, or
// do not see: full-width and mathematical letters, enclosed ones, other dots, invisibles.
func disguised(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r >= 0xFF01 && r <= 0xFF5E, r >= 0x1D400 && r <= 0x1D7FF, r >= 0x2460 && r <= 0x24FF, r == '。', r == '．', r == '｡':
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zs) || r == 0xFFFD
}

var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

func asciiHost(h string) string {
	h = strings.ToLower(strings.Trim(dots.Replace(h), "[]."))
	if a, err := idna.Lookup.ToASCII(h); err == nil {
		return a
	}
	return h
}

// isIP tells whether the host is an address, in any notation browsers take: dotted,
// one number, hexadecimal, octal.
func isIP(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if (last == "" || last[0] < '0' || last[0] > '9') && !strings.Contains(host, ":") {
		return false // every notation ends in a number, or has colons
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" { // 09 is no number, and no name either
		return true
	}
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil
}

var shownHost = regexp.MustCompile(`(?i)\b(?:https?://)?((?:[a-z0-9\p{L}](?:[a-z0-9\p{L}-]*[a-z0-9\p{L}])?\.)+[a-z]{2,24})(?:[/:?#]\S*)?`)

// maxShown is how much of a link's text is read: what it shows stands at its beginning.
const maxShown = 300

// shown returns the host that a link's text shows, or "". Only a text that begins with
// it counts: a sentence that mentions a name is not a link to it.
func shown(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "")
	}
	if !strings.Contains(text, ".") {
		return ""
	}
	m := shownHost.FindStringSubmatchIndex(text)
	if m == nil || m[0] > 3 {
		return ""
	}
	host := asciiHost(text[m[2]:m[3]])
	if strings.HasPrefix(text[m[1]:], "@") || strings.HasPrefix(text[m[3]:], "@") { // a.b@c.test
		return ""
	}
	if _, icann := publicsuffix.PublicSuffix(host); !icann && !strings.HasSuffix(host, ".test") && !strings.HasSuffix(host, ".example") {
		return "" // report.docx is not a host
	}
	return host
}

package link

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// target is where a link goes, as a browser would read it.
type target struct {
	scheme, host, port, path, query string
	userinfo                        bool
	raw                             string
}

// parse reads a link leniently, as browsers do: white space and control characters
// inside are dropped, backslashes are slashes, //host has the page's scheme.
func parse(href string) (target, bool) {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimSpace(href))
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
	return t, true
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
		host = u
	}
	t.host = asciiHost(host)
}

func asciiHost(h string) string {
	h = strings.ToLower(strings.Trim(strings.NewReplacer("。", ".", "．", ".").Replace(h), "[]."))
	if a, err := idna.Lookup.ToASCII(h); err == nil {
		return a
	}
	return h
}

// isIP tells whether the host is an address, in any notation browsers take: dotted,
// one number, hexadecimal.
func isIP(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil && host != ""
}

// organisation is the registrable domain of a host.
func organisation(host string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return org
	}
	return host
}

var shownHost = regexp.MustCompile(`(?i)\b(?:https?://)?((?:[a-z0-9\p{L}](?:[a-z0-9\p{L}-]*[a-z0-9\p{L}])?\.)+[a-z]{2,24})(?:[/:?#]\S*)?`)

// shown returns the host that a link's text shows, or "". Only a text that begins with
// it counts: a sentence that mentions a name is not a link to it.
func shown(text string) string {
	m := shownHost.FindStringSubmatchIndex(text)
	if m == nil || m[0] > 3 {
		return ""
	}
	host := asciiHost(text[m[2]:m[3]])
	if _, icann := publicsuffix.PublicSuffix(host); !icann && !strings.HasSuffix(host, ".test") && !strings.HasSuffix(host, ".example") {
		return "" // report.docx is not a host
	}
	return host
}

var textURL = regexp.MustCompile(`(?i)\bhttps?://[^\s<>"')\]]{3,}`)

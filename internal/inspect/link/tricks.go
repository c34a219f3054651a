package link

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// executable returns the symbol of a file that runs or installs something, or "".
func executable(p string) string {
	switch strings.ToLower(path.Ext(strings.TrimRight(p, "/"))) {
	case ".apk", ".apks", ".xapk", ".aab", ".ipa", ".mobileconfig":
		return App
	case ".exe", ".scr", ".msi", ".msix", ".appx", ".hta", ".vbs", ".vbe", ".wsf", ".lnk", ".url", ".ps1", ".bat", ".cmd", ".iso", ".img", ".vhd", ".vhdx", ".jar", ".cpl", ".pif", ".dll", ".chm":
		return Executable
	}
	return ""
}

// forwards are the parameters in which sites carry an address to go on to.
var forwards = []string{
	"url", "u", "q", "redirect", "redirect_uri", "redirect_url", "redir", "return", "returnurl", "next", "goto", "target", "dest",
	"destination", "continue", "link", "to", "out", "adurl", "r", "murl",
}

// next returns where a link goes on to by one of its parameters.
func (t target) next() (target, bool) {
	if !strings.Contains(t.query, "/") && !strings.Contains(strings.ToLower(t.query), "%2f") {
		return target{}, false
	}
	for pair := range strings.SplitSeq(t.query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if !slices.Contains(forwards, strings.ToLower(k)) {
			continue
		}
		if plain, err := url.QueryUnescape(v); err == nil {
			v = plain
		}
		if !strings.HasPrefix(v, "//") && !strings.HasPrefix(strings.ToLower(v), "http") {
			continue
		}
		if n, absolute := parse(v); absolute && n.host != "" {
			return n, true
		}
	}
	return target{}, false
}

// confusable tells whether an A-label mixes scripts, or is wholly of one that looks
// Latin: Cyrillic and Greek letters that pass for ours.
func confusable(label string) bool {
	u, err := idna.ToUnicode(label)
	if err != nil {
		return true
	}
	latin, alike := false, false
	for _, r := range u {
		switch {
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee):
			alike = true
		case unicode.Is(unicode.Latin, r):
			latin = true
		}
	}
	return alike && (latin || onlyAlike(u))
}

// onlyAlike tells whether every letter has a Latin double.
func onlyAlike(u string) bool {
	for _, r := range u {
		if unicode.IsLetter(r) && !strings.ContainsRune("асеорхуіјѕһԁԛԝьпгӏвнмткѵκονραιυτχω", r) {
			return false
		}
	}
	return true
}

package link

import (
	"path"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// executable tells whether the link's target is a file that runs.
func executable(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".exe", ".scr", ".msi", ".apk", ".hta", ".js", ".vbs", ".wsf", ".lnk", ".ps1", ".bat", ".cmd", ".iso", ".img", ".jar", ".com":
		return p != ".js" && !strings.HasSuffix(strings.ToLower(p), ".min.js")
	}
	return false
}

// redirects tells whether the query carries a whole address to go on to.
func redirects(t target) bool {
	q := strings.ToLower(t.query)
	for _, key := range []string{"url=", "u=", "redirect=", "redirect_uri=", "next=", "goto=", "q=", "target=", "dest=", "continue="} {
		i := strings.Index("&"+q, "&"+key)
		if i < 0 {
			continue
		}
		v := q[i+len(key):]
		if strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "http%3a") || strings.HasPrefix(v, "https%3a") || strings.HasPrefix(v, "//") {
			return true
		}
	}
	return false
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

package corpus

import (
	"fmt"
	"net/netip"
	"strings"
)

// Index describes letters, a line each, for those who read them as files:
//
//	path<TAB>ham|spam<TAB>topic<TAB>form<TAB>set<TAB>client=… helo=… from=… to=… [inside]
func Index(letters []Letter) string {
	var b strings.Builder
	for _, l := range letters {
		label, inside := "ham", ""
		if l.Spam {
			label = "spam"
		}
		if l.Inside {
			inside = " inside"
		}
		fmt.Fprintf(&b, "%s.eml\t%s\t%s\t%s\t%s\tclient=%s helo=%s from=%s to=%s%s\n", l.Name, label, l.Topic, l.Form, l.Set, l.Client, l.Helo, l.From, l.To, inside)
	}
	return b.String()
}

// ParseIndex reads what Index wrote; Raw is left empty.
func ParseIndex(s string) ([]Letter, error) {
	var out []Letter
	for n, line := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 6 || f[1] != "ham" && f[1] != "spam" {
			return nil, fmt.Errorf("index line %d: want path, ham or spam, topic, form, set, session", n+1)
		}
		l := Letter{Name: strings.TrimSuffix(f[0], ".eml"), Spam: f[1] == "spam", Topic: f[2], Form: Form(f[3]), Set: Set(f[4])}
		for _, fact := range strings.Fields(f[5]) {
			if err := l.fact(fact); err != nil {
				return nil, fmt.Errorf("index line %d: %w", n+1, err)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func (l *Letter) fact(s string) (err error) {
	key, value, _ := strings.Cut(s, "=")
	switch key {
	case "client":
		l.Client, err = netip.ParseAddr(value)
	case "helo":
		l.Helo = value
	case "from":
		l.From = value
	case "to":
		l.To = value
	case "inside":
		l.Inside = true
	default:
		err = fmt.Errorf("there is no session fact %q", key)
	}
	return err
}

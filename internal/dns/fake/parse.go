package fake

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/dane"
)

// ParseZone reads a zone as text, one record a line:
//
//	example.test        TXT  "v=spf1 mx -all"      ; strings of one record are joined
//	example.test        MX   10 mx.example.test
//	192.0.2.25          PTR  mx.example.test
//	slow.test           FAIL timeout               # servfail, timeout, refused or nxdomain
//	broken.test         FAIL servfail MX           # only for that type
//	signed.test         SECURE yes                 # answers about it are validated (AD)
//
// Empty lines and comments from # or ; to the end of the line (not within quotes)
// are skipped. An error names its line.
func ParseZone(text string) (Zone, error) {
	z := make(Zone)
	for i, line := range strings.Split(text, "\n") {
		words, err := split(line)
		if err == nil && len(words) > 0 {
			err = z.add(words)
		}
		if err != nil {
			return nil, fmt.Errorf("zone line %d: %w", i+1, err)
		}
	}
	return z, nil
}

// word is a token of a line. Quoting is remembered: TXT data must be quoted, so
// that a forgotten quote is not a comment.
type word struct {
	text   string
	quoted bool
}

func split(line string) ([]word, error) {
	var out []word
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' || line[0] == ';' {
			return out, nil
		}
		if line[0] == '"' {
			text, rest, err := quoted(line[1:])
			if err != nil {
				return nil, err
			}
			out, line = append(out, word{text, true}), rest
			continue
		}
		end := strings.IndexAny(line, " \t\r;\"")
		if end < 0 {
			end = len(line)
		}
		out, line = append(out, word{line[:end], false}), line[end:]
	}
}

// quoted reads up to the closing quote; \" and \\ stand for themselves.
func quoted(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", fmt.Errorf("quote is not closed")
}

func (z Zone) add(words []word) error {
	if len(words) < 3 {
		return fmt.Errorf("want name, type and data")
	}
	name, data := key(words[0].text), words[2:]
	r := Record{Type: strings.ToUpper(words[1].text)}
	var err error
	if r.Type == "TXT" {
		r.Data, err = text(data)
	} else {
		r.Data, err = plain(r.Type, data)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", name, r.Type, err)
	}
	if ip, perr := netip.ParseAddr(name); perr == nil {
		name = ip.String()
	}
	z[name] = append(z[name], r)
	return nil
}

func text(data []word) (string, error) {
	var b strings.Builder
	for _, w := range data {
		if !w.quoted {
			return "", fmt.Errorf("text must be in quotes")
		}
		b.WriteString(w.text)
	}
	return b.String(), nil
}

func plain(typ string, data []word) (string, error) {
	fields := make([]string, len(data))
	for i, w := range data {
		fields[i] = w.text
	}
	check, ok := map[string]func([]string) bool{
		"A":      func(f []string) bool { ip, err := netip.ParseAddr(f[0]); return len(f) == 1 && err == nil && ip.Is4() },
		"AAAA":   func(f []string) bool { ip, err := netip.ParseAddr(f[0]); return len(f) == 1 && err == nil && ip.Is6() },
		"MX":     exchanger,
		"PTR":    func(f []string) bool { return len(f) == 1 },
		"CNAME":  func(f []string) bool { return len(f) == 1 },
		"TLSA":   func(f []string) bool { _, err := dane.Parse(strings.Join(f, " ")); return err == nil },
		"SECURE": func(f []string) bool { return len(f) == 1 && f[0] == "yes" },
		"FAIL":   injection,
	}[typ]
	if !ok {
		return "", fmt.Errorf("unknown type")
	}
	if !check(fields) {
		return "", fmt.Errorf("bad data %q", strings.Join(fields, " "))
	}
	if typ == "FAIL" && len(fields) == 2 {
		fields[1] = strings.ToUpper(fields[1])
	}
	return strings.Join(fields, " "), nil
}

func exchanger(f []string) bool {
	if len(f) != 2 {
		return false
	}
	_, err := strconv.ParseUint(f[0], 10, 16)
	return err == nil
}

func injection(f []string) bool {
	return len(f) <= 2 && slices.Contains([]string{"servfail", "timeout", "refused", "nxdomain"}, f[0])
}

package spf

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
	"congthu/internal/msg"
)

// floor is the least number of RFC 7208 cases that must come out right. It is
// raised when the code gets better, never lowered.
const floor = 198

// TestSuite runs the published RFC 7208 test suite when it is there.
func TestSuite(t *testing.T) {
	dir := os.Getenv("CONGTHU_SUITES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "suites")
	}
	text, err := os.ReadFile(filepath.Join(dir, "spf", "rfc7208-tests.yml"))
	if err != nil {
		t.Skipf("the RFC 7208 suite is not here (set CONGTHU_SUITES): %v", err)
	}
	total, right := 0, 0
	for _, doc := range strings.Split("\n"+string(text), "\n---")[1:] {
		s := readScenario(t, doc)
		for _, c := range s.cases {
			total++
			from := msg.Path{Raw: c.mailfrom}
			if at := strings.LastIndexByte(c.mailfrom, '@'); at >= 0 {
				from.Local, from.Domain = c.mailfrom[:at], strings.ToLower(c.mailfrom[at+1:])
			}
			got := Check(t.Context(), s.zone, netip.MustParseAddr(c.host), c.helo, from)
			if slices.Contains(c.want, got.Status) {
				right++
				continue
			}
			t.Logf("%s: %s, want %v (%s)", c.name, got.Status, c.want, got.Reason)
		}
	}
	t.Logf("%d of %d cases right", right, total)
	if total < 203 || right < floor {
		t.Errorf("%d of %d cases right, want at least %d of 203", right, total, floor)
	}
}

type scenario struct {
	zone  fake.Zone
	cases []suiteCase
}

type suiteCase struct {
	name, helo, host, mailfrom string
	want                       []string
}

// readScenario reads the little of YAML that the suite uses: two levels of maps,
// lists of one-key maps, and scalars that go on in deeper lines.
func readScenario(t *testing.T, doc string) scenario {
	t.Helper()
	s := scenario{zone: make(fake.Zone)}
	var section, name string
	raw := make(map[string][][2]string)
	for _, e := range entries(doc) {
		switch {
		case e.indent == 0:
			section = e.key
		case e.indent == 2:
			name = scalar(e.key)
			if section == "tests" {
				s.cases = append(s.cases, suiteCase{name: name})
			}
		case section == "tests":
			s.cases[len(s.cases)-1].set(e)
		case section == "zonedata":
			raw[name] = append(raw[name], [2]string{e.key, e.value})
		}
	}
	for name, records := range raw {
		addZone(t, s.zone, strings.ToLower(name), records)
	}
	return s
}

func (c *suiteCase) set(e yamlEntry) {
	switch e.key {
	case "helo":
		c.helo = scalar(e.value)
	case "host":
		c.host = scalar(e.value)
	case "mailfrom":
		c.mailfrom = scalar(e.value)
	case "result":
		c.want = list(e.value)
	}
}

type yamlEntry struct {
	indent     int
	key, value string
}

func entries(doc string) []yamlEntry {
	var out []yamlEntry
	for _, line := range strings.Split(doc, "\n") {
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		if strings.TrimSpace(text) == "" || text[0] == '#' {
			continue
		}
		if len(out) > 0 && indent > 4 { // the scalar above goes on
			out[len(out)-1].value += " " + strings.TrimSpace(text)
			continue
		}
		text, _ = strings.CutPrefix(text, "- ")
		key, value, _ := strings.Cut(text, ":")
		if text[0] == '"' {
			end := strings.Index(text[1:], `"`) + 2
			key, value = text[:end], strings.TrimPrefix(text[end:], ":")
		}
		out = append(out, yamlEntry{indent, strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return out
}

// scalar reads a plain or quoted value.
func scalar(s string) string {
	s = strings.TrimSpace(s)
	switch {
	case strings.HasPrefix(s, `"`):
		if u, err := strconv.Unquote(strings.ReplaceAll(s, `\0`, `\x00`)); err == nil {
			return u
		}
	case strings.HasPrefix(s, `'`):
		return strings.ReplaceAll(strings.Trim(s, `'`), `''`, `'`)
	}
	s, _, _ = strings.Cut(s, " #")
	return strings.TrimSpace(s)
}

func list(s string) []string {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return []string{scalar(s)}
	}
	var out []string
	for _, e := range strings.Split(strings.TrimSuffix(inner, "]"), ",") {
		out = append(out, scalar(e))
	}
	return out
}

// addZone turns the records of one name into ours: SPF stands for TXT unless TXT
// is given, and TIMEOUT concerns the types that have no record.
func addZone(t *testing.T, z fake.Zone, name string, records [][2]string) {
	t.Helper()
	types := make(map[string]bool)
	for _, r := range records {
		types[r[0]] = true
	}
	for _, r := range records {
		kind, value := r[0], r[1]
		switch {
		case kind == "TIMEOUT":
			for _, typ := range []string{"A", "AAAA", "MX", "TXT", "PTR"} {
				if !types[typ] || typ == "TXT" && slices.Contains(records, [2]string{"TXT", "NONE"}) {
					z[name] = append(z[name], fake.Timeout(typ))
				}
			}
		case kind == "SPF" && types["TXT"], value == "NONE":
		case kind == "SPF" || kind == "TXT":
			z[name] = append(z[name], fake.TXT(strings.Join(list(value), "")))
		case kind == "MX":
			z[name] = append(z[name], fake.Record{Type: "MX", Data: strings.Join(list(value), " ")})
		default:
			z[name] = append(z[name], fake.Record{Type: kind, Data: scalar(value)})
		}
	}
	if z[name] == nil {
		z[name] = []fake.Record{}
	}
}

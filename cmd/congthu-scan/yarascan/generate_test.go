package yarascan_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// heads are how objects of several kinds begin.
func heads() []string {
	return []string{
		"", program(false)[:0x200], "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57), "L\x00\x00\x00\x01\x14\x02\x00",
		"{\\rtf1 ", "PK\x03\x04", ole, "%PDF-1.4\n", "\xca\xfe\xba\xbe", "MZ", "M", "GIF89a", "<html>", "MSCF\x00\x00\x00\x00", "Rar!\x1a\x07\x00",
	}
}

// generate writes objects that come close to the rules, of every kind: what a rule
// looks for, in plain and in UTF-16, behind the head of a program and behind another.
// Where a rule wants any of some strings, or all, it is met.
func generate(t *testing.T, rules, into string) {
	t.Helper()
	n := 0
	for _, name := range files(t, rules, ".yar", ".yara") {
		text, err := os.ReadFile(filepath.Join(rules, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range regexp.MustCompile(`(?m)^(?:private |global )*rule\s`).Split(string(text), -1)[1:] {
			body := wanted(rule)
			for _, head := range []string{heads()[1], heads()[n%len(heads())]} {
				if err := os.WriteFile(filepath.Join(into, strconv.Itoa(n)), []byte(head+body), 0o600); err != nil {
					t.Fatal(err)
				}
				n++
			}
		}
	}
}

// wanted are the literal and the hex strings of a rule, one after the other.
func wanted(rule string) string {
	var out strings.Builder
	for _, m := range regexp.MustCompile(`(?s)\$\w*\s*=\s*(?:"((?:[^"\\\n]|\\.)*)"([^\n]*)|\{(.*?)\})`).FindAllStringSubmatch(rule, -1) {
		if m[3] != "" {
			out.WriteString(hexString(m[3]) + "\n")
			continue
		}
		plain, err := strconv.Unquote(`"` + m[1] + `"`)
		if err != nil {
			continue
		}
		if strings.Contains(m[2], "wide") {
			out.WriteString("\n\x00" + strings.Join(strings.Split(plain, ""), "\x00") + "\x00\n\x00")
		}
		out.WriteString("\n" + plain + "\n")
	}
	return out.String()
}

// hexString is an object that a hex string meets, as long as it has no alternatives.
func hexString(s string) string {
	s = regexp.MustCompile(`(?s)//[^\n]*|/\*.*?\*/|\s`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`\[(\d+)(?:-\d*)?\]`).ReplaceAllStringFunc(s, func(jump string) string {
		n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(jump))
		return strings.Repeat("00", min(n, 4096))
	})
	s = regexp.MustCompile(`\(([^|)]*)[^)]*\)`).ReplaceAllString(s, "$1")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "?", "0"), "~", "")
	b, _ := hex.DecodeString(s) // what stays in doubt is not met
	return string(b)
}

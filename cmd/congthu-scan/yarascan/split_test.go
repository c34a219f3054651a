package yarascan

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hillu/go-yara/v4"
)

// conditions makes random conditions, of everything that the splitter draws
// conclusions from and of much that only looks like it.
type conditions struct {
	*rand.Rand
	rules int // of which the names may be used
}

func (c conditions) one(of ...string) string { return of[c.IntN(len(of))] }

func (c conditions) atom() string {
	switch c.IntN(12) {
	case 0:
		return c.one("uint16(0) == 0x5A4D", "0x4D5A == uint16be(0)", "uint32(0) == 0x464c457f", "uint32be(0) == 0x7f454c46", "uint16(0) != 0x5A4D", "int16(0) == 0x5a4d", "uint8(0) == 0x4d", "uint16(2) == 0", "uint32(0) == 0xE011CFD0", "int32(0) == -535703600", "uint32(uint32(0x3C)) == 0x4550")
	case 1:
		return c.one("$mz at 0", "$elf at 0", "$hex at 0", "$fold at 0", "$wide at 0", "$xor at 0", "$any at 0", "$re at 0", "$fold", "$mz at 1", "#mz == 1", "$x in (0..100)")
	case 2:
		return c.one("pe.number_of_sections == 1", "pe.entry_point < 10000", "pe.is_pe", "pe.is_pe == 0", "pe.is_pe == 1", "pe.timestamp == pe.timestamp", "pe.number_of_sections + 1 > 0", "pe.number_of_sections & 1 == 1", "~pe.number_of_sections != 7", "pe.machine == pe.MACHINE_I386", "pe.MACHINE_I386 == 332", "pe.MACHINE_I386 != 7")
	case 3:
		return c.one(`pe.sections[0].name == ".text"`, `pe.sections[0].name != "x"`, `pe.sections[0].name contains "t"`, `pe.exports("x")`, `pe.imphash() != "x"`, `pe.imports("kernel32.dll", "x")`, `pe.is_dll() == 0`, "pe.is_32bit()", `pe.section_index(".text") == 0`, `pe.section_index("no") == 0`, "pe.calculate_checksum() >= 0", "pe.locale(1) == 0", "pe.language(1) == 0", `pe.version_info["x"] != "y"`, "pe.rva_to_offset(0) != 1", "pe.rich_signature.version(1) == 0", `pe.exports_index("x") == 0`)
	case 4:
		return c.one("elf.type == elf.ET_EXEC", "elf.entry_point >= 0", "elf.number_of_sections == 0", "elf.ET_EXEC == 2", "elf.machine != 1", "dotnet.is_dotnet", "dotnet.is_dotnet == 0", `dotnet.version != "x"`, "dotnet.number_of_streams >= 0")
	case 5:
		return c.one("filesize > 10", "filesize < 100", "true", "false", "any of them", "2 of them", "none of them", "all of ($mz, $x)", "any of ($m*) in (0..10)", "entrypoint > 0", "filesize", `filename == "x"`, `md5 == "x"`)
	case 6:
		return c.one("defined pe.entry_point", "not defined pe.entry_point", "defined uint16(0)", "math.entropy(0, filesize) > 1.0", `hash.md5(0, filesize) == "x"`, "math.max(pe.entry_point, 3) >= 3")
	case 7:
		return c.one("$x at pe.entry_point", "$x in (0..pe.entry_point)", "#x in (0..pe.number_of_sections) == 0", "uint16(pe.entry_point) == 0", "@x[pe.number_of_sections] > 3", "!x[pe.number_of_sections] != 2", "#x == pe.number_of_sections", "uint16(pe.entry_point - pe.entry_point) == 0x5a4d")
	case 8:
		if c.rules > 0 {
			return fmt.Sprintf("r%d", c.IntN(c.rules))
		}
	}
	return c.one("$x", "$x or $mz", "uint16(0) == 0x5A4D", "uint16(0) == 0x457f", "$any at 0")
}

func (c conditions) condition(depth int) string {
	if depth == 0 {
		return c.atom()
	}
	a, b := c.condition(depth-1), c.condition(c.IntN(depth))
	switch c.IntN(14) {
	case 0, 1, 2:
		return a + " and " + b
	case 3, 4, 5:
		return a + " or " + b
	case 6:
		return "not (" + a + ")"
	case 7, 8:
		return "(" + a + ")"
	case 9:
		return fmt.Sprintf("for %s i%d in (0..%s) : (%s)", c.one("any", "all", "1", "2", "none", "pe.number_of_sections"), depth, c.one("2", "pe.number_of_sections", "pe.number_of_sections - 1", "filesize - filesize"), a)
	case 10:
		return fmt.Sprintf("for %s of ($x, $mz) : (%s and %s)", c.one("any", "all", "1", "none"), c.one("$ at 0", "$", "# > 0"), c.atom())
	case 11:
		return fmt.Sprintf("for %s i%d in (0, 1, %s) : (%s)", c.one("any", "all", "2"), depth, c.one("2", "pe.entry_point", "elf.entry_point"), a)
	case 12:
		return "(" + a + ") or (" + b + ")"
	}
	return a
}

// ruleFile has rules that name each other, some of them private or global.
func ruleFile(r *rand.Rand) string {
	var out strings.Builder
	out.WriteString("import \"pe\"\nimport \"elf\"\nimport \"dotnet\"\nimport \"math\" import \"hash\"\n")
	for i := range 1 + r.IntN(6) {
		c := conditions{r, i}
		fmt.Fprintf(&out, `%srule r%d : suspicious { meta: a = "condition: { /*" strings:
  $mz = "MZ" $elf = "\x7fELF" $hex = { 4D /* } */ 5A [2-4] 00 } $fold = "mz" nocase $wide = "M" wide $xor = "MZ" xor
  $any = { ?? 5A } $re = /M[Z}]\//  $x = "evil" // "
  condition: %s or (false and ($mz or $elf or $hex or $fold or $wide or $xor or $any or $re or $x)) }
`, c.one("", "", "", "", "private ", "global "), i, c.condition(r.IntN(4)))
	}
	return out.String()
}

// program is the head of a program for Windows, with one section, or for Linux.
func program(linux bool) string {
	b := make([]byte, 0x400)
	if linux {
		copy(b, "\x7fELF\x02\x01\x01")
		binary.LittleEndian.PutUint16(b[16:], 2)
		binary.LittleEndian.PutUint16(b[18:], 62)
		return string(b)
	}
	copy(b, "MZ")
	b[0x3C] = 0x40
	copy(b[0x40:], "PE\x00\x00\x4c\x01\x01")
	b[0x54] = 0xE0
	copy(b[0x58:], "\x0b\x01")
	b[0x58+92] = 16
	copy(b[0x58+0xE0:], ".text\x00\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x02\x00\x00\x00\x02")
	return string(b)
}

func objects() []string {
	return []string{
		"evil", "x", "M", "MZ", "MZ evil", "mZ", "M\x00Z", "\x7fE", program(false), program(true) + "evil",
		program(false) + "evil", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "aZ evil", "MZ" + program(true), " MZ" + program(false),
	}
}

// all collects the rules that match in a set as it is.
type all []string

// RuleMatching takes a match.
func (a *all) RuleMatching(_ *yara.ScanContext, r *yara.Rule) (bool, error) {
	*a = append(*a, r.Identifier())
	return false, nil
}

// FuzzSplit: whatever the conditions, an object meets the rules of its set that it
// meets of the whole.
func FuzzSplit(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		text := ruleFile(rand.New(rand.NewPCG(seed, 1)))
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.yar"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rules, problems, err := Load(Source{Dir: dir})
		if err != nil || len(problems) > 0 && seed < 60 {
			t.Fatalf("%v %v\n%s", problems, err, text)
		}
		if len(problems) > 0 {
			t.Skip("libyara takes no such rule")
		}
		scanner, err := rules.Scanner()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects() {
			var want all
			if err := rules.sets[0].compiled.ScanMem([]byte(o), yara.ScanFlagsFastMode, 5*time.Second, &want); err != nil {
				t.Fatal(err)
			}
			ms, err := scanner.Scan(Object{Data: []byte(o), Names: []string{""}}, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range ms {
				got = append(got, m.Rule)
			}
			slices.Sort(want)
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%.20q meets %v, of the whole %v\n%s", o, got, want, text)
			}
		}
	})
}

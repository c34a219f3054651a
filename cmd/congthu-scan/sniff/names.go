package sniff

import (
	"strings"
	"unicode"

	"congthu/internal/scanproto"
)

// Extension returns the part of the name after its last dot, lower-case, as Windows
// reads it: dots and spaces at the end do not count.
func Extension(name string) string {
	name = strings.TrimRight(base(name), ". \t")
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(strip(name[i+1:])))
}

func base(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// strip drops characters that are not seen, so that "e\u200bxe" is "exe".
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// doubled tells a name such as "bao cao.pdf.exe", whose last extension runs and whose
// last but one says it is a document. Windows hides the last one by default.
func doubled(name string) bool {
	name = strings.TrimRight(strip(base(name)), ". \t")
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return false
	}
	switch scanproto.Group(Extension(name)) {
	case scanproto.Program, scanproto.Script, scanproto.Shortcut, scanproto.Page, scanproto.DiskImage:
		inner := scanproto.Group(Extension(name[:i]))
		return inner == scanproto.Document || inner == scanproto.Macro
	}
	return false
}

// macroPart tells the places of macros in Office files that are zips: a VBA project
// under any folder, and the macro sheets of Excel 4 (ECMA-376 part 4, MS-OFFMACRO2).
func macroPart(name string) bool {
	lower := strings.ToLower(strings.ReplaceAll(name, `\`, "/"))
	return strings.HasSuffix(lower, "vbaproject.bin") || strings.Contains(lower, "macrosheets/")
}

// trick tells a name made to deceive a reader or to leave the folder it is unpacked
// into. It returns what the trick is, or "".
func trick(name string) string {
	switch {
	case strings.ContainsFunc(name, bidi):
		return "text direction"
	case strings.ContainsFunc(name, unseen):
		return "unseen characters"
	case leaves(name):
		return "path leads out of the folder"
	case strings.Contains(name, "        ") && scanproto.Group(Extension(name)) != "":
		return "spaces before the extension"
	case strings.TrimRight(name, ". ") != name && scanproto.Group(Extension(name)) != "":
		return "ends in a dot or a space"
	}
	return ""
}

// bidi: the characters that turn the direction of text (UAX 9).
func bidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

func unseen(r rune) bool {
	return r != '\t' && r != '\r' && r != '\n' && unicode.IsControl(r) || r == 0x200B || r == 0x2060 || r == 0xFEFF || r == 0x00AD || r == 0x115F || r == 0x3164
}

// leaves tells a path that a careless program would write outside of its folder.
func leaves(name string) bool {
	slashed := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(slashed, "/") || len(slashed) > 1 && slashed[1] == ':' && unicode.IsLetter(rune(slashed[0])) {
		return true
	}
	for _, step := range strings.Split(slashed, "/") {
		if step == ".." {
			return true
		}
	}
	return false
}

package document_test

import (
	"encoding/hex"
	"strings"
	"testing"
)

// ole1 is an embedded object in RTF (MS-OLEDS 2.2.5).
func ole1(class, data string) string {
	return hex.EncodeToString([]byte(le(uint32(0x501), uint32(2), uint32(len(class)+1), class, "\x00", uint32(0), uint32(0), uint32(len(data)), data)))
}

func TestRTF(t *testing.T) {
	pack := ole1("Package", native("a.exe", "EVIL")[4:])
	spaced := strings.Join(strings.Split(pack, ""), "\r\n ")
	worded := pack[:50] + `\par0 {\*\none 00ff}\'ff` + pack[50:]
	raw, _ := hex.DecodeString(pack[20:60])
	binned := pack[:20] + `\bin20 ` + string(raw) + pack[60:]
	for _, c := range []struct{ what, data, facts, objects string }{
		{"clean", `{\rtf1\ansi Kính gửi {\b Sở} về \objdata và Equation.3}`, "", ""},
		{"package", `{\rtf1{\object\objemb{\*\objdata ` + pack + `}}}`, "EMBEDDED a.exe", "a.exe=EVIL"},
		{"spaced", `{\rt{\object{\*\objdata` + spaced, "EMBEDDED a.exe", "a.exe=EVIL"},
		{"binary", `{\rtf1{\object{\*\objdata ` + binned + `}}}`, "EMBEDDED a.exe", "a.exe=EVIL"},
		{"equation", `{\rtf1{\object{\*\objdata ` + ole1("Equation.3", "x") + `}}}`, "EXPLOIT Equation.3", ""},
		{"class", `{\rtf1{\object\objupdate{\*\objclass Equation.3}}}`, "EXPLOIT Equation.3", ""},
		{"ordinary class", `{\rtf1{\object{\*\objclass Excel.Sheet.12}}}`, "", ""},
		{"remote template", `{\rtf1{\*\template https://mau.test/a.dotm}}`, "EXTERNAL template https://mau.test/a.dotm", ""},
		{"own template", `{\rtf1{\*\template C:\\Users\\An\\Normal.dotm}}`, "", ""},
		{"field", `{\rtf1{\field{\*\fldinst DDE{\b AUTO} cmd "/c calc"}}}`, `DDE DDEAUTO cmd "/c calc"`, ""},
		{"link", `{\rtf1{\field{\*\fldinst HYPERLINK "https://mau.test"}}}`, "", ""},
	} {
		read(file("a.rtf", c.data)).check(t, c.what, c.facts, c.objects)
	}
	// the digits in a nested group are read both ways
	if s := read(file("a.rtf", `{\rtf1{\object{\*\objdata `+worded+`}}}`)); !strings.Contains(strings.Join(s.objects, " "), "a.exe=EVIL") {
		t.Errorf("control words between: %q %q", s.facts, s.objects)
	}
}

func FuzzRTF(f *testing.F) {
	fuzz(f, "a.rtf", false, `{\rtf1{\object{\*\objdata `+ole1("Package", native("a.exe", "x")[4:])+`}}}`, `{\rtf1{\field{\*\fldinst DDE a b}}\bin3 abc}`)
}

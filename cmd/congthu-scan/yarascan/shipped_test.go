package yarascan_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/yarascan"
)

const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// samples has, for each shipped rule, octets that meet it and octets that come close
// and must not. They are inert: no more than the words that the rule looks for.
func samples() map[string][2]string {
	return map[string][2]string{
		"EICAR_TEST_FILE":            {`X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`, "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"},
		"OFFICE_MACRO_AUTORUN":       {ole + "Sub Document_Open", "Sub Document_Open"},
		"OFFICE_MACRO_DROPPER":       {ole + "AutoOpen WScript.Shell", ole + "WScript.Shell"},
		"OFFICE_REMOTE_TEMPLATE":     {`<Relationship Type="http://x/relationships/attachedTemplate" Target="http://mau.test/a.dotm" TargetMode="External"/>`, `<Relationship Type="http://x/relationships/hyperlink" Target="http://mau.test/a" TargetMode="External"/>`},
		"OFFICE_DDE":                 {`<w:instrText>DDEAUTO c:\\windows\\system32\\cmd.exe</w:instrText>`, `<w:instrText>PAGE</w:instrText> DDE is a protocol, cmd a program`},
		"RTF_EQUATION_OBJECT":        {`{\rtf1{\object{\*\objdata 01050000020000000b0000004571756174696F6E2E33`, `{\rtf1 Equation.3`},
		"RTF_PACKAGE_OBJECT":         {`{\rtf1{\object{\*\objdata 010500000200000008000000 5061636b61676500`, `{\rtf1 Package`},
		"ONENOTE_EMBEDDED_SCRIPT":    {"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d" + "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac" + "cmd /c", "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d cmd /c"},
		"PDF_LAUNCH":                 {"%PDF-1.4 << /S /Launch /F (cmd.exe) >>", "%PDF-1.4 (how to /Launch)"},
		"PDF_OPEN_JAVASCRIPT":        {"%PDF-1.4 /OpenAction << /S /JavaScript /JS (x) >>", "%PDF-1.4 /OpenAction [3 0 R /Fit]"},
		"PDF_EMBEDDED_PROGRAM":       {"%PDF-1.4 /EmbeddedFile /F (phu luc.exe)", "%PDF-1.4 /EmbeddedFile /F (phu luc.xml)"},
		"LNK_COMMAND":                {"L\x00\x00\x00\x01\x14\x02\x00 p\x00o\x00w\x00e\x00r\x00s\x00h\x00e\x00l\x00l\x00", "L\x00\x00\x00\x01\x14\x02\x00 notepad"},
		"SCRIPT_DOWNLOAD_AND_RUN":    {`x = CreateObject("MSXML2.XMLHTTP"); y = CreateObject("WScript.Shell")`, `x = new ActiveXObject("MSXML2.XMLHTTP")`},
		"POWERSHELL_HIDDEN_DOWNLOAD": {"powershell -w hidden (New-Object Net.WebClient).DownloadString", "powershell Get-ChildItem"},
		"POWERSHELL_ENCODED":         {"powershell.exe -nop -enc " + strings.Repeat("QUJD", 20), "powershell.exe -e QUJD"},
		"PROGRAM_IN_BASE64":          {"var a = 'TVqQAAMAAAAEAAAA//8AALgAAAA'", "Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA//8AALgAAAA"},
		"HTML_SMUGGLING":             {`<html><script>b=new Blob([Uint8Array.from(atob(x))]);a.href=URL.createObjectURL(b);a.click()`, `<html><script>b=new Blob([x])`},
		"HTML_PASSWORD_FORM":         {`<form method=post action="https://mau.test/x"><input type="password">`, `<form action="/search"><input type="password">`},
		"HTML_HIDDEN_WRITE":          {`<script>document.write(unescape("%3C"))`, `<script>document.write("x")`},
		"SVG_SCRIPT":                 {`<svg xmlns="http://www.w3.org/2000/svg"><script>x</script>`, `<svg xmlns="http://www.w3.org/2000/svg"><path d=""/>`},
		"PE_PACKED":                  {program(true), program(false)},
		"APK_SMS_ACCESSIBILITY":      {"\x03\x00\x08\x00 android.permission.READ_SMS android.permission.SYSTEM_ALERT_WINDOW", "\x03\x00\x08\x00 android.permission.READ_SMS"},
		"ARCHIVE_NAME_EXPLOIT":       {"PK\x03\x04 bao cao.pdf /bao cao.pdf .cmd", "PK\x03\x04 bao cao.pdf/trang 1.txt"},
	}
}

// program is the head of a Windows program whose one section is full of noise, or of
// zeros. It has no instructions.
func program(noise bool) string {
	b := make([]byte, 0x200+0x4000)
	put16 := func(at int, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }
	put32 := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
	copy(b, "MZ")
	put32(0x3C, 0x40)
	copy(b[0x40:], "PE\x00\x00")
	put16(0x44, 0x14c) // i386
	put16(0x46, 1)     // sections
	put16(0x54, 0xE0)  // size of the optional header
	put16(0x58, 0x10b)
	put32(0x58+92, 16)
	section := 0x58 + 0xE0
	copy(b[section:], ".text")
	put32(section+8, 0x4000)
	put32(section+12, 0x1000)
	put32(section+16, 0x4000)
	put32(section+20, 0x200)
	put32(section+36, 0x60000020)
	if noise {
		for at := 0x200; at < len(b); at += 32 {
			sum := sha256.Sum256(binary.LittleEndian.AppendUint32(nil, uint32(at)))
			copy(b[at:], sum[:])
		}
	}
	return string(b)
}

func TestShippedRules(t *testing.T) {
	rules, problems, err := yarascan.Load(yarascan.Source{Dir: "../../../rules/yara"})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if rules.Count() != len(samples()) {
		t.Errorf("%d rules, %d samples: every rule has its sample", rules.Count(), len(samples()))
	}
	s, err := rules.Scanner()
	if err != nil {
		t.Fatal(err)
	}
	hit := func(rule, data string) bool {
		ms, err := s.Scan(yarascan.Object{Data: []byte(data)}, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(ms, func(m yarascan.Match) bool { return m.Rule == rule })
	}
	for rule, x := range samples() {
		if !hit(rule, x[0]) {
			t.Errorf("%s does not meet its sample", rule)
		}
		if hit(rule, x[1]) {
			t.Errorf("%s meets what only comes close", rule)
		}
	}
}

package document_test

import (
	"testing"
	"unicode/utf16"
)

func rel(kind, target string) string {
	return `<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/` + kind + `" Target="` + target + `" TargetMode="External"/></Relationships>`
}

func wide(s string) string {
	b := le("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b += le(u)
	}
	return b
}

func TestRelationships(t *testing.T) {
	for _, c := range []struct{ kind, target, facts, link string }{
		{"hyperlink", "https://mau.test/a", "", "https://mau.test/a"},
		{"image", "https://mau.test/a.png", "", "https://mau.test/a.png"},
		{"attachedTemplate", "file:///C:\\Users\\An\\Normal.dotm", "", ""},
		{"attachedTemplate", "Normal.dotm", "", ""},
		{"externalLinkPath", "file:///\\\\may-chu\\bieu\\a.xlsx", "EXTERNAL externalLinkPath file:///\\\\may-chu\\bieu\\a.xlsx", ""},
		{"externalLinkPath", "https://mau.test/a.xlsx", "", "https://mau.test/a.xlsx"},
		{"externalLinkPath", "bang%20luong.xlsx", "", ""},
		{"attachedTemplate", "https://mau.test/a.dotm", "EXTERNAL attachedTemplate https://mau.test/a.dotm", ""},
		{"oleObject", "mhtml:https://mau.test/a!x-usc:https://mau.test/a", "EXTERNAL oleObject mhtml:https://mau.test/a!x-usc:https://mau.test/a", ""},
		{"frame", "\\\\mau.test\\a.htm", "EXTERNAL frame \\\\mau.test\\a.htm", ""},
		{"image", "file://mau.test/a.png", "EXTERNAL image file://mau.test/a.png", ""},
	} {
		for _, text := range []string{rel(c.kind, c.target), wide(rel(c.kind, c.target))} {
			s := read(member("word/_rels/document.xml.rels", text))
			s.check(t, c.kind+" "+c.target, c.facts, "")
			if link := append(s.links, "")[0]; link != c.link {
				t.Errorf("%s: link %q", c.target, link)
			}
		}
	}
}

func TestWordFields(t *testing.T) {
	run := func(s string) string { return `<w:r><w:instrText xml:space="preserve">` + s + `</w:instrText></w:r>` }
	const begin, sep, end = `<w:r><w:fldChar w:fldCharType="begin"/></w:r>`, `<w:r><w:fldChar w:fldCharType="separate"/></w:r>`, `<w:r><w:fldChar w:fldCharType="end"/></w:r>`
	for _, c := range []struct{ what, xml, facts string }{
		{"page", begin + run(" PAGE ") + sep + "1" + end, ""},
		{"text about DDE", `<w:t>DDEAUTO cmd.exe</w:t>`, ""},
		{"whole", begin + run(" DDEAUTO cmd /k ") + end, "DDE DDEAUTO cmd /k"},
		{"split", begin + run("D") + run("DE") + run("AUTO c:\\\\x.exe &quot;a&quot;") + end, `DDE DDEAUTO c:\\x.exe "a"`},
		{"quoted", begin + begin + run("QUOTE 68 68 69") + end + run(" cmd a") + end, "DDE DDE cmd a"},
		{"simple", `<w:fldSimple w:instr='DDE "cmd" "/c x"'/>`, `DDE DDE "cmd" "/c x"`},
		{"other prefix", `<x:fldChar x:fldCharType="begin"/><x:instrText>dde cmd x</x:instrText>`, "DDE dde cmd x"},
	} {
		read(member("word/document.xml", "<w:document>"+c.xml+"</w:document>")).check(t, c.what, c.facts, "")
	}
}

func TestOfficeParts(t *testing.T) {
	types := func(s string) string { return `<Types><Override PartName="/x" ContentType="` + s + `"/></Types>` }
	for _, c := range []struct{ name, data, facts string }{
		{"[Content_Types].xml", types("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"), ""},
		{"[Content_Types].xml", types("application/vnd.ms-word.document.macroEnabled.main+xml"), "MACRO content type, TYPE_MISMATCH macros as .docx"},
		{"[Content_Types].xml", types("application/vnd.ms-excel.macrosheet+xml"), "MACRO Excel 4 macro sheet"},
		{"word/activeX/activeX1.xml", `<ax:ocx ax:classid="{00000000-0000}"/>`, "ACTIVEX {00000000-0000}"},
		{"xl/externalLinks/externalLink1.xml", `<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>`, "DDE cmd /c calc"},
		{"xl/externalLinks/externalLink1.xml", `<externalLink><ddeLink ddeService="Excel" ddeTopic="a.xls"/></externalLink>`, ""},
		{"xl/externalLinks/externalLink1.bin", le("\xe8\x02\x1a", uint16(1), uint32(3), "c\x00m\x00d\x00", uint32(2), "/\x00c\x00"), "DDE cmd /c"},
		{"xl/externalLinks/externalLink1.bin", le("\xe8\x02\x1a", uint16(0), uint32(3), "c\x00m\x00d\x00", uint32(2), "/\x00c\x00"), ""},
		{"xl/workbook.xml", `<definedName name="_xlnm.Auto_Open">x</definedName>`, "MACRO_AUTORUN Auto_Open"},
		{"xl/workbook.xml", `<definedName name="_xlnm.Print_Area">x</definedName>`, ""},
		{"word/document.xml", `<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>`, `XML_ENTITIES <!ENTITY a "aaaa"`},
		{"Basic/Standard/Module1.xml", "<script:module>Sub AutoOpen\nShell(&quot;calc&quot;)</script:module>", "MACRO Basic/Standard/Module1.xml, MACRO_AUTORUN autoopen, MACRO_CALLS shell"},
		{"META-INF/manifest.xml", "<manifest:encryption-data/>", "ENCRYPTED META-INF/manifest.xml"},
		{"META-INF/manifest.xml", "<manifest:file-entry/>", ""},
		{"content.xml", `<draw:object-ole xlink:href="Object 1"/>`, ""},
		{"content.xml", `<draw:object xlink:href="http://mau.test/a.odt"/>`, "EXTERNAL object http://mau.test/a.odt"},
		{"content.xml", `<script:event-listener xlink:href="vnd.sun.star.script:Standard.Module1.Main"/>`, "MACRO_AUTORUN event"},
		{"content.xml", `<office:dde-source office:dde-application="cmd" office:dde-topic="/c x"/>`, "DDE cmd /c x"},
	} {
		read(member(c.name, c.data)).check(t, c.name, c.facts, "")
	}
}

func FuzzOfficePart(f *testing.F) {
	fuzz(f, "word/document.xml", true, `<w:fldChar w:fldCharType="begin"/><w:instrText>DDE a b</w:instrText>`)
}

func FuzzRelationships(f *testing.F) {
	fuzz(f, "word/_rels/document.xml.rels", true, rel("oleObject", "http://mau.test/"))
}

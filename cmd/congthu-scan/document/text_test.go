package document_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"strings"
	"testing"
)

// carriedZip is a file by its octets, long enough to be looked for in a text.
func carriedZip() (octets, text string) {
	octets = "PK\x03\x04EVIL" + strings.Repeat("\x00", 120)
	return octets, base64.StdEncoding.EncodeToString([]byte(octets))
}

func TestPages(t *testing.T) {
	octets, b64 := carriedZip()
	cut := `"` + b64[:60] + "\" +\n\"" + b64[60:] + `"`
	for _, c := range []struct{ what, data, facts, objects string }{
		{"clean", `<html><script src="a.js"></script><a href="https://mau.test/">x</a><img src="data:image/png;base64,AAAA"></html>`, "", ""},
		{"smuggling", `<html><script>d=atob(` + cut + `);b=new Blob([d]);a.href=URL.createObjectURL(b);a.download="x.zip";a.click()</script>`, "HTML_SMUGGLING new blob( .download atob(", "=" + octets},
		{"without a script", `<html><a download="x.zip" href="data:application/zip;base64,` + b64 + `">x</a>`, "HTML_SMUGGLING a data:application/zip;base64," + strings.ToLower(b64[:60-len("data:application/zip;base64,")]), "=" + octets},
		{"a chart that can be saved", `<html><script>b=new Blob([csv]);a.click()</script>`, "", ""},
		{"encoded script", `<html><script language="JScript.Encode">#@~^HwAAAA==@#@&x</script>`, "SCRIPT #@~^HwAAAA==, SCRIPT_ENCODED #@~^HwAAAA==", ""},
		{"drawing", `<svg xmlns="http://www.w3.org/2000/svg"><use xlink:href="#a"/><foreignObject><div>nhãn</div></foreignObject></svg>`, "", ""},
		{"drawing that runs", `<svg><script>x</script></svg>`, "SVG_ACTIVE <script", ""},
		{"drawing that runs at once", `<svg onload ="x"></svg>`, "SVG_ACTIVE onload", ""},
		{"drawing that leads away", `<svg><a xlink:href="https://mau.test/"><rect/></a></svg>`, "SVG_ACTIVE a https://mau.test/", ""},
	} {
		read(file("a.html", c.data)).check(t, c.what, c.facts, c.objects)
	}
}

func TestTexts(t *testing.T) {
	octets, b64 := carriedZip()
	lines := b64[:76] + "\r\n" + b64[76:]
	for _, c := range []struct{ what, name, data, facts, objects string }{
		{"letter", "a.txt", "Kính gửi Ủy ban, đề nghị báo cáo trước ngày 30/11.", "", ""},
		{"table", "a.csv", "a,=SUM(A1:A2),-5\nb,|'x'!,2\n", "", ""},
		{"table that runs", "a.csv", "a\n=cmd|'/c calc'!A0\n", "DDE cmd /c calc", ""},
		{"table of another", "a.csv", "=Excel|'so.xls'!A0\n", "", ""},
		{"symbolic links", "a.slk", "ID;PWXL;N;E\nNN;NAuto_Open;ER1C1\n", "MACRO SYLK, MACRO_AUTORUN Auto_Open", ""},
		{"plain symbolic links", "a.slk", "ID;PWXL;N;E\nC;Y1;X1;K1\n", "", ""},
		{"encoded script", "a.txt", "#@~^AAAA==x", "SCRIPT #@~^", ""},
		{"encoded script of some length", "a.txt", "\n\n" + strings.Repeat("rem\r\n", 9000) + "#@~^HwAAAA==@#@&x", "SCRIPT #@~^HwAAAA==, SCRIPT_ENCODED #@~^HwAAAA==", ""},
		{"as the encoder writes it", "a.txt", "#@~^HwAAAA==@#@&x==^#~@\x00", "SCRIPT #@~^HwAAAA==, SCRIPT_ENCODED #@~^HwAAAA==", ""},
		{"octets that are no text", "a.bin", "\x00\x01\x02\x03#@~^", "", ""},
		{"encoded in UTF-16", "a.txt", "\xff\xfe#\x00@\x00~\x00^\x00H\x00w\x00A\x00A\x00A\x00A\x00=\x00=\x00x\x00", "SCRIPT #@~^HwAAAA==, SCRIPT_ENCODED #@~^HwAAAA==", ""},
		{"marks far down that are none", "a.txt", strings.Repeat("a b\r\n", 9000) + "#@~^ #@~^AA__AA== #@~^AAAAAA= #@~^", "", ""},
		{"carried", "a.txt", "data:\n" + lines + "\n", "", "=" + octets},
		{"appointment", "a.ics", "BEGIN:VCALENDAR\r\nATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=\"a:b.js\":RVZ\r\n JTA==\r\nURL:https://mau.test/\r\n", "", "a:b.js=EVIL"},
		{"saved page", "a.doc", "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; name=a.js\r\n\r\nEVIL\r\n--b--\r\n", "", "a.js=EVIL"},
		{"XML", "a.xml", "<hoadon><so>1</so></hoadon>", "", ""},
		{"entities", "a.xml", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, `XML_ENTITIES <!ENTITY b SYSTEM "file:///etc/passwd"`, ""},
		{"edXML", "a.edxml", `<edXML><Manifest><AttachmentName>cong van.doc</AttachmentName></Manifest><AttachmentEncoded><Attachment>` + lines + `</Attachment></AttachmentEncoded></edXML>`, "", "cong van.doc.zip=" + octets},
		{"one file of Office", "a.xml", `<pkg:package><pkg:part pkg:name="/word/embeddings/a.bin"><pkg:binaryData>` + lines + `</pkg:binaryData></pkg:part></pkg:package>`, "", "a.bin.zip=" + octets},
		{"Excel 2003", "a.xml", "<SupBook><Path>cmd|/c calc</Path></SupBook>", "DDE cmd /c calc", ""},
	} {
		read(file(c.name, c.data)).check(t, c.what, c.facts, c.objects)
	}
}

func TestActiveMime(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write([]byte("EVIL inside")); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	read(file("a.mso", "ActiveMime"+strings.Repeat("\x00", 40)+z.String())).check(t, "ActiveMime", "", "ActiveMime=EVIL inside")
}

func TestOneNoteAndShortcut(t *testing.T) {
	const one, store = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"
	read(file("a.one", one+store+le(uint64(4), uint32(0), uint64(0), "EVIL", "\x00\x00a\x00b\x00c\x00.\x00b\x00a\x00t\x00\x00\x00"))).
		check(t, "OneNote", "EMBEDDED OneNote", "=EVIL, abc.bat=")
	read(file("a.one", one+"no file")).check(t, "clean section", "", "")
	head := le("L\x00\x00\x00\x01\x14\x02\x00", strings.Repeat("\x00", 12), uint32(1<<3|1<<5|1<<7), strings.Repeat("\x00", 0x4C-24))
	s := read(file("a.lnk", head+le(uint16(3), "c\x00m\x00d\x00", uint16(4), "/\x00c\x00 \x00x\x00")))
	s.check(t, "shortcut", "LNK cmd /c x", "")
}

func FuzzPage(f *testing.F) {
	_, b64 := carriedZip()
	fuzz(f, "a.html", false, `<html><a href="data:a/b;base64,`+b64+`">`, `<svg onload=x>`)
}

func FuzzText(f *testing.F) {
	_, b64 := carriedZip()
	fuzz(f, "a.txt", false, "=cmd|'/c calc'!A0", "BEGIN:VCALENDAR\nATTACH;ENCODING=BASE64:"+b64, "<a><FileName>x</FileName>"+b64+"</a>", "ID;P\nNN;NAuto_Open")
}

func FuzzOneNote(f *testing.F) {
	fuzz(f, "a.one", false, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac")
}

func FuzzShortcut(f *testing.F) {
	fuzz(f, "a.lnk", false, "L\x00\x00\x00\x01\x14\x02\x00"+strings.Repeat("\xff", 100))
}

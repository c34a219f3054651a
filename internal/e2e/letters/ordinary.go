package letters

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"unicode/utf16"
)

// Ordinary are office files as people send them every day, with what such files have: links,
// pictures, a chart with its table inside, forms, properties. None of them may be held.
func Ordinary() map[string][]byte {
	files := map[string][]byte{
		"cong-van.docx":    ordinaryDocx(),
		"so-lieu.xlsx":     ordinaryXlsx(),
		"trinh-chieu.pptx": ordinaryPptx(),
		"bien-ban.odt":     ordinaryODF("text", `<office:text><text:p>Biên bản họp. <text:a xlink:type="simple" xlink:href="https://a.test/van-ban">Xem tại đây</text:a></text:p><draw:frame><draw:image xlink:href="Pictures/anh.png" xlink:type="simple"/></draw:frame></office:text>`),
		"du-toan.ods":      ordinaryODF("spreadsheet", `<office:spreadsheet><table:table table:name="Dự toán"><table:table-row><table:table-cell table:formula="of:=SUM([.A1:.A9])" office:value-type="float" office:value="45"/></table:table-row></table:table></office:spreadsheet>`),
		"quyet-dinh.pdf":   ordinaryPDF(),
		"thong-bao.rtf":    ordinaryRTF(),
		"bao-cao.doc":      ordinaryOld("WordDocument", ordinaryWord()),
		"danh-sach.xls":    ordinaryOld("Workbook", ordinaryBIFF()),
		"lich-hop.ics":     []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART:20261130T010000Z\r\nSUMMARY:Họp giao ban\r\nLOCATION:Phòng 3\r\nDESCRIPTION:Tài liệu tại https://a.test/tai-lieu\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
		"danh-sach.csv":    []byte("Số,Họ và tên,Tổng\r\n1,Nguyễn Văn A,=B1+C1\r\n2,\"Trần Thị B, kế toán\",-5\r\n"),
		"hoa-don.xml":      []byte(`<?xml version="1.0" encoding="UTF-8"?><HDon><DLHDon Id="a"><TTChung><SHDon>1</SHDon></TTChung></DLHDon><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>` + strings.Repeat("q83vEjRWeJA=", 30) + `</SignatureValue></Signature></HDon>`),
		"anh.jpg":          photo(),
	}
	files["ho-so.zip"] = zipped("cong-van.docx", files["cong-van.docx"], "phụ lục/so-lieu.xlsx", files["so-lieu.xlsx"], "quyet-dinh.pdf", files["quyet-dinh.pdf"])
	return files
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	relSpace = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
)

// relations writes a part of relationships: type, target, pairs; addresses lead outside.
func relations(pairs ...string) []byte {
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for i := 0; i+1 < len(pairs); i += 2 {
		mode := ""
		if strings.Contains(pairs[i+1], ":") {
			mode = ` TargetMode="External"`
		}
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s/%s" Target="%s"%s/>`, i/2+1, relSpace, pairs[i], pairs[i+1], mode)
	}
	return []byte(b.String() + `</Relationships>`)
}

func contentTypes(parts ...string) []byte {
	var b strings.Builder
	b.WriteString(xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/><Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/>`)
	for i := 0; i+1 < len(parts); i += 2 {
		fmt.Fprintf(&b, `<Override PartName="%s" ContentType="application/vnd.openxmlformats-officedocument.%s+xml"/>`, parts[i], parts[i+1])
	}
	return []byte(b.String() + `</Types>`)
}

func coreProperties() []byte {
	return []byte(xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Công văn</dc:title><dc:creator>Văn thư</dc:creator></cp:coreProperties>`)
}

// ordinaryDocx has links to pages and mailboxes, a picture, a template of the house, and a
// chart with its table.
func ordinaryDocx() []byte {
	return zipped("[Content_Types].xml", contentTypes("/word/document.xml", "wordprocessingml.document.main", "/word/charts/chart1.xml", "drawingml.chart"),
		"_rels/.rels", relations("officeDocument", "word/document.xml"),
		"docProps/core.xml", coreProperties(),
		"word/document.xml", []byte(xmlHead+`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="`+relSpace+`"><w:body><w:p><w:hyperlink r:id="rId1"><w:r><w:t>Xem văn bản</w:t></w:r></w:hyperlink></w:p><w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText> PAGE </w:instrText><w:fldChar w:fldCharType="end"/></w:r></w:p><w:p><w:r><w:instrText> TOC \o "1-3" \h </w:instrText></w:r></w:p></w:body></w:document>`),
		"word/_rels/document.xml.rels", relations("hyperlink", "https://a.test/van-ban/12", "hyperlink", "mailto:van-thu@a.test", "image", "media/image1.png", "chart", "charts/chart1.xml", "styles", "styles.xml"),
		"word/styles.xml", []byte(xmlHead+`<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>`),
		"word/_rels/settings.xml.rels", relations("attachedTemplate", "file:///C:\\Users\\VanThu\\AppData\\Roaming\\Microsoft\\Templates\\Normal.dotm"),
		"word/settings.xml", []byte(xmlHead+`<w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="`+relSpace+`"><w:attachedTemplate r:id="rId1"/></w:settings>`),
		"word/media/image1.png", picture(),
		"word/charts/chart1.xml", []byte(xmlHead+`<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"/>`),
		"word/charts/_rels/chart1.xml.rels", relations("package", "../embeddings/Microsoft_Excel_Worksheet.xlsx"),
		"word/embeddings/Microsoft_Excel_Worksheet.xlsx", ordinaryXlsx())
}

func ordinaryXlsx() []byte {
	const space = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + relSpace + `"`
	return zipped("[Content_Types].xml", contentTypes("/xl/workbook.xml", "spreadsheetml.sheet.main", "/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet"),
		"_rels/.rels", relations("officeDocument", "xl/workbook.xml"),
		"xl/workbook.xml", []byte(xmlHead+`<workbook `+space+`><sheets><sheet name="Số liệu" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="_xlnm.Print_Area">Sheet1!$A$1:$D$9</definedName></definedNames></workbook>`),
		"xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml"),
		"xl/worksheets/sheet1.xml", []byte(xmlHead+`<worksheet `+space+`><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>SUM(A1:A9)*IF(A1&gt;0,1,2)</f><v>9</v></c></row></sheetData><hyperlinks><hyperlink ref="A1" r:id="rId1"/></hyperlinks></worksheet>`),
		"xl/worksheets/_rels/sheet1.xml.rels", relations("hyperlink", "https://a.test/so-lieu"))
}

func ordinaryPptx() []byte {
	const space = `xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="` + relSpace + `"`
	return zipped("[Content_Types].xml", contentTypes("/ppt/presentation.xml", "presentationml.presentation.main", "/ppt/slides/slide1.xml", "presentationml.slide"),
		"_rels/.rels", relations("officeDocument", "ppt/presentation.xml"),
		"ppt/presentation.xml", []byte(xmlHead+`<p:presentation `+space+`><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>`),
		"ppt/_rels/presentation.xml.rels", relations("slide", "slides/slide1.xml"),
		"ppt/slides/slide1.xml", []byte(xmlHead+`<p:sld `+space+`><p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id="2" name="Tiêu đề"><a:hlinkClick r:id="rId2"/></p:cNvPr></p:nvSpPr></p:sp></p:spTree></p:cSld></p:sld>`),
		"ppt/slides/_rels/slide1.xml.rels", relations("image", "../media/image1.png", "hyperlink", "https://a.test/"),
		"ppt/media/image1.png", picture())
}

func ordinaryODF(kind, body string) []byte {
	const spaces = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"`
	return zipped("mimetype", []byte("application/vnd.oasis.opendocument."+kind),
		"content.xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><office:document-content `+spaces+`><office:body>`+body+`</office:body></office:document-content>`),
		"META-INF/manifest.xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.`+kind+`"/></manifest:manifest>`),
		"Pictures/anh.png", picture())
}

// ordinaryPDF opens at its first page, has a link, a picture, a form to fill in and its
// properties in XML.
func ordinaryPDF() []byte {
	stream := func(head, data string) string {
		return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", head, len(data), data)
	}
	return pdf("Quyet dinh",
		"<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /XYZ null null 0] /AcroForm << /Fields [8 0 R] /DA (/F1 0 Tf) >> /Metadata 9 0 R >>",
		"<< /Type /Annot /Subtype /Link /Rect [72 740 300 780] /A << /S /URI /URI (https://a.test/quyet-dinh) >> >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (ho-ten) /Rect [72 700 300 720] >>",
		stream("/Type /Metadata /Subtype /XML", `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>`),
		stream("/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8", "\x10\x80\x90\xff"),
		"<< /Type /Action /S /GoTo /D [3 0 R /Fit] >>")
}

func ordinaryRTF() []byte {
	return fmt.Appendf(nil, "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Times New Roman;}}\\f0\\fs28 Th\\u244?ng b\\u225?o\\par {\\field{\\*\\fldinst HYPERLINK \"https://a.test/\"}{\\fldrslt a.test}}\\par {\\pict\\pngblip\\picw16\\pich16 %x}\\par}", picture())
}

// ordinaryWord is the text of an old Word document with a field of a page number and a link.
func ordinaryWord() []byte {
	head := append([]byte("\xec\xa5\xc1\x00"), make([]byte, 0x200)...)
	return append(head, wide("Báo cáo tháng 11 \x13 PAGE \x141\x15 \x13 HYPERLINK \"https://a.test/\" \x14xem\x15")...)
}

// ordinaryBIFF is a workbook of one sheet (MS-XLS 2.1): BOF, BOUNDSHEET, EOF.
func ordinaryBIFF() []byte {
	return []byte("\x09\x08\x10\x00\x00\x06\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x85\x00\x0e\x00\x30\x00\x00\x00\x00\x00\x06\x00Sheet1" + "\x0a\x00\x00\x00")
}

// ordinaryOld puts a stream and the usual properties into a compound file (MS-CFB).
func ordinaryOld(name string, data []byte) []byte {
	streams := []struct {
		name string
		data []byte
	}{{name, data}, {"\x05SummaryInformation", []byte("\xfe\xff\x00\x00")}, {"\x05DocumentSummaryInformation", []byte("\xfe\xff\x00\x00")}}
	const sector, each = 512, 8 // sectors of a stream: at least 4096 octets
	head, table := compoundHead(), bytes.Repeat([]byte{0xFF}, sector)
	var body []byte
	directory := make([]byte, 0, sector)
	directory = append(directory, directoryEntry("Root Entry", 5, 1, 0xFFFFFFFF, 0xFFFFFFFE, 0)...)
	for i, s := range streams {
		first, next := uint32(2+each*i), uint32(i+2)
		if i == len(streams)-1 {
			next = 0xFFFFFFFF
		}
		directory = append(directory, directoryEntry(s.name, 2, 0xFFFFFFFF, next, first, sector*each)...)
		body = append(body, append(s.data, make([]byte, sector*each-len(s.data))...)...)
		for n := range uint32(each) {
			binary.LittleEndian.PutUint32(table[4*(first+n):], first+n+1)
		}
		binary.LittleEndian.PutUint32(table[4*(first+each-1):], 0xFFFFFFFE)
	}
	binary.LittleEndian.PutUint32(table, 0xFFFFFFFE)     // the directory
	binary.LittleEndian.PutUint32(table[4:], 0xFFFFFFFD) // this table
	return append(append(append(head, directory...), table...), body...)
}

// compoundHead is the header of a compound file whose directory is its first sector and
// whose allocation table is the second.
func compoundHead() []byte {
	b := make([]byte, 512)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		binary.LittleEndian.PutUint16(b[at:], v)
	}
	copy(b[76:], bytes.Repeat([]byte{0xFF}, 512-76))
	for at, v := range map[int]uint32{44: 1, 48: 0, 56: 4096, 60: 0xFFFFFFFE, 68: 0xFFFFFFFE, 76: 1} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	return b
}

// directoryEntry is one of 128 octets; child is of a storage, next the right sibling.
func directoryEntry(name string, kind byte, child, next, first, size uint32) []byte {
	e := make([]byte, 128)
	text := wide(name)
	copy(e, text)
	binary.LittleEndian.PutUint16(e[64:], uint16(len(text)+2))
	e[66], e[67] = kind, 1
	for at, v := range map[int]uint32{68: 0xFFFFFFFF, 72: next, 76: child, 116: first, 120: size} {
		binary.LittleEndian.PutUint32(e[at:], v)
	}
	return e
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func gradient() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{uint8(4 * x), uint8(5 * y), 128, 255})
		}
	}
	return img
}

func picture() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, gradient()) // to memory
	return b.Bytes()
}

func photo() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, gradient(), nil) // to memory
	return b.Bytes()
}

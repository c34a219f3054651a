package letters

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
)

// Eicar is the test string that scanners agree to call malware. It is put together
// here so that this source is not itself what they look for.
func Eicar() []byte {
	return []byte(strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}`, `$EICAR`, `-STANDARD-`, `ANTIVIRUS-`, `TEST-FILE!`, `$H+H*`}, ""))
}

// Blob returns an attachment by the name under which test cases ask for it.
func Blob(name string) ([]byte, bool) {
	make, ok := map[string]func() []byte{
		"eicar":         Eicar,
		"eicar.zip":     func() []byte { return zipped("a.txt", Eicar()) },
		"eicar.zip.zip": func() []byte { return zipped("b.zip", zipped("a.txt", Eicar())) },
		"eicar.tar.gz":  func() []byte { return gzipped(tarred("a.txt", Eicar())) },
		"aes.zip":       func() []byte { return encryptedFlag(zipped("a.txt", []byte("secret"))) },
		"traverse.zip": func() []byte {
			return zipped("../../tmp/gwpwn", []byte("x"), "/tmp/gwpwn", []byte("y"), "$(touch gwpwn)", []byte("z"))
		},
		"bomb.zip":            func() []byte { return zipped("zeros.bin", make([]byte, 64<<20)) },
		"lnk":                 lnk,
		"lnk.zip":             func() []byte { return zipped("chi thi.docx.lnk", lnk()) },
		"exe":                 exe,
		"exe.zip":             func() []byte { return zipped("cai-dat.exe", exe()) },
		"js.zip":              func() []byte { return zipped("hoa-don.js", []byte("var a = 1;\n")) },
		"macro.docm":          macroDocument,
		"docx":                document,
		"iso":                 iso,
		"pdf":                 func() []byte { return pdf("Cong van mau") },
		"link.pdf":            linkPDF,
		"qr.pdf":              codePDF,
		"qr.png":              codePicture,
		"overlap.zip":         overlapped,
		"arj":                 arj,
		"ace":                 ace,
		"lha":                 lha,
		"lzx.cab":             lzxCab,
		"msi":                 installer,
		"msi.zip":             func() []byte { return zipped("phan-mem.doc", installer()) },
		"vbe":                 encodedScript,
		"vbe.zip":             func() []byte { return zipped("thong-bao.txt", encodedScript()) },
		"xfa.pdf":             xfaPDF,
		"eicar.deflate64.zip": eicarDeflate64,
		"eicar.eml.tnef": func() []byte {
			return Winmail("thu.eml", []byte("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"+string(lines64(Eicar()))))
		},
		"mismatch.zip": func() []byte { return renamedLocally(zipped("bao-cao.txt", []byte("MZ"))) },
	}[name]
	if variant, found := variants()[name]; found && !ok {
		return variant(), true
	}
	if ordinary, found := Ordinary()[strings.TrimPrefix(name, "ordinary/")]; found && !ok {
		return ordinary, true
	}
	if !ok {
		return nil, false
	}
	return make(), true
}

// zipped makes a zip of name, content pairs, the same octets each time.
func zipped(name string, data []byte, more ...any) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)})
		if err == nil {
			_, _ = f.Write(data) // to memory
		}
	}
	add(name, data)
	for i := 0; i+1 < len(more); i += 2 {
		add(more[i].(string), more[i+1].([]byte)) //nolint:errcheck // the callers are above
	}
	_ = w.Close() // to memory
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // to memory
	_ = w.Close()
	return b.Bytes()
}

func tarred(name string, data []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600}) // to memory
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// encryptedFlag sets the flag of encryption and the AES method in both headers of a
// zip with one member.
func encryptedFlag(z []byte) []byte {
	for _, x := range []struct {
		magic        string
		flag, method int
	}{{"PK\x03\x04", 6, 8}, {"PK\x01\x02", 8, 10}} {
		at := bytes.Index(z, []byte(x.magic))
		z[at+x.flag] |= 1
		binary.LittleEndian.PutUint16(z[at+x.method:], 99)
	}
	return z
}

// overlapped is a zip whose directory has a thousand names for its one member of ten
// megabytes.
func overlapped() []byte {
	const members = 1000
	z := zipped("00000", make([]byte, 10<<20))
	at := bytes.LastIndex(z, []byte("PK\x01\x02"))
	end := bytes.LastIndex(z, []byte("PK\x05\x06"))
	entry, tail := z[at:end], bytes.Clone(z[end:])
	out := bytes.Clone(z[:at])
	for i := range members {
		start := len(out)
		out = append(out, entry...)
		copy(out[start+46:], fmt.Sprintf("%05d", i))
	}
	binary.LittleEndian.PutUint16(tail[8:], members)
	binary.LittleEndian.PutUint16(tail[10:], members)
	binary.LittleEndian.PutUint32(tail[12:], uint32(members*len(entry)))
	return append(out, tail...)
}

// Winmail wraps a file as Outlook does (MS-OXTNEF section 2.1).
func Winmail(name string, data []byte) []byte {
	out := []byte{0x78, 0x9F, 0x3E, 0x22, 1, 0}
	attribute := func(id uint32, data []byte) {
		out = append(out, 2) // of an attachment
		out = binary.LittleEndian.AppendUint32(out, id)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
		sum := uint16(0)
		for _, c := range data {
			sum += uint16(c)
		}
		out = binary.LittleEndian.AppendUint16(append(out, data...), sum)
	}
	attribute(0x00069002, make([]byte, 14))
	attribute(0x00018010, []byte(name+"\x00"))
	attribute(0x0006800F, data)
	return out
}

// renamedLocally gives the local header another name than the directory has.
func renamedLocally(z []byte) []byte {
	copy(z[30:], "bao-cao.exe")
	return z
}

// lnk is the head of a Windows shortcut (MS-SHLLINK section 2.1) that leads nowhere.
func lnk() []byte {
	head := []byte{0x4C, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}
	return append(head, make([]byte, 56+16)...)
}

// exe is the head of a Windows program with nothing to run.
func exe() []byte {
	b := make([]byte, 512)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[0x3C:], 0x80)
	copy(b[0x80:], "PE\x00\x00\x4c\x01")
	return b
}

func document() []byte {
	return zipped("[Content_Types].xml", []byte(`<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`),
		"word/document.xml", []byte(`<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>`))
}

// macroDocument has the place of a macro project, empty.
func macroDocument() []byte {
	return zipped("[Content_Types].xml", []byte(`<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`),
		"word/document.xml", []byte(`<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>`),
		"word/vbaProject.bin", append([]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}, make([]byte, 504)...))
}

// iso is the volume descriptor of an empty disk image (ECMA-119 section 8.4).
func iso() []byte {
	b := make([]byte, 34<<10)
	copy(b[0x8000:], "\x01CD001\x01")
	return b
}

// pdf is a page with one line of text, and further objects.
func pdf(line string, more ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	stream := "BT /F1 14 Tf 72 760 Td (" + line + ") Tj ET"
	for i, body := range append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}, more...) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// lines64 encodes to base64 in lines of 76 (RFC 2045 section 6.8).
func lines64(data []byte) []byte {
	s := base64.StdEncoding.EncodeToString(data)
	var b bytes.Buffer
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	b.WriteString(s + "\r\n")
	return b.Bytes()
}

// Base64 encodes for a MIME body, lines ended by LF as test cases are written.
func Base64(data []byte) string {
	return strings.TrimSuffix(strings.ReplaceAll(string(lines64(data)), "\r\n", "\n"), "\n")
}

// word encodes a header word (RFC 2047), folded where it takes several.
func word(s string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// extended encodes a parameter value (RFC 8187).
func extended(s string) string {
	return "UTF-8''" + strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

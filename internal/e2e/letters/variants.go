package letters

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
)

// variants are further forms of what test cases send: files that hide, lie, are locked or
// claim to be large.
func variants() map[string]func() []byte {
	return map[string]func() []byte{
		"winmail.zip":  func() []byte { return zipped("winmail.dat", Winmail("a.txt", Eicar())) },
		"winmail.tnef": func() []byte { return Winmail("winmail.dat", Winmail("a.txt", Eicar())) },
		"zip.tnef":     func() []byte { return Winmail("ho-so.zip", zipped("a.txt", Eicar())) },
		"bomb.gz":      func() []byte { return gzipped(make([]byte, 64<<20)) },
		"bomb.tar.gz":  func() []byte { return gzipped(tarred("zeros.bin", make([]byte, 64<<20))) },
		"deep.zip":     deepZip,
		"many.zip":     manyMembers,
		"traverse.tar": traverseTar,
		"traverse-windows.zip": func() []byte {
			return zipped(`..\..\Startup\gwpwn.txt`, []byte("x"), `C:\gwpwn.txt`, []byte("y"), `\\a.test\c$\gwpwn`, []byte("z"))
		},
		"unseen.zip":  func() []byte { return zipped("cong van \u202etxt.gpj", []byte("x"), "a\x00.txt", []byte("y")) },
		"locked.docx": func() []byte { return ordinaryOld("EncryptedPackage", []byte(strings.Repeat("x", 600))) },
		"locked.xls":  func() []byte { return ordinaryOld("Workbook", lockedBIFF()) },
		"locked.pdf":  lockedPDF,
		"locked.doc":  func() []byte { return ordinaryOld("WordDocument", lockedWord()) },
	}
}

// deepZip is a file in more archives than anybody packs by hand.
func deepZip() []byte {
	data := Eicar()
	for n := range 12 {
		data = zipped(fmt.Sprintf("%d.zip", n), data)
	}
	return data
}

// manyMembers has more members than an archive may have.
func manyMembers() []byte {
	more := make([]any, 0, 30000)
	for n := range 15000 {
		more = append(more, fmt.Sprint(n), []byte{})
	}
	return zipped("a", nil, more...)
}

// traverseTar leads out of its folder by names and by links.
func traverseTar() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "../../tmp/gwpwn", Mode: 0o600},
		{Name: "/tmp/gwpwn", Mode: 0o600},
		{Name: "lien-ket", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink, Mode: 0o777},
		{Name: "lien-ket/gwpwn", Mode: 0o600},
	} {
		_ = w.WriteHeader(&h) // to memory
	}
	_ = w.Close() // to memory
	return b.Bytes()
}

// lockedBIFF has a FILEPASS record (MS-XLS 2.4.117) behind its beginning.
func lockedBIFF() []byte {
	plain := ordinaryBIFF()
	return append(append(plain[:20:20], "\x2f\x00\x02\x00\x00\x00"...), plain[20:]...)
}

// lockedWord has the flag of encryption in its head (MS-DOC 2.5.2).
func lockedWord() []byte {
	b := ordinaryWord()
	b[0x0B] |= 1
	return b
}

// lockedPDF needs a password: nothing proves the empty one.
func lockedPDF() []byte {
	b := pdf("x")
	key := "/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O (" + strings.Repeat("o", 32) + ") /U (" + strings.Repeat("u", 32) + ") >> /ID [(a) (a)] /Size"
	return bytes.Replace(b, []byte("/Size"), []byte(key), 1)
}

package letters

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// The heads of archives that nothing here opens: enough for a program of Windows to take
// them for what they are.
func arj() []byte {
	return append([]byte("\x60\xea\x29\x00\x1e\x06\x01\x00\x10\x00\x02"), make([]byte, 64)...)
}

func ace() []byte {
	return append([]byte("\x31\x2d\x31\x00\x00\x00\x90**ACE**\x14\x14"), make([]byte, 64)...)
}

func lha() []byte {
	return append([]byte("\x19\x51-lh5-\x10\x00\x00\x00\x20\x00\x00\x00"), make([]byte, 64)...)
}

// lzxCab is a cabinet whose one folder is compressed with LZX (MS-CAB 2.2: type 3).
func lzxCab() []byte {
	const name = "bao-cao.txt\x00"
	b := append([]byte("MSCF\x00\x00\x00\x00"), make([]byte, 28)...)
	b[16], b[24], b[25], b[26], b[28] = 44, 3, 1, 1, 1
	body := []byte("twenty octets of LZX")
	b = binary.LittleEndian.AppendUint32(b, uint32(44+16+len(name)))
	b = append(b, 1, 0, 3, 15)
	b = binary.LittleEndian.AppendUint32(b, 1000)
	b = append(append(b, make([]byte, 12)...), name...)
	b = append(b, 0, 0, 0, 0, byte(len(body)), 0, 0xE8, 3)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(b)))
	return b
}

// installer is a compound file whose root is of the class of Windows Installer packages,
// with nothing in it (MS-CFB 2.6).
func installer() []byte {
	root := directoryEntry("Root Entry", 5, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0)
	copy(root[80:], "\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")
	b := append(compoundHead(), root...)
	for range 3 {
		b = append(b, directoryEntry("", 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0)...)
	}
	table := bytes.Repeat([]byte{0xFF}, 512)
	binary.LittleEndian.PutUint32(table, 0xFFFFFFFE)
	binary.LittleEndian.PutUint32(table[4:], 0xFFFFFFFD)
	return append(b, table...)
}

// encodedScript looks like a script that went through Windows' encoder; it says nothing.
func encodedScript() []byte {
	return []byte("#@~^HwAAAA==@#@&\x7f\x7f noi dung khong doc duoc ==^#~@\x00")
}

// xfaPDF has a form in XML beside its page.
func xfaPDF() []byte {
	form := `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.0/"/></xdp:xdp>`
	return pdf("Bieu mau", "<< /Length "+strconv.Itoa(len(form))+" >>\nstream\n"+form+"\nendstream", "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA 6 0 R >> >>")
}

// eicarDeflate64 is a zip whose member another deflate would read otherwise: before the
// test string stands a copy of a thousand octets, by the code that says 258 there.
func eicarDeflate64() []byte {
	content := append([]byte(strings.Repeat("\x00", 1001)), Eicar()...)
	w := bitWriter{}
	w.put(0b011, 3) // the last block, fixed codes
	w.literal(0)
	w.code(0b11000101, 8) // 285,
	w.put(1000-3, 16)     // a thousand,
	w.code(0, 5)          // from the octet before
	for _, c := range Eicar() {
		w.literal(c)
	}
	w.code(0, 7) // the end
	packed := w.whole()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateRaw(&zip.FileHeader{
		Name: "a.txt", Method: 9, CRC32: crc32.ChecksumIEEE(content), Modified: time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC),
		CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(len(content)),
	})
	if err == nil {
		_, _ = f.Write(packed) // to memory
	}
	_ = z.Close() // to memory
	return b.Bytes()
}

// bitWriter writes deflate's fixed codes (RFC 1951 section 3.2.6).
type bitWriter struct {
	out  []byte
	bits uint64
	have uint
}

func (w *bitWriter) put(v uint64, n uint) {
	w.bits |= v << w.have
	for w.have += n; w.have >= 8; w.have -= 8 {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}

// code writes a Huffman code, the highest bit first.
func (w *bitWriter) code(v uint64, n uint) {
	for ; n > 0; n-- {
		w.put(v>>(n-1)&1, 1)
	}
}

func (w *bitWriter) literal(c byte) {
	if c < 144 {
		w.code(0b00110000+uint64(c), 8)
		return
	}
	w.code(0b110010000+uint64(c)-144, 9)
}

func (w *bitWriter) whole() []byte { return append(w.out, byte(w.bits)) }

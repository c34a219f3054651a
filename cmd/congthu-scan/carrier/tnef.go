package carrier

import (
	"encoding/binary"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/rtfpack"
)

// The attributes of MS-OXTNEF section 2.1.3.1 that carry something.
const (
	tnefRender     = 0x00069002 // an attachment begins
	tnefTitle      = 0x00018010
	tnefData       = 0x0006800F
	tnefProperties = 0x00069005 // of the attachment
	tnefMessage    = 0x00069003 // properties of the message
	tnefBody       = 0x0002800C
)

// tnefFile is the attachment being gathered: its names may come after its data.
type tnefFile struct {
	names []string
	data  [][]byte
}

// TNEF hands out the attachments of a winmail.dat and the bodies of its message.
func TNEF(b *archive.Budget, data []byte, visit Visit) []archive.Remark {
	return within(b, data, visit, func(o *opening) { o.tnef(data) })
}

func (o *opening) tnef(data []byte) {
	const head, frame, sum = 6, 9, 2
	var file tnefFile
	rest := data[min(head, len(data)):]
	for len(rest) > 0 && !o.full {
		if len(rest) < frame {
			o.Remark(archive.Damaged, "TNEF: %d octets are left over", len(rest))
			break
		}
		id := binary.LittleEndian.Uint32(rest[1:])
		size := int64(binary.LittleEndian.Uint32(rest[5:]))
		rest = rest[frame:]
		if size > int64(len(rest)) {
			o.Remark(archive.Damaged, "TNEF: an attribute of %d octets in %d", size, len(rest))
			size = int64(len(rest)) // half a program is worth a look, too
		}
		value := rest[:size]
		rest = rest[min(size+sum, int64(len(rest))):]
		o.attribute(&file, id, value)
	}
	o.endFile(&file)
}

func (o *opening) attribute(file *tnefFile, id uint32, value []byte) {
	switch id {
	case tnefRender:
		o.endFile(file)
	case tnefTitle:
		file.name(narrowText(value))
	case tnefData:
		file.data = append(file.data, value)
	case tnefProperties:
		o.properties(value, func(p property) { file.property(p) })
	case tnefMessage:
		o.properties(value, o.bodyProperty)
	case tnefBody:
		o.give(value)
	}
}

func (o *opening) endFile(file *tnefFile) {
	for _, data := range file.data {
		o.give(data, file.names...)
	}
	if len(file.data) == 0 && len(file.names) > 0 {
		o.give(nil, file.names...) // the name alone may be forbidden
	}
	*file = tnefFile{}
}

func (f *tnefFile) name(s string) {
	const most = 16
	if s != "" && !slices.Contains(f.names, s) && len(f.names) < most {
		f.names = append(f.names, s)
	}
}

// property takes names and contents of an attachment (MS-OXPROPS).
func (f *tnefFile) property(p property) {
	switch p.id {
	case 0x3001, 0x3704, 0x3707: // display name, short and long file name
		f.name(p.text())
	case 0x3701: // the data; an object begins with the number of its class
		const class = 16
		if p.kind == typeObject && len(p.value) > class {
			f.data = append(f.data, p.value[class:])
			return
		}
		f.data = append(f.data, p.value)
	}
}

// bodyProperty hands out the texts of the message, which no sender of winmail.dat
// expects anybody else to read.
func (o *opening) bodyProperty(p property) {
	switch p.id {
	case 0x1000, 0x1013: // plain, HTML
		o.give([]byte(p.text()))
	case 0x1009:
		rtf, ok := rtfpack.Unpack(p.value)
		if !ok {
			o.Remark(archive.Damaged, "TNEF: the RTF body does not unpack")
		}
		o.give(rtf)
	}
}

// property is one value of MAPI.
type property struct {
	kind, id uint16
	value    []byte
}

// The types of MS-OXCDATA section 2.11.1 that have a length of their own.
const (
	typeString8 = 0x1E
	typeUnicode = 0x1F
	typeObject  = 0x0D
	typeBinary  = 0x102
	multiple    = 0x1000
)

func (p property) text() string {
	if p.kind == typeUnicode {
		return wideText(p.value)
	}
	return narrowText(p.value)
}

func narrowText(b []byte) string { return strings.TrimRight(string(b), "\x00") }

func wideText(b []byte) string {
	var s strings.Builder
	for i := 0; i+1 < len(b); i += 2 {
		s.WriteRune(rune(binary.LittleEndian.Uint16(b[i:])))
	}
	return strings.TrimRight(s.String(), "\x00")
}

package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"

	"congthu/cmd/congthu-scan/archive"
)

// pptStorage is the record that holds an embedded compound file: a VBA project, an
// object (MS-PPT 2.10.34 ExOleObjStg).
const pptStorage = 0x1011

// powerpoint walks the records of a presentation. Containers are entered.
func (r *reader) powerpoint(d []byte) {
	for len(d) >= 8 {
		head, kind, size := binary.LittleEndian.Uint16(d), binary.LittleEndian.Uint16(d[2:]), binary.LittleEndian.Uint32(d[4:])
		d = d[8:]
		if head&0xF == 0xF { // a container
			continue
		}
		n := int(min(uint64(size), uint64(len(d)))) //nolint:gosec // bounded by the data
		if kind == pptStorage && !r.storage(head>>4, d[:n]) {
			return
		}
		d = d[n:]
	}
}

// storage hands out an embedded compound file; instance 1 is compressed. False: the
// budget is spent.
func (r *reader) storage(instance uint16, d []byte) bool {
	const name = "ole object"
	if instance == 0 {
		r.visit(Object{Name: name, Data: d})
		return true
	}
	if len(d) < 4 {
		return true
	}
	z, err := zlib.NewReader(bytes.NewReader(d[4:]))
	if err != nil {
		r.Remark(archive.Damaged, "%s: %v", name, err)
		return true
	}
	data, err := r.Read(name, z)
	r.visit(Object{Name: name, Data: data})
	return err == nil
}

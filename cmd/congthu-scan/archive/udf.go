package archive

import (
	"errors"
	"strings"
)

// The descriptors of ECMA-167 that lead to a file.
const (
	udfAnchor       = 2
	udfPartition    = 5
	udfVolume       = 6
	udfEnd          = 8
	udfFileSet      = 256
	udfIdentifier   = 257
	udfFile         = 261
	udfExtendedFile = 266
)

var (
	errUDF     = errors.New("udf: no such descriptor")
	errUDFKind = errors.New("udf: a partition map that is not read here")
)

// udfVol is a UDF volume on one plain partition in sectors of 2048 octets, as images of
// disks that are handed around have it. Others are said not to be read.
type udfVol struct {
	*iso
	partition int // its first sector
	seen      map[int]bool
}

// udf gives out the files of the UDF volume in the image.
func (i *iso) udf() error {
	v := &udfVol{iso: i, seen: map[int]bool{}}
	root, err := v.root()
	switch {
	case errors.Is(err, errUDFKind):
		i.remark(Method, "%v", err)
		return nil
	case err != nil:
		return err
	}
	return v.entry(root, "", 0)
}

// tagged returns the descriptor in a sector if it is of that kind.
func (v *udfVol) tagged(lba int, kinds ...uint16) ([]byte, error) {
	d := v.at(lba, sector)
	if len(d) == sector {
		for _, k := range kinds {
			if le16(d, 0) == k {
				return d, nil
			}
		}
	}
	return nil, errUDF
}

// root finds the sector of the root directory's entry, within the partition.
func (v *udfVol) root() (int, error) {
	anchor, err := v.tagged(256, udfAnchor)
	if err != nil {
		return 0, err
	}
	first, count := int(le32(anchor, 20)), int(le32(anchor, 16))/sector
	set := -1
	for n := first; n < first+min(count, 64); n++ {
		d := v.at(n, sector)
		if len(d) < sector || le16(d, 0) == udfEnd {
			break
		}
		switch le16(d, 0) {
		case udfPartition:
			v.partition = int(le32(d, 188))
		case udfVolume:
			if le32(d, 212) != sector || le32(d, 268) != 1 || d[440] != 1 {
				return 0, errUDFKind
			}
			set = int(le32(d, 252))
		}
	}
	if set < 0 || v.partition == 0 {
		return 0, errUDF
	}
	fs, err := v.tagged(v.partition+set, udfFileSet)
	if err != nil {
		return 0, err
	}
	return int(le32(fs, 404)), nil
}

// entry reads a file entry, and the directory that it may be.
func (v *udfVol) entry(block int, path string, depth int) error {
	if depth > isoDeep {
		v.remark(Limit, "depth: directories of an image")
		return nil
	}
	d, err := v.tagged(v.partition+block, udfFile, udfExtendedFile)
	if err != nil {
		return err
	}
	data, err := v.content(d)
	if err != nil {
		return err
	}
	const directory, link = 4, 12
	switch d[27] {
	case directory:
		if v.seen[block] {
			v.remark(Conflict, "%s: a directory in itself or twice", path)
			return nil
		}
		v.seen[block] = true
		return v.list(data, path, depth)
	case link:
		return v.once(strings.TrimSuffix(path, "/"), v.partition+block, data, "link")
	}
	return v.once(strings.TrimSuffix(path, "/"), v.first(d), data, "")
}

// allocation is the part of an entry that tells where the data are, and how.
func allocation(d []byte) (list []byte, kind uint16, embedded bool) {
	at := 176
	ea, ad := int(le32(d, 168)), int(le32(d, 172))
	if le16(d, 0) == udfExtendedFile {
		at, ea, ad = 216, int(le32(d, 208)), int(le32(d, 212))
	}
	kind = le16(d, 34) & 7
	if ea > len(d)-at || ad > len(d)-at-ea {
		return nil, kind, false
	}
	return d[at+ea : at+ea+ad], kind, kind == 3
}

// first is where the data of an entry begin: the same place as in the other lists of
// names on the image.
func (v *udfVol) first(d []byte) int {
	list, _, embedded := allocation(d)
	if embedded || len(list) < 8 {
		return 0
	}
	return v.partition + int(le32(list, 4))
}

// content puts the extents of an entry together.
func (v *udfVol) content(d []byte) ([]byte, error) {
	list, kind, embedded := allocation(d)
	size := int64(le64(d, 56)) //nolint:gosec // checked
	if size < 0 || size > v.Member {
		v.remark(Limit, "bytes: a file of an image")
		return nil, errLimit
	}
	if embedded {
		return list[:min(int64(len(list)), size)], nil
	}
	step := map[uint16]int{0: 8, 1: 16}[kind]
	if step == 0 {
		return nil, errUDF
	}
	var data []byte
	for at := 0; at+step <= len(list) && int64(len(data)) < size; at += step {
		n := le32(list, at)
		if n>>30 != 0 && n<<2 != 0 { // a hole, or more descriptors elsewhere
			v.remark(Method, "udf: extents of kind %d", n>>30)
		}
		part := v.at(v.partition+int(le32(list, at+4)), int(n&(1<<30-1)))
		if data == nil && int64(len(part)) >= size {
			return part[:size], nil
		}
		data = append(data, part...)
	}
	if int64(len(data)) < size {
		v.remark(Damaged, "udf: a file is cut")
	}
	return data[:min(int64(len(data)), size)], nil
}

const (
	udfDeleted = 4
	udfParent  = 8
	udfHead    = 38 // octets of an identifier before what has a length
)

// list reads the identifiers of a directory.
func (v *udfVol) list(data []byte, path string, depth int) error {
	for at := 0; at+udfHead <= len(data); {
		d := data[at:]
		use, n := int(le16(d, 36)), int(d[19])
		if le16(d, 0) != udfIdentifier || udfHead+use+n > len(d) {
			return errUDF
		}
		name := compressed(d[udfHead+use : udfHead+use+n])
		at += alignTo(udfHead+use+n, 4)
		if d[18]&(udfParent|udfDeleted) != 0 {
			continue
		}
		if err := v.enter(); err != nil {
			return err
		}
		if err := v.entry(int(le32(d, 24)), path+name+"/", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// compressed decodes the names of OSTA: one octet says how many bits a character has.
func compressed(id []byte) string {
	if len(id) == 0 {
		return ""
	}
	if id[0] == 16 {
		return utf16BE(id[1:])
	}
	runes := make([]rune, 0, len(id))
	for _, c := range id[1:] {
		runes = append(runes, rune(c))
	}
	return string(runes)
}

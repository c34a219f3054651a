package archive

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

const (
	sector   = 2048
	isoFirst = 16 // the sector of the first volume descriptor
	isoDeep  = 64 // directories inside each other
)

// ISO opens an ISO 9660 image by every list of names that it has: plain, Rock Ridge,
// Joliet. A UDF image beside it, or alone, is opened, too.
func (b *Budget) ISO(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		i := &iso{opening: o, data: data, given: map[isoPlace]bool{}}
		if err := i.open(); err != nil && !errors.Is(err, errLimit) {
			o.remark(Damaged, "iso: %v", err)
		}
	})
}

type iso struct {
	*opening
	data  []byte
	given map[isoPlace]bool // members that were given out under that name
	dirs  map[int]bool      // directories of this tree that were read
}

// isoPlace is where a member lies, and its name.
type isoPlace struct {
	at, size int
	name     string
}

func (i *iso) open() error {
	trees, udf := 0, false
	for n := isoFirst; ; n++ {
		d := i.at(n, sector)
		if len(d) < sector {
			break
		}
		switch id := string(d[1:6]); {
		case id == "CD001" && (d[0] == 1 || d[0] == 2):
			trees++
			i.dirs = map[int]bool{}
			if err := i.dir(d[156:190], "", d[0] == 2 && joliet(d[88:91]), 0); err != nil {
				return err
			}
		case id == "NSR02" || id == "NSR03":
			udf = true
		case id == "CD001" || id == "BEA01" || id == "TEA01" || id == "BOOT2" || id == "CDW02":
		default:
			d = nil
		}
		if d == nil || n > isoFirst+100 {
			break
		}
	}
	if udf {
		return i.udf()
	}
	if trees == 0 {
		return errors.New("no volume")
	}
	return nil
}

// at returns up to size octets from a sector on.
func (i *iso) at(lba, size int) []byte {
	if lba < 0 || size < 0 || lba > len(i.data)/sector {
		return nil
	}
	d := i.data[lba*sector:]
	return d[:min(size, len(d))]
}

// joliet tells the escape sequences of UCS-2 in a supplementary descriptor.
func joliet(escape []byte) bool {
	return escape[0] == '%' && escape[1] == '/' && (escape[2] == '@' || escape[2] == 'C' || escape[2] == 'E')
}

// dir reads the directory that a record describes.
func (i *iso) dir(record []byte, path string, wide bool, depth int) error {
	lba, size := int(le32(record, 2)), int(le32(record, 10))
	switch {
	case depth > isoDeep:
		i.remark(Limit, "depth: directories of an image")
		return nil
	case i.dirs[lba]:
		i.remark(Conflict, "%s: a directory in itself or twice", path)
		return nil
	}
	i.dirs[lba] = true
	list := i.at(lba, size)
	if len(list) < size {
		i.remark(Damaged, "%s: cut", path)
	}
	var more []byte // a file in several pieces: those before
	for at := 0; at+34 <= len(list); {
		n := int(list[at])
		if n == 0 { // records do not cross sectors
			at = (at/sector + 1) * sector
			continue
		}
		if n < 34 || at+n > len(list) {
			return fmt.Errorf("%s: a directory record of %d octets", path, n)
		}
		var err error
		if more, err = i.record(list[at:at+n], path, wide, depth, more); err != nil {
			return err
		}
		at += n
	}
	return nil
}

const (
	isoDir  = 2
	isoMore = 0x80 // the file goes on in the next record
)

func (i *iso) record(r []byte, path string, wide bool, depth int, before []byte) (more []byte, err error) {
	n := int(r[32])
	if 33+n > len(r) {
		return nil, fmt.Errorf("%s: a name of %d octets", path, n)
	}
	id := r[33 : 33+n]
	if n == 1 && id[0] <= 1 { // itself and its parent
		return nil, nil
	}
	name := isoName(id, wide)
	rock, what := i.rockRidge(r[min(33+n+(n+1)%2, len(r)):])
	if rock == "" {
		rock = name
	}
	if r[25]&isoDir != 0 {
		return nil, i.dir(r, path+rock+"/", wide, depth+1)
	}
	lba, size := int(le32(r, 2)), int(le32(r, 10))
	data := i.at(lba+int(r[1]), size)
	if len(data) < size {
		i.remark(Damaged, "%s%s: cut", path, rock)
	}
	if len(before) > 0 || r[25]&isoMore != 0 {
		data = append(before[:len(before):len(before)], data...)
	}
	if r[25]&isoMore != 0 {
		if int64(len(data)) > i.Member {
			return nil, i.give(Member{Name: path + rock, Data: data})
		}
		return data, nil
	}
	if rock != name { // the plain name is seen by whoever knows no Rock Ridge
		i.visit(Member{Name: path + name})
	}
	return nil, i.once(path+rock, lba, data, what)
}

// once gives out a member unless another list of names had it under the same name.
func (i *iso) once(name string, at int, data []byte, what string) error {
	p := isoPlace{at, len(data), strings.ToLower(name)}
	if i.given[p] {
		return nil
	}
	i.given[p] = true
	return i.give(Member{Name: name, Data: data, Special: what})
}

// isoName decodes an identifier and drops the version number behind it.
func isoName(id []byte, wide bool) string {
	name := string(id)
	if wide {
		name = utf16BE(id)
	}
	name, _, _ = strings.Cut(name, ";")
	return strings.TrimSuffix(name, ".")
}

func utf16BE(b []byte) string {
	u := make([]uint16, 0, len(b)/2)
	for at := 0; at+2 <= len(b); at += 2 {
		u = append(u, uint16(b[at])<<8|uint16(b[at+1]))
	}
	return string(utf16.Decode(u))
}

// rockRidge reads the name (NM) and the link target (SL) of the POSIX extensions,
// following one continuation after the other (CE), a bounded number of them.
func (i *iso) rockRidge(use []byte) (name, what string) {
	for range 8 {
		var next []byte
		for len(use) >= 4 && int(use[2]) >= 4 && int(use[2]) <= len(use) {
			e := use[:use[2]]
			use = use[use[2]:]
			switch {
			case string(e[:2]) == "NM" && len(e) > 5 && e[4]&6 == 0:
				name += string(e[5:])
			case string(e[:2]) == "SL":
				what = "link"
			case string(e[:2]) == "CE" && len(e) >= 28:
				area := i.at(int(le32(e, 4)), sector)
				begin, size := int(le32(e, 12)), int(le32(e, 20))
				if begin <= len(area) {
					next = area[begin:min(len(area), begin+size)]
				}
			}
		}
		if use = next; next == nil {
			break
		}
	}
	return name, what
}

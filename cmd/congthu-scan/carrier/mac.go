package carrier

import (
	"encoding/binary"

	"congthu/cmd/congthu-scan/archive"
)

// AppleFile hands out the forks of an AppleSingle or AppleDouble file (RFC 1740): the
// data under its real name, the resources without one.
func AppleFile(b *archive.Budget, data []byte, visit Visit) []archive.Remark {
	return within(b, data, visit, func(o *opening) { o.appleFile(data) })
}

func (o *opening) appleFile(data []byte) {
	const head, entry = 26, 12
	const dataFork, realName = 1, 3
	if len(data) < head {
		o.Remark(archive.Damaged, "AppleSingle: %d octets", len(data))
		return
	}
	var names []string
	parts := map[uint32][]byte{}
	n := int(binary.BigEndian.Uint16(data[24:]))
	for i := range n {
		at := head + i*entry
		if at+entry > len(data) {
			o.Remark(archive.Damaged, "AppleSingle: %d entries do not fit", n)
			break
		}
		id := binary.BigEndian.Uint32(data[at:])
		from, size := uint64(binary.BigEndian.Uint32(data[at+4:])), uint64(binary.BigEndian.Uint32(data[at+8:]))
		if from+size > uint64(len(data)) {
			o.Remark(archive.Damaged, "AppleSingle: entry %d is cut off", id)
			from = min(from, uint64(len(data)))
			size = uint64(len(data)) - from
		}
		parts[id] = data[from : from+size]
	}
	if name := string(parts[realName]); name != "" {
		names = append(names, name)
	}
	if fork, ok := parts[dataFork]; ok || len(names) > 0 {
		o.give(fork, names...)
	}
	o.give(parts[2]) // the resource fork
}

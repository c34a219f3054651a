package archive_test

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
)

// A directory record may end right behind a name that wants an octet of padding: the file
// is there, and so is the one behind it (ECMA-119 section 9.1.12).
func TestARecordThatEndsAtItsName(t *testing.T) {
	const sector = 2048
	image := make([]byte, 20*sector)
	record := func(name string, lba uint32) []byte {
		r := make([]byte, 33, 33+len(name))
		binary.LittleEndian.PutUint32(r[2:], lba)
		binary.LittleEndian.PutUint32(r[10:], 5)
		r[32] = byte(len(name))
		r = append(r, name...)
		r[0] = byte(len(r))
		return r
	}
	volume := image[16*sector:]
	volume[0] = 1
	copy(volume[1:], "CD001\x01")
	binary.LittleEndian.PutUint32(volume[156+2:], 18)
	binary.LittleEndian.PutUint32(volume[156+10:], sector)
	copy(image[17*sector:], "\xffCD001\x01")
	copy(image[18*sector:], slices.Concat(record("ab", 19), record("c", 19)))
	copy(image[19*sector:], "hello")
	b := archive.NewBudget(context.Background(), archive.DefaultLimits())
	var names []string
	remarks := b.ISO(image, func(m archive.Member) { names = append(names, m.Name+"="+string(m.Data)) })
	if got := strings.Join(names, " "); !strings.Contains(got, "ab=hello") || !strings.Contains(got, "c=hello") || len(remarks) > 0 {
		t.Errorf("%q, %v", got, remarks)
	}
}

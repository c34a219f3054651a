package document

import (
	"encoding/binary"
	"fmt"
)

// compound reads as much of a compound file (MS-CFB) as is needed to know what its
// directory would cost the library, which keeps for each storage the names of all those
// around it: a few megabytes of storages inside each other would cost as many gigabytes.
// It goes the library's way and stops where that stops; what is broken is left to it.
type compound struct {
	data  []byte
	bits  uint     // of the size of a sector
	table []uint32 // the sectors of the allocation table
}

const (
	mostEntries  = 50_000 // of a directory, in use or not
	mostStorages = 32     // inside each other; a saved letter in a letter takes two

	cfbHead  = 512
	cfbEntry = 128
	cfbEnd   = 0xFFFFFFFE // of a chain
	cfbNone  = 0xFFFFFFFF // no entry
)

// overLimit names the limit that the directory is over, "" for none.
func overLimit(data []byte) string {
	c := compound{data: data}
	if !c.head() {
		return ""
	}
	entries, ok := c.directory()
	if !ok {
		return fmt.Sprintf("entries: over %d in a compound file", mostEntries)
	}
	if deep(entries) {
		return fmt.Sprintf("depth: over %d storages inside each other", mostStorages)
	}
	return ""
}

// head reads where the allocation table lies: the first places stand in the header, the
// others in a chain of sectors of their own (2.2, 2.5).
func (c *compound) head() bool {
	if len(c.data) < cfbHead {
		return false
	}
	if c.bits = uint(binary.LittleEndian.Uint16(c.data[30:])); c.bits != 9 && c.bits != 12 {
		return false
	}
	for at := 76; at < cfbHead; at += 4 {
		c.table = append(c.table, binary.LittleEndian.Uint32(c.data[at:]))
	}
	count, next := binary.LittleEndian.Uint32(c.data[72:]), binary.LittleEndian.Uint32(c.data[68:])
	for most := len(c.data) >> c.bits; count > 0 && most > 0; count, most = count-1, most-1 {
		s := c.sector(next)
		if s == nil {
			return false
		}
		for at := 0; at+8 <= len(s); at += 4 {
			c.table = append(c.table, binary.LittleEndian.Uint32(s[at:]))
		}
		next = binary.LittleEndian.Uint32(s[len(s)-4:])
	}
	return true
}

// sector is the sector of a number, nil when the file has none. The header stands before
// the first; to the library it is also what comes behind the last number there is.
func (c *compound) sector(n uint32) []byte {
	at := c.place(n)
	if at+1<<c.bits > uint64(len(c.data)) {
		return nil
	}
	return c.data[at : at+1<<c.bits]
}

func (c *compound) place(n uint32) uint64 { return uint64(n+1) << c.bits }

// next is the sector behind another one in its chain (2.3).
func (c *compound) next(n uint32) (uint32, bool) {
	each := uint32(1) << c.bits / 4
	if uint64(n/each) >= uint64(len(c.table)) {
		return 0, false
	}
	at := c.place(c.table[n/each]) + uint64(n%each)*4
	if at+4 > uint64(len(c.data)) { // of a sector that is cut off, what there is counts
		return 0, false
	}
	return binary.LittleEndian.Uint32(c.data[at:]), true
}

// directory gathers the entries, as far as the chain holds. False: there are too many.
func (c *compound) directory() (entries [][]byte, ok bool) {
	for n := binary.LittleEndian.Uint32(c.data[48:]); n != cfbEnd; {
		s := c.sector(n)
		if s == nil {
			break
		}
		for ; len(s) >= cfbEntry; s = s[cfbEntry:] {
			entries = append(entries, s[:cfbEntry])
		}
		if len(entries) > mostEntries {
			return nil, false
		}
		if n, ok = c.next(n); !ok {
			break
		}
	}
	return entries, true
}

// deep walks the tree of the entries (2.6.4) in the library's order and to where that
// ends: when it has come by more often than there are entries.
func deep(entries [][]byte) bool {
	type step struct {
		entry uint32
		depth int
	}
	stack := []step{{}}
	for range entries {
		if len(stack) == 0 {
			return false
		}
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at.depth > mostStorages {
			return true
		}
		if uint64(at.entry) >= uint64(len(entries)) {
			continue
		}
		inside := at.depth + 1
		if at.entry == 0 {
			inside = at.depth // the root has no name in a path
		}
		e := entries[at.entry]
		for _, link := range []struct{ place, depth int }{{72, at.depth}, {76, inside}, {68, at.depth}} { // right, child, left
			if to := binary.LittleEndian.Uint32(e[link.place:]); to != cfbNone {
				stack = append(stack, step{to, link.depth})
			}
		}
	}
	return false
}

package smtpd

import "bytes"

// gather holds the octets of a DATA while they come, in blocks that are borrowed
// from the server. The message itself is made once, when its size is known: a
// buffer that grows would be copied, and its memory cleared, several times over.
type gather struct {
	srv      *Server
	blocks   []*[]byte
	size     int   // octets in the blocks
	reserved int64 // of the server's memory
}

// add stores whole lines less the leading dots of those that are stuffed. It
// returns false when the server is short of memory. A block has room for all that
// one call may bring.
func (g *gather) add(lines []byte, dots int) bool {
	if len(lines) == 0 {
		return true
	}
	last := len(g.blocks) - 1
	if last < 0 || cap(*g.blocks[last])-len(*g.blocks[last]) < len(lines) {
		if !g.take(int64(blockSize(g.srv.lim))) {
			return false
		}
		g.blocks = append(g.blocks, g.srv.blocks.Get().(*[]byte))
		last++
	}
	b := g.blocks[last]
	*b = unstuff(*b, lines, dots)
	g.size += len(lines) - dots
	return true
}

// whole returns everything that was added and the last lines, in memory of its own,
// and gives the blocks back. It returns false when the server is short of memory.
func (g *gather) whole(lines []byte, dots int) ([]byte, bool) {
	size := g.size + len(lines) - dots
	if !g.take(int64(size)) {
		return nil, false
	}
	if len(g.blocks) == 0 { // all in one read, as most letters are
		raw := append([]byte(nil), lines...) // does not clear what it is about to fill
		return unstuff(raw[:0], raw, dots), true
	}
	if !g.add(lines, dots) {
		return nil, false
	}
	raw := g.join()
	g.giveBack()
	return raw, true
}

// join is bytes.Join, which does not clear the memory that it is about to fill,
// over the pointers of the pool.
func (g *gather) join() []byte {
	parts := make([][]byte, len(g.blocks))
	for i, b := range g.blocks {
		parts[i] = *b
	}
	return bytes.Join(parts, nil)
}

func (g *gather) take(n int64) bool {
	if !g.srv.memory.take(n) {
		return false
	}
	g.reserved += n
	return true
}

// giveBack returns the blocks to the server, and their share of its memory.
func (g *gather) giveBack() {
	n := int64(len(g.blocks)) * int64(blockSize(g.srv.lim))
	for _, b := range g.blocks {
		*b = (*b)[:0]
		g.srv.blocks.Put(b)
	}
	g.srv.memory.release(n)
	g.reserved -= n
	g.blocks, g.size = nil, 0
}

// drop gives everything back, the message's own share too.
func (g *gather) drop() {
	g.giveBack()
	g.srv.memory.release(g.reserved)
	g.reserved = 0
}

package relay

import "net"

const (
	blockSize = 64 << 10 // of what is gathered before a write
	largeFrom = 16 << 10 // pieces from this size on are written where they are
	largeMost = 1 << 20  // octets in one write, so that each has its own deadline
)

// blockWriter gathers small pieces, writes large ones as they are, and gives each
// write its own deadline: a next hop that stops reading is noticed.
type blockWriter struct {
	conn *conn
	last bool // the final flush was begun
}

// Write implements io.Writer.
func (w *blockWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) >= largeFrom {
		m := min(len(p), largeMost)
		if err := w.send(p[:m]); err != nil {
			return 0, err
		}
		p = p[m:]
	}
	k := w.conn
	if len(k.out)+len(p) > blockSize {
		if err := w.send(nil); err != nil {
			return 0, err
		}
	}
	k.out = append(k.out, p...)
	return n, nil
}

// send writes what was gathered and a large piece behind it, in one system call where
// the connection can do that.
func (w *blockWriter) send(large []byte) error {
	k := w.conn
	gathered := k.out
	k.out = k.out[:0]
	return k.writeAll(net.Buffers{gathered, large}, k.o.WriteTimeout)
}

// flush writes the rest, the final dot with it.
func (w *blockWriter) flush() error {
	w.last = true
	return w.send(nil)
}

// whole tells whether the final dot may have left. What the kernel has not taken has
// not left: a next hop that stops reading in the middle of a message has not got its end,
// whatever is in the last block.
func (w *blockWriter) whole() bool { return w.last && w.conn.unsent < len(".\r\n") }

package smtpd

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"
)

// What reading a line can come to, beside the connection's own errors.
var (
	errPartial     = errors.New("smtpd: no whole line yet")
	errBareEnding  = errors.New("smtpd: bare CR, bare LF or NUL")
	errLineTooLong = errors.New("smtpd: line too long")
)

// wire is the buffered connection. Replies collect in out and go in one write
// just before the session has to wait, so a pipelined batch costs one write
// (RFC 2920 section 3.2 allows exactly this).
type wire struct {
	conn  net.Conn
	in    []byte // borrowed from a pool
	r, w  int    // in[r:w] is read but not used
	out   []byte
	wait  time.Duration // for one write
	small *sync.Pool
	large *sync.Pool
	home  *[]byte // the pool's own pointers to what in is a view of
	guest *[]byte // not nil: in is the large buffer
}

func newWire(conn net.Conn, small, large *sync.Pool, wait time.Duration) *wire {
	w := &wire{conn: conn, small: small, large: large, wait: wait, home: small.Get().(*[]byte)}
	w.in = *w.home
	return w
}

// buffered is what was read and not used.
func (w *wire) buffered() []byte { return w.in[w.r:w.w] }

// discard marks n buffered octets as used.
func (w *wire) discard(n int) {
	if w.r += n; w.r == w.w {
		w.r, w.w = 0, 0
	}
}

// read reads once, as much as fits. The caller has flushed and set a deadline.
func (w *wire) read() (int, error) {
	if w.r > 0 {
		w.w = copy(w.in, w.in[w.r:w.w])
		w.r = 0
	}
	n, err := w.conn.Read(w.in[w.w:])
	w.w += n
	if n > 0 {
		return n, nil // an error comes again at the next read
	}
	return 0, err
}

// line takes one whole command line from the buffer, without its CRLF. The slice
// is valid until the next read. errPartial means that more must be read; a line
// that can no longer become legal is refused without waiting for its end.
func (w *wire) line(limit int) ([]byte, error) {
	b := w.buffered()
	i := bytes.IndexByte(b, '\n')
	head := b
	if i >= 0 {
		head = b[:i+1]
	}
	if bytes.IndexByte(head, 0) >= 0 || bareCR(head) || (i == 0) || (i > 0 && b[i-1] != '\r') {
		return nil, errBareEnding
	}
	if len(head) > limit {
		return nil, errLineTooLong
	}
	if i < 0 {
		return nil, errPartial
	}
	w.discard(i + 1)
	return head[:i-1], nil
}

// bareCR tells whether b has a CR that is followed by something other than LF. A
// CR at the very end is not bare yet.
func bareCR(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 || i == len(b)-1 {
			return false
		}
		if b[i+1] != '\n' {
			return true
		}
		b = b[i+2:]
	}
}

// flush sends the collected replies.
func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.wait)); err != nil {
		return err
	}
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	return err
}

// widen changes to the large buffer for DATA.
func (w *wire) widen() {
	if w.guest != nil {
		return
	}
	w.guest = w.large.Get().(*[]byte)
	big := *w.guest
	w.w = copy(big, w.in[w.r:w.w])
	w.r, w.in = 0, big
}

// narrow goes back to the small buffer, once what is left fits into it.
func (w *wire) narrow() {
	small := *w.home
	if w.guest == nil || w.w-w.r > len(small) {
		return
	}
	w.w = copy(small, w.in[w.r:w.w])
	w.r, w.in = 0, small
	w.large.Put(w.guest)
	w.guest = nil
}

// giveBack returns the buffers to their pools. The wire is not used after it.
func (w *wire) giveBack() {
	if w.guest != nil {
		w.large.Put(w.guest)
	}
	w.small.Put(w.home)
	w.in, w.home, w.guest = nil, nil, nil
}

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// perConnection is how many letters a session carries before it ends.
const perConnection = 10

// patience bounds each step of a session, and the wait for the next hop.
const patience = 60 * time.Second

// newLetter makes a letter of that size, as it stands between DATA and the final dot.
func newLetter(size int) []byte {
	var b bytes.Buffer
	b.WriteString("From: Van thu <van-thu@a.test>\r\nTo: <van-thu@gov.test>\r\nSubject: Thong bao\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\nMessage-ID: <1@a.test>\r\n\r\n")
	for b.Len() < size {
		b.WriteString(strings.Repeat("x", 76) + "\r\n")
	}
	return append(b.Bytes(), ".\r\n"...)
}

// flood sends letters over so many sessions at once; every one must get its 250.
func flood(b *testing.B, addr string, letter []byte, letters, sessions int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(letters))
	var wg sync.WaitGroup
	for range sessions {
		wg.Go(func() {
			for {
				n, err := session(addr, letter, &left)
				if err != nil {
					b.Error(err)
					return
				}
				if n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// session sends up to perConnection letters with the envelope pipelined (RFC 2920) and
// returns how many.
func session(addr string, letter []byte, left *atomic.Int64) (int, error) {
	if left.Load() <= 0 {
		return 0, nil
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	t := &talk{conn: conn, r: bufio.NewReader(conn)}
	t.expect("220")
	t.say([]byte("EHLO mx.a.test\r\n"))
	t.expect("250")
	n := 0
	for ; n < perConnection && t.err == nil && left.Add(-1) >= 0; n++ {
		t.say([]byte("MAIL FROM:<van-thu@a.test>\r\nRCPT TO:<van-thu@gov.test>\r\nDATA\r\n"))
		t.expect("250", "250", "354")
		t.say(letter)
		t.expect("250")
	}
	t.say([]byte("QUIT\r\n"))
	return n, t.err
}

// talk is a session that stops at its first trouble.
type talk struct {
	conn net.Conn
	r    *bufio.Reader
	err  error
}

func (t *talk) say(b []byte) {
	if t.err == nil {
		_ = t.conn.SetDeadline(time.Now().Add(patience))
		_, t.err = t.conn.Write(b)
	}
}

// expect reads replies, each to its last line.
func (t *talk) expect(codes ...string) {
	for _, code := range codes {
		for more := true; more && t.err == nil; {
			line, err := t.r.ReadString('\n')
			if err == nil && !strings.HasPrefix(line, code) {
				err = errors.New("got " + strings.TrimSpace(line) + ", want " + code)
			}
			t.err, more = err, len(line) > 3 && line[3] == '-'
		}
	}
}

// hop is a next hop that counts and forgets.
type hop struct {
	addr    string
	up      bool
	arrived atomic.Int64
}

// newHop starts a next hop, or chooses an address where none listens.
func newHop(b *testing.B, up bool) *hop {
	b.Helper()
	h := &hop{addr: free(b), up: up}
	if !up {
		return h
	}
	l, err := net.Listen("tcp", h.addr)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(ctx, func() { _ = l.Close() })
	b.Cleanup(cancel)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			go h.serve(conn)
		}
	}()
	return h
}

func (h *hop) reset() { h.arrived.Store(0) }

// await waits for letters; a next hop that is down gets none.
func (h *hop) await(b *testing.B, letters int) {
	b.Helper()
	for end := time.Now().Add(patience); h.up && h.arrived.Load() < int64(letters); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%d of %d letters arrived", h.arrived.Load(), letters)
		}
	}
}

// serve answers a session. Replies to pipelined commands go out together.
func (h *hop) serve(conn net.Conn) {
	defer conn.Close()
	r, w := bufio.NewReaderSize(conn, 256<<10), bufio.NewWriter(conn)
	reply := func(line string) bool {
		_, _ = w.WriteString(line + "\r\n")
		return r.Buffered() > 0 || w.Flush() == nil
	}
	for ok := reply("220 hop.test"); ok; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			ok = reply("250-hop.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE")
		case "DATA":
			ok = reply("354 go") && skip(r) == nil
			h.arrived.Add(1)
			ok = ok && reply("250 2.0.0 ok")
		case "QUIT":
			reply("221 bye")
			return
		default:
			ok = reply("250 2.0.0 ok")
		}
	}
}

// skip reads to the final dot. Nothing but a QUIT may follow it before its reply, so it
// is near the end of the octets that have come.
func skip(r *bufio.Reader) error {
	const near = 32
	end := []byte("\r\n.\r\n")
	for tail := []byte(nil); ; {
		if _, err := r.Peek(1); err != nil {
			return err
		}
		block, _ := r.Peek(r.Buffered())
		tail = append(tail, block[max(0, len(block)-near):]...)
		if i := bytes.Index(tail, end); i >= 0 {
			_, err := r.Discard(len(block) - (len(tail) - i - len(end)))
			return err
		}
		tail = tail[max(0, len(tail)-len(end)):]
		_, _ = r.Discard(len(block)) // it is there
	}
}

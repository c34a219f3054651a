package smtpd

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
)

// feed gives wire octets to a body in pieces that end at the given cuts, keeping
// what it leaves as the connection's buffer does.
func feed(srv *Server, wire []byte, cuts func(i int) bool) (b *body, rest []byte, done bool, err error) {
	b = newBody(srv)
	var block []byte
	for i := 0; i <= len(wire) && !done && err == nil; i++ {
		if i < len(wire) {
			block = append(block, wire[i])
			if !cuts(i) {
				continue
			}
		}
		var n int
		n, done, err = b.take(block)
		block = append([]byte(nil), block[n:]...)
		rest = append(block, wire[min(i+1, len(wire)):]...)
	}
	return b, rest, done, err
}

// reference is the same in the plainest words: split at CRLF, stop at ".".
func reference(wire string, limit int64) (raw, rest string, done, bad bool) {
	for {
		line, after, found := strings.Cut(wire, "\r\n")
		if strings.ContainsAny(line, "\x00\n") || strings.Contains(line, "\r") && (found || strings.Index(line, "\r") < len(line)-1) {
			return "", "", false, true
		}
		switch {
		case !found:
			return raw, "", false, false
		case line == ".":
			return raw, after, true, false
		}
		raw += strings.TrimPrefix(line, ".") + "\r\n"
		wire = after
	}
}

func bodyServer(f func(*Limits)) *Server {
	l := Limits{MessageSize: 4 << 10, BodyLine: 100}
	if f != nil {
		f(&l)
	}
	return New(Options{Limits: l})
}

func compare(t *testing.T, srv *Server, wire []byte, cuts func(int) bool) {
	t.Helper()
	raw, rest, done, bad := reference(string(wire), srv.lim.MessageSize)
	b, gotRest, gotDone, err := feed(srv, wire, cuts)
	defer func() {
		b.release()
		if used := srv.memory.used.Load(); used != 0 {
			t.Fatalf("%d octets are still counted", used)
		}
	}()
	if err == errEndless && int64(len(wire)) > drainLimit(srv.lim) {
		return
	}
	if bad != (err == errBareEnding) || err != nil && !bad {
		t.Fatalf("%q: error %v, want bad %v", wire, err, bad)
	}
	if bad {
		return
	}
	if gotDone != done || done && string(gotRest) != rest {
		t.Fatalf("%q: done %v with rest %q; want %v, %q", wire, gotDone, gotRest, done, rest)
	}
	if done && b.refused.Code == 0 && string(b.raw) != raw {
		t.Fatalf("%q: raw %q, want %q", wire, b.raw, raw)
	}
	if done && b.refused.Code == 0 && int64(len(raw)) > srv.lim.MessageSize {
		t.Fatalf("%d octets were taken", len(raw))
	}
}

// TestBodyAtEveryCut: where the network cuts a message must not matter.
func TestBodyAtEveryCut(t *testing.T) {
	srv := bodyServer(nil)
	for _, wire := range []string{
		".\r\nQUIT\r\n", "\r\n.\r\n", "a\r\n.\r\n", "..\r\n.\r\nx", "a\r\n..\r\n...\r\n\r\n.\r\nMAIL", "a\r\n.b\r\n.\r\n",
		"\r\n\r\n\r\n.\r\n.\r\n", ".\r", ".\r\r\n", "a\n.\r\n", "a\r\n.\n", "a\r.\r\n.\r\n", "\x00\r\n.\r\n", ".\x00\r\n", "a.\r\n.\r\n",
		strings.Repeat("x", 101) + "\r\n.\r\nQUIT\r\n", "a\r\n" + strings.Repeat(".", 101) + "\r\n.\r\n",
		strings.Repeat("x", 500) + "\r\n.x\r\n.\r\nQUIT\r\n", strings.Repeat("x", 500) + "\r.\r\n", strings.Repeat("x", 500) + "\n.\r\n",
		strings.Repeat("x", 500) + ".\r\n.\r\n.\r\n",
	} {
		for cut := range len(wire) {
			compare(t, srv, []byte(wire), func(i int) bool { return i == cut })
		}
		compare(t, srv, []byte(wire), func(int) bool { return true })
		compare(t, srv, []byte(wire), func(int) bool { return false })
	}
}

func TestBodyLineLimit(t *testing.T) {
	srv := bodyServer(nil)
	for _, one := range []struct {
		line    string
		refused bool
	}{
		{strings.Repeat("x", 100), false},
		{strings.Repeat("x", 101), true},
		{"." + strings.Repeat("x", 100), false},
		{"." + strings.Repeat("x", 101), true},
		{strings.Repeat("x", 1000), true},
	} {
		for _, every := range []bool{true, false} {
			b, _, done, err := feed(srv, []byte("a\r\n"+one.line+"\r\nb\r\n.\r\n"), func(int) bool { return every })
			if !done || err != nil || (b.refused == replyBodyLine) != one.refused {
				t.Errorf("%d octets: %v, %v, refused %v", len(one.line), done, err, b.refused)
			}
			b.release()
		}
	}
}

// TestBodyOfDotsIsNeverEndless: stuffing can make a message that is not too big a
// third longer on the wire; the drain must leave room for that.
func TestBodyOfDotsIsNeverEndless(t *testing.T) {
	for _, size := range []int64{3, 1 << 20, 25 << 20, 1 << 30} {
		if wire := size / 3 * 4; drainLimit(Limits{MessageSize: size}) < wire+3 {
			t.Errorf("a message of %d octets can be cut off", size)
		}
	}
	srv := bodyServer(func(l *Limits) { l.MessageSize = 3 << 20 })
	wire := append(bytes.Repeat([]byte("..\r\n"), 1<<20), ".\r\n"...)
	b := newBody(srv)
	for block := wire; ; {
		n, done, err := b.take(block[:min(len(block), 1<<16)])
		if err != nil {
			t.Fatal(err)
		}
		if block = block[n:]; done {
			break
		}
	}
	if b.refused.Code != 0 || len(b.raw) != 3<<20 {
		t.Errorf("%v, %d octets", b.refused, len(b.raw))
	}
}

func TestSmallMessagesCostWhatTheyWeigh(t *testing.T) {
	srv := New(Options{})
	b, _, done, _ := feed(srv, []byte("Subject: x\r\n\r\nsmall\r\n.\r\n"), func(int) bool { return false })
	if !done || cap(b.raw) > len(b.raw)+16 || b.parts.reserved != int64(len(b.raw)) {
		t.Errorf("len %d cap %d reserved %d", len(b.raw), cap(b.raw), b.parts.reserved)
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("a\r\n..\r\n.\r\nQUIT\r\n"), int64(1))
	f.Add([]byte("a\r\n.\n.\r\n"), int64(2))
	f.Add([]byte(strings.Repeat("x", 300)+"\r\n.\r\n"), int64(3))
	f.Fuzz(func(t *testing.T, wire []byte, seed int64) {
		rng := rand.New(rand.NewSource(seed))
		compare(t, bodyServer(nil), wire, func(int) bool { return rng.Intn(8) == 0 })
	})
}

// TestBlocksAreGivenBack: the blocks that a message came in go back to the pool, its
// own octets stay counted until it is released, and a server that is short of memory
// says so and counts nothing afterwards.
func TestBlocksAreGivenBack(t *testing.T) {
	l := Limits{MessageSize: 1 << 20, BodyLine: 100}
	size := 3*blockSize(l) + 1000
	wire := []byte(strings.Repeat(strings.Repeat("x", 78)+"\r\n", size/80) + "..dot\r\n.\r\n")
	want := len(wire) - 1 - len(".\r\n")
	for _, c := range []struct {
		memory  int64
		refused bool
	}{{16 << 20, false}, {int64(size), true}} {
		l.Memory = c.memory
		srv := New(Options{Limits: l})
		b := newBody(srv)
		for block, done := wire, false; !done; {
			n, end, err := b.take(block[:min(len(block), 1<<16)])
			if err != nil {
				t.Fatal(err)
			}
			block, done = block[n:], end
		}
		if got := b.refused == replyMemory; got != c.refused {
			t.Fatalf("memory %d: refused %v", c.memory, b.refused)
		}
		if !c.refused && (len(b.raw) != want || cap(b.raw) != want || srv.memory.used.Load() != int64(want) || len(b.parts.blocks) != 0) {
			t.Errorf("len %d cap %d, counted %d, want %d; %d blocks", len(b.raw), cap(b.raw), srv.memory.used.Load(), want, len(b.parts.blocks))
		}
		b.release()
		if used := srv.memory.used.Load(); used != 0 {
			t.Errorf("memory %d: %d octets are still counted", c.memory, used)
		}
	}
}

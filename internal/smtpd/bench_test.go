package smtpd

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"congthu/internal/msg"
)

type noop struct{}

func (noop) Handle(context.Context, *msg.Message) msg.Reply {
	return msg.Reply{Code: 250, Detail: "0.0", Text: "ok"}
}

// benchData sends messages of that size on one connection for each core, with the
// envelope pipelined, and reports how many the server takes in a second. Client and
// server share the machine.
func benchData(b *testing.B, size int) {
	srv := New(Options{Hostname: "gw.gov.test", Handler: noop{}, NewID: func() string { return "id" }, Limits: Limits{PerClient: 1000}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = srv.Serve(context.Background(), l, Listener{}) }()
	defer func() { _ = srv.Shutdown(context.Background()) }()
	head := "Subject: bench\r\n\r\n"
	line := strings.Repeat("x", 76) + "\r\n"
	body := []byte(head + strings.Repeat(line, (size-len(head))/len(line)) + ".\r\n")
	envelope := fmt.Appendf(nil, "MAIL FROM:<a@attack.test> SIZE=%d\r\nRCPT TO:<b@gov.test>\r\nDATA\r\n", len(body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		r := bufio.NewReader(conn)
		want(b, r, "220")
		_, _ = io.WriteString(conn, "EHLO x\r\n")
		for range 6 {
			want(b, r, "250")
		}
		for pb.Next() {
			_, _ = conn.Write(envelope)
			want(b, r, "250")
			want(b, r, "250")
			want(b, r, "354")
			_, _ = conn.Write(body)
			want(b, r, "250")
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func want(b *testing.B, r *bufio.Reader, code string) {
	line, err := r.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte(code)) {
		b.Errorf("%q, %v; want %s", line, err, code)
	}
}

func BenchmarkData10KB(b *testing.B) { benchData(b, 10<<10) }
func BenchmarkData1MB(b *testing.B)  { benchData(b, 1<<20) }

// BenchmarkBody is the DATA loop alone, on blocks of 64 KiB.
func BenchmarkBody(b *testing.B) {
	for name, line := range map[string]string{"lines of 78": strings.Repeat("x", 76) + "\r\n", "dots": "..\r\n", "empty": "\r\n"} {
		b.Run(name, func(b *testing.B) {
			srv := New(Options{})
			wire := []byte(strings.Repeat(line, 1<<20/len(line)) + ".\r\n")
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				d := newBody(srv)
				for block, done := wire, false; !done; {
					n, end, err := d.take(block[:min(len(block), 1<<16)])
					if err != nil {
						b.Fatal(err)
					}
					block, done = block[n:], end
				}
				d.release()
			}
		})
	}
}

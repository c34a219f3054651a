package sink

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"regexp"
	"strings"
	"time"
)

// idle ends a session that says nothing.
const idle = 5 * time.Minute

type session struct {
	sink *Sink
	conn net.Conn
	r    *bufio.Reader
	cur  Delivery
	mail bool
}

func newSession(s *Sink, conn net.Conn) *session {
	return &session{sink: s, conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
}

// run speaks until the client leaves.
func (s *session) run(ctx context.Context) {
	if !s.answer(ctx, "connect", "", "220 "+s.sink.opt.Hostname+" ESMTP") {
		return
	}
	for {
		_ = s.conn.SetDeadline(time.Now().Add(idle))
		text, err := s.r.ReadString('\n')
		if err != nil || !s.command(ctx, strings.TrimRight(text, "\r\n")) {
			return
		}
	}
}

// command handles one line; false ends the session.
func (s *session) command(ctx context.Context, text string) bool {
	verb, arg, _ := strings.Cut(text, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		s.reset()
		s.cur.Helo = arg
		return s.answer(ctx, "ehlo", arg, s.greeting(strings.EqualFold(verb, "EHLO")))
	case "STARTTLS":
		return s.startTLS(ctx)
	case "MAIL":
		return s.mailFrom(ctx, arg)
	case "RCPT":
		return s.rcptTo(ctx, arg)
	case "DATA":
		return s.data(ctx)
	case "RSET":
		s.reset()
		return s.write("250 2.0.0 OK")
	case "NOOP":
		return s.write("250 2.0.0 OK")
	case "QUIT":
		s.answer(ctx, "quit", "", "221 2.0.0 Bye")
		return false
	}
	return s.write("502 5.5.1 Not implemented")
}

func (s *session) greeting(extended bool) string {
	if !extended {
		return "250 " + s.sink.opt.Hostname
	}
	lines := []string{s.sink.opt.Hostname}
	for _, e := range []string{"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE"} {
		if s.sink.opt.Script.offers(e) {
			lines = append(lines, e)
		}
	}
	if s.sink.opt.TLS != nil && !s.cur.TLS && s.sink.opt.Script.offers("STARTTLS") {
		lines = append(lines, "STARTTLS")
	}
	last := len(lines) - 1
	return strings.Join(prefixed(lines[:last], "250-"), "") + "250 " + lines[last]
}

func prefixed(lines []string, prefix string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, prefix+l+"\r\n")
	}
	return out
}

func (s *session) startTLS(ctx context.Context) bool {
	if s.sink.opt.TLS == nil || s.cur.TLS {
		return s.write("502 5.5.1 Not implemented")
	}
	a := s.sink.opt.Script.at("starttls", "")
	if !s.do(ctx, a, "220 2.0.0 Ready") {
		return false
	}
	if a.reply != "" && !strings.HasPrefix(a.reply, "220 ") {
		return true // refused: the session goes on as it was
	}
	secure := tls.Server(s.conn, s.sink.opt.TLS)
	if secure.HandshakeContext(ctx) != nil {
		return false
	}
	s.conn, s.r = secure, bufio.NewReaderSize(secure, 64<<10)
	s.cur = Delivery{TLS: true}
	return true
}

var pathForm = regexp.MustCompile(`(?i)^(?:FROM|TO):\s*<(.*?)>(?:\s+(.*))?$`)

func (s *session) mailFrom(ctx context.Context, arg string) bool {
	m := pathForm.FindStringSubmatch(arg)
	if m == nil {
		return s.write("501 5.5.4 Syntax")
	}
	s.reset()
	s.cur.From, s.cur.Args = m[1], m[2]
	s.mail = true
	return s.answer(ctx, "mail", m[1], "250 2.1.0 OK")
}

func (s *session) rcptTo(ctx context.Context, arg string) bool {
	m := pathForm.FindStringSubmatch(arg)
	if m == nil || !s.mail {
		return s.write("503 5.5.1 Syntax or sequence")
	}
	a := s.sink.opt.Script.at("rcpt", m[1])
	if a.reply == "" || strings.HasPrefix(a.reply, "2") {
		s.cur.To = append(s.cur.To, m[1])
	}
	return s.do(ctx, a, "250 2.1.5 OK")
}

func (s *session) data(ctx context.Context) bool {
	if len(s.cur.To) == 0 {
		return s.write("554 5.5.1 No valid recipients")
	}
	a := s.sink.opt.Script.at("data", "")
	if !s.do(ctx, a, "354 Go ahead") || a.reply != "" {
		return !a.drop
	}
	body, err := s.body(ctx)
	if err != nil {
		return false
	}
	d := s.cur
	d.Data, d.To = body, append([]string(nil), s.cur.To...)
	a = s.sink.opt.Script.at("end", s.cur.From)
	d.Unsure = s.cur.Unsure || a.keep || a.stall > 0 || a.drip > 0
	if a.keep || !a.drop && (a.reply == "" || strings.HasPrefix(a.reply, "2")) {
		s.sink.keep(d)
	}
	s.reset()
	return s.do(ctx, a, "250 2.0.0 Kept")
}

// body reads up to the final dot. Only CRLF ends a line here, so that a stray CR or LF
// that should never have been sent shows in what was kept.
func (s *session) body(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	var cur []byte
	for {
		_ = s.conn.SetDeadline(time.Now().Add(idle))
		chunk, err := s.r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if out.Len() == 0 && len(cur) == 0 {
			a := s.sink.opt.Script.at("body", s.cur.From)
			if s.cur.Unsure = a.stall > 0; !s.do(ctx, a, "") {
				return nil, net.ErrClosed
			}
		}
		cur = append(cur, chunk...)
		if !bytes.HasSuffix(cur, []byte("\r\n")) {
			continue
		}
		if string(cur) == ".\r\n" {
			return out.Bytes(), nil
		}
		out.Write(bytes.TrimPrefix(cur, []byte(".")))
		cur = cur[:0]
	}
}

// answer does what the script says in a phase, or gives the usual reply.
func (s *session) answer(ctx context.Context, phase, arg, usual string) bool {
	return s.do(ctx, s.sink.opt.Script.at(phase, arg), usual)
}

func (s *session) do(ctx context.Context, a act, usual string) bool {
	if a.stall > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(a.stall):
		}
	}
	if a.reset {
		s.abort()
	}
	if a.drop {
		return false
	}
	if a.reply != "" {
		usual = a.reply
	}
	if usual == "" {
		return true
	}
	if a.drip > 0 {
		return s.dripped(ctx, usual+"\r\n", a.drip)
	}
	return s.write(usual)
}

// abort makes the end of the connection an RST.
func (s *session) abort() {
	if c, ok := s.conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // without it the end is a FIN, as any other
	}
}

// dripped writes octet by octet.
func (s *session) dripped(ctx context.Context, text string, pause time.Duration) bool {
	for i := range len(text) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		if _, err := s.conn.Write([]byte{text[i]}); err != nil {
			return false
		}
	}
	return true
}

func (s *session) write(text string) bool {
	_, err := s.conn.Write([]byte(text + "\r\n"))
	return err == nil
}

// reset forgets the transaction, not the session.
func (s *session) reset() {
	s.cur = Delivery{Helo: s.cur.Helo, TLS: s.cur.TLS}
	s.mail = false
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/textproto"
)

// sendLetter speaks SMTP as the letter's sending server would, its address told by
// XCLIENT. It returns the last reply: that to the final dot, or the first refusal.
// It shares no code with the gateway's own client, so the demo is a second witness.
func sendLetter(ctx context.Context, addr string, l letter, raw []byte) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	if t, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(t)
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return "", err
	}
	commands := []string{"EHLO demo.invalid", "XCLIENT ADDR=" + l.Client + " NAME=[UNAVAILABLE]", "EHLO " + l.Helo, "MAIL FROM:<" + l.From + ">"}
	for _, to := range l.To {
		commands = append(commands, "RCPT TO:<"+to+">")
	}
	for _, line := range append(commands, "DATA") {
		code, reply, err := exchange(c, line)
		if err != nil {
			return "", fmt.Errorf("%s: %w", line, err)
		}
		if code >= 400 {
			return reply, nil
		}
	}
	if _, err := c.W.Write(stuffed(raw)); err != nil {
		return "", err
	}
	_, reply, err := exchange(c, ".")
	return reply, err
}

func exchange(c *textproto.Conn, line string) (int, string, error) {
	if err := c.PrintfLine("%s", line); err != nil {
		return 0, "", err
	}
	code, text, err := c.ReadResponse(0)
	return code, fmt.Sprintf("%d %s", code, text), err
}

// stuffed doubles leading dots (RFC 5321 section 4.5.2).
func stuffed(raw []byte) []byte {
	out := bytes.ReplaceAll(raw, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	return out
}

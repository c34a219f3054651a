package clamav

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"congthu/internal/lang"
)

const (
	dialTime   = 5 * time.Second
	longest    = 4 << 10   // octets of an answer
	pieceSize  = 256 << 10 // octets of a piece of an object
	answerTime = 5 * time.Second
)

// network tells a path from host:port.
func network(address string) string {
	if strings.HasPrefix(address, "/") {
		return "unix"
	}
	return "tcp"
}

// open connects, for as long as the context lives.
func open(ctx context.Context, address string) (conn net.Conn, done func(), err error) {
	d := net.Dialer{Timeout: dialTime}
	if conn, err = d.DialContext(ctx, network(address), address); err != nil {
		return nil, nil, fmt.Errorf("clamav: %w", err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a closed connection fails at the next word
	}
	unhook := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() {
		unhook()
		_ = conn.Close() // the answer is read, or there is none
	}, nil
}

// stream sends an object by INSTREAM (clamd(8)): pieces behind their length, in network
// order, and an empty one. Each object has a connection of its own: on one that is kept
// an answer that is late would be taken for that of the next object.
func stream(ctx context.Context, address string, data []byte) (string, error) {
	conn, done, err := open(ctx, address)
	if err != nil {
		return "", err
	}
	defer done()
	if err := send(conn, data); err != nil {
		// clamd may have said why it hung up
		if reply, late := answer(conn); late == nil {
			return reply, nil
		}
		return "", fmt.Errorf("clamav: %w", err)
	}
	return answer(conn)
}

func send(w io.Writer, data []byte) error {
	pieces := net.Buffers{[]byte("zINSTREAM\x00")}
	for len(data) > 0 {
		n := min(len(data), pieceSize)
		pieces = append(pieces, binary.BigEndian.AppendUint32(nil, uint32(n)), data[:n]) //nolint:gosec // a small number
		data = data[n:]
	}
	pieces = append(pieces, []byte{0, 0, 0, 0})
	_, err := pieces.WriteTo(w)
	return err
}

// answer reads up to the zero that ends an answer. One that is cut is none.
func answer(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, longest))
	if end := bytes.IndexByte(text, 0); end >= 0 {
		return string(text[:end]), nil
	}
	return "", errors.Join(fmt.Errorf("clamav: no whole answer, but %q", lang.Safe(string(text), 100)), err)
}

// Version asks clamd what it is, which also shows that it answers:
// "ClamAV 1.4.3/27800/Mon Nov 23 09:00:00 2026". The date is that of its signatures, zero
// when it has none of its makers'.
func Version(ctx context.Context, address string) (version string, signatures time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, done, err := open(ctx, address)
	if err != nil {
		return "", time.Time{}, err
	}
	defer done()
	if _, err := io.WriteString(conn, "zVERSION\x00"); err != nil {
		return "", time.Time{}, fmt.Errorf("clamav: %w", err)
	}
	reply, err := answer(conn)
	if err != nil {
		return "", time.Time{}, err
	}
	if !strings.HasPrefix(reply, "ClamAV ") {
		return "", time.Time{}, fmt.Errorf("clamav: %q is not clamd's version", lang.Safe(reply, 100))
	}
	words := strings.SplitN(reply, "/", 3)
	if len(words) == 3 {
		signatures, _ = time.Parse(time.ANSIC, words[2]) // in clamd's own zone; a day is near enough
	}
	return lang.Safe(reply, 100), signatures, nil
}

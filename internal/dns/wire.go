package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

const (
	udpSize   = 1232     // fits one unfragmented packet everywhere (RFC 9715 section 3.2)
	maxStrays = 16       // datagrams that are not our answer before the server is given up
	maxReply  = 32 << 10 // octets of a reply over TCP: no record set of mail comes near
)

// Reasons why a reply is no answer.
var (
	errStray     = errors.New("not a reply to this question")
	errTruncated = errors.New("reply truncated")
	errRefused   = errors.New("server failed or refused")
	errLame      = errors.New("server neither knows nor asks others")
	errBogus     = errors.New("reply makes no sense")
	errTooLarge  = errors.New("reply larger than 32 KB")
)

// ask puts the question to each server in turn, twice round, beginning with the one
// that answered last: a server that is down costs its time-out once and not for every
// question. A server that fails is only a reason to ask the next; what nobody answered
// is temporary.
func (r *Resolver) ask(ctx context.Context, q question) (*mdns.Msg, error) {
	var last error = errTemporary(q.name, "", "no name server")
	first := int(r.first.Load())
	for i := range 2 * len(r.servers) {
		n := (first + i) % len(r.servers)
		s := r.servers[n]
		m, err := r.askServer(ctx, s, q)
		if err == nil {
			r.first.Store(int32(n))
			return m, nil
		}
		last = wireError(err, q.name, s.addr)
		if ctx.Err() != nil {
			return nil, errTimeout(q.name, s.addr)
		}
	}
	return nil, last
}

func wireError(err error, name, server string) error {
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return errTimeout(name, server)
	}
	return errTemporary(name, server, err.Error())
}

// askServer asks over UDP, and over TCP when the answer did not fit. A server
// that does not know EDNS0 (RFC 6891 section 7) is asked again without it.
func (r *Resolver) askServer(ctx context.Context, s *upstream, q question) (*mdns.Msg, error) {
	m, err := r.exchange(ctx, "udp", s, q, true)
	if err == nil && m.Rcode == mdns.RcodeFormatError {
		m, err = r.exchange(ctx, "udp", s, q, false)
	}
	if errors.Is(err, errTruncated) {
		m, err = r.exchange(ctx, "tcp", s, q, true)
	}
	if err != nil {
		return nil, err
	}
	m.AuthenticatedData = m.AuthenticatedData && s.trusted
	return m, usable(m)
}

// usable tells an answer from a refusal. A server that has nothing, is no
// authority and does not recurse has not said "there is nothing".
func usable(m *mdns.Msg) error {
	switch {
	case m.Rcode == mdns.RcodeNameError:
		return nil
	case m.Rcode != mdns.RcodeSuccess:
		return errRefused
	case len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable:
		return errLame
	}
	return nil
}

func (r *Resolver) exchange(ctx context.Context, network string, s *upstream, q question, edns bool) (*mdns.Msg, error) {
	id := mdns.Id() // from crypto/rand: half of what a forger has to guess, the port is the other
	wire, err := packQuery(q, id, edns)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.opt.Timeout)
	defer cancel()
	if network == "tcp" {
		return overTCP(ctx, s, wire, q, id)
	}
	return s.overUDP(ctx, wire, q, id)
}

func overTCP(ctx context.Context, s *upstream, wire []byte, q question, id uint16) (*mdns.Msg, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := expire(ctx, conn)
	defer stop()
	return exchangeTCP(conn, wire, q, id)
}

// expire ends what goes on at the connection together with ctx.
func expire(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

func packQuery(q question, id uint16, edns bool) ([]byte, error) {
	m := new(mdns.Msg)
	m.Id = id
	m.RecursionDesired = true
	m.AuthenticatedData = true // "tell me" (RFC 6840 section 5.7)
	m.Question = []mdns.Question{{Name: q.name, Qtype: q.qtype, Qclass: mdns.ClassINET}}
	if edns {
		m.SetEdns0(udpSize, false)
	}
	return m.Pack()
}

// exchangeUDP waits for the answer. What does not answer this question is left
// lying: believing or obeying it would let anybody end the wait.
func exchangeUDP(conn net.Conn, wire []byte, q question, id uint16) (*mdns.Msg, error) {
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for range maxStrays {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		m, err := parseReply(buf[:n], q, id)
		if !errors.Is(err, errStray) {
			return m, err
		}
	}
	return nil, errStray
}

func exchangeTCP(conn net.Conn, wire []byte, q question, id uint16) (*mdns.Msg, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(wire)), uint16(len(wire)))
	if _, err := conn.Write(append(framed, wire...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n > maxReply {
		return nil, errTooLarge
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	m, err := parseReply(buf, q, id)
	if errors.Is(err, errTruncated) {
		return nil, errBogus // there is nowhere larger to go
	}
	return m, err
}

// parseReply reads a reply and makes sure that it answers the question under
// that id (RFC 5452 section 9.1). A truncated reply may not be parseable to its
// end, so the header is judged first.
func parseReply(wire []byte, q question, id uint16) (*mdns.Msg, error) {
	const headerSize, flagTC, flagQR = 12, 0x02, 0x80
	if len(wire) < headerSize || binary.BigEndian.Uint16(wire) != id || wire[2]&flagQR == 0 {
		return nil, errStray
	}
	m := new(mdns.Msg)
	err := m.Unpack(wire)
	if len(m.Question) != 1 || !sameQuestion(m.Question[0], q) {
		return nil, errStray
	}
	if wire[2]&flagTC != 0 {
		return nil, errTruncated
	}
	if err != nil || m.Opcode != mdns.OpcodeQuery {
		return nil, errBogus
	}
	return m, nil
}

func sameQuestion(got mdns.Question, q question) bool {
	return got.Qtype == q.qtype && got.Qclass == mdns.ClassINET && strings.EqualFold(got.Name, q.name)
}

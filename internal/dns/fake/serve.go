package fake

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/dane"

	mdns "github.com/miekg/dns"
)

const ttl = 60

// Serve answers DNS from the zone on the packet connection and the listener
// until ctx ends, then closes both. Either may be nil. What does not fit in a
// UDP reply is truncated, so the client has to come again over TCP; a timeout is
// silence.
func Serve(ctx context.Context, conn net.PacketConn, tcp net.Listener, z Zone) error {
	handler := mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) { z.serve(w, q) })
	var servers []*mdns.Server
	if conn != nil {
		servers = append(servers, &mdns.Server{PacketConn: conn, Handler: handler})
	}
	if tcp != nil {
		servers = append(servers, &mdns.Server{Listener: tcp, Handler: handler})
	}
	done := make(chan error, len(servers))
	for _, s := range servers {
		go func() { done <- s.ActivateAndServe() }()
	}
	stop := context.AfterFunc(ctx, func() { closeAll(conn, tcp) })
	defer stop()
	var errs []error
	for range servers {
		errs = append(errs, <-done)
		closeAll(conn, tcp) // one without the other is not the service that was asked for
	}
	if ctx.Err() != nil {
		return nil // closing the sockets is how they were told
	}
	return errors.Join(errs...)
}

func closeAll(conn net.PacketConn, tcp net.Listener) {
	if conn != nil {
		_ = conn.Close()
	}
	if tcp != nil {
		_ = tcp.Close()
	}
}

func (z Zone) serve(w mdns.ResponseWriter, q *mdns.Msg) {
	m := z.reply(q)
	if m == nil {
		return
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := mdns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = max(size, int(opt.UDPSize()))
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m) // the client asks again when it did not get it
}

// reply makes the answer to a query; nil is silence.
func (z Zone) reply(q *mdns.Msg) *mdns.Msg {
	m := new(mdns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true
	if len(q.Question) != 1 {
		m.Rcode = mdns.RcodeFormatError
		return m
	}
	if opt := q.IsEdns0(); opt != nil {
		m.SetEdns0(opt.UDPSize(), false)
	}
	name, qtype := q.Question[0].Name, q.Question[0].Qtype
	chain, data, o := z.find(name, mdns.TypeToString[qtype])
	m.AuthenticatedData = q.AuthenticatedData && z.secure(append([]string{key(name)}, chain...))
	switch o {
	case timeout:
		return nil
	case servfail:
		m.Rcode = mdns.RcodeServerFailure
		return m
	case refused:
		m.Rcode = mdns.RcodeRefused
		return m
	case noName:
		m.Rcode = mdns.RcodeNameError
	}
	for _, target := range chain {
		m.Answer = append(m.Answer, &mdns.CNAME{Hdr: header(name, mdns.TypeCNAME), Target: mdns.Fqdn(target)})
		name = mdns.Fqdn(target)
	}
	for _, d := range data {
		if rr := record(name, qtype, d); rr != nil {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(data) == 0 {
		m.Ns = append(m.Ns, soa(name))
	}
	return m
}

func header(name string, qtype uint16) mdns.RR_Header {
	return mdns.RR_Header{Name: name, Rrtype: qtype, Class: mdns.ClassINET, Ttl: ttl}
}

func record(name string, qtype uint16, data string) mdns.RR {
	h := header(name, qtype)
	switch qtype {
	case mdns.TypeA:
		return &mdns.A{Hdr: h, A: net.ParseIP(data)}
	case mdns.TypeAAAA:
		return &mdns.AAAA{Hdr: h, AAAA: net.ParseIP(data)}
	case mdns.TypeTXT:
		return &mdns.TXT{Hdr: h, Txt: characterStrings(data)}
	case mdns.TypePTR:
		return &mdns.PTR{Hdr: h, Ptr: mdns.Fqdn(data)}
	case mdns.TypeCNAME:
		return &mdns.CNAME{Hdr: h, Target: mdns.Fqdn(data)}
	case mdns.TypeTLSA:
		r, err := dane.Parse(data)
		if err != nil {
			return nil
		}
		return &mdns.TLSA{Hdr: h, Usage: r.Usage, Selector: r.Selector, MatchingType: r.Matching, Certificate: hex.EncodeToString(r.Data)}
	case mdns.TypeMX:
		pref, host, _ := strings.Cut(data, " ")
		n, err := strconv.ParseUint(pref, 10, 16)
		if err != nil {
			return nil
		}
		return &mdns.MX{Hdr: h, Preference: uint16(n), Mx: mdns.Fqdn(host)}
	}
	return nil
}

// characterStrings cuts text into strings of at most 255 octets (RFC 1035
// section 3.3) in the escaped form that the wire library wants.
func characterStrings(s string) []string {
	out := make([]string, 0, 1+len(s)/255)
	for chunk := range slices.Chunk([]byte(s), 255) {
		var b strings.Builder
		for _, c := range chunk {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		out = append(out, b.String())
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}

func soa(name string) mdns.RR {
	h := header(name, mdns.TypeSOA)
	return &mdns.SOA{Hdr: h, Ns: "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl}
}

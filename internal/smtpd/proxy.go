package smtpd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// The PROXY protocol tells a server behind a load balancer who the client is.
// Version 1 is one line of text, version 2 is binary. Both are bounded here, and
// neither is looked for unless the peer is listed.
const (
	proxyV1Max  = 107                 // a whole version 1 line
	proxyV2Head = 16                  // signature, version and command, family, length
	proxyMax    = proxyV2Head + 2<<10 // with room for more extensions than anyone sends
)

const proxyV2Signature = "\r\n\r\n\x00\r\nQUIT\n"

var errProxy = errors.New("smtpd: not a PROXY header")

// proxyHeader is what a header says. The zero client means that the connection
// stands for itself (LOCAL, UNKNOWN).
type proxyHeader struct{ client netip.AddrPort }

// parseProxy reads a header at the start of b and returns its length. errPartial
// means that b is the beginning of one.
func parseProxy(b []byte) (proxyHeader, int, error) {
	switch {
	case begins(b, proxyV2Signature):
		return parseProxyV2(b)
	case begins(b, "PROXY "):
		return parseProxyV1(b)
	}
	return proxyHeader{}, 0, errProxy
}

// begins tells whether b, as far as it goes, agrees with prefix.
func begins(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

// parseProxyV1 reads "PROXY TCP4 source destination port port" CRLF.
func parseProxyV1(b []byte) (proxyHeader, int, error) {
	i := bytes.IndexByte(b, '\n')
	switch {
	case i < 0 && len(b) < proxyV1Max:
		return proxyHeader{}, 0, errPartial
	case i < 1 || i >= proxyV1Max || b[i-1] != '\r':
		return proxyHeader{}, 0, errProxy
	}
	f := strings.Split(string(b[:i-1]), " ")
	if len(f) >= 2 && f[1] == "UNKNOWN" {
		return proxyHeader{}, i + 1, nil
	}
	if len(f) != 6 || (f[1] != "TCP4" && f[1] != "TCP6") {
		return proxyHeader{}, 0, errProxy
	}
	source, err1 := proxyAddr(f[2], f[4], f[1] == "TCP4")
	_, err2 := proxyAddr(f[3], f[5], f[1] == "TCP4")
	if err1 != nil || err2 != nil {
		return proxyHeader{}, 0, errProxy
	}
	return proxyHeader{client: source}, i + 1, nil
}

func proxyAddr(addr, port string, four bool) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Is4() != four || a.Zone() != "" {
		return netip.AddrPort{}, errProxy
	}
	p, err := parsePort(port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(a.Unmap(), p), nil
}

// parsePort takes a port in its one decimal spelling.
func parsePort(s string) (uint16, error) {
	p, err := strconv.ParseUint(s, 10, 16)
	if err != nil || strconv.FormatUint(p, 10) != s {
		return 0, errProxy
	}
	return uint16(p), nil
}

// parseProxyV2 reads the binary header. What follows the addresses (extensions)
// is skipped.
func parseProxyV2(b []byte) (proxyHeader, int, error) {
	if len(b) < proxyV2Head {
		return proxyHeader{}, 0, errPartial
	}
	size := proxyV2Head + int(binary.BigEndian.Uint16(b[14:16]))
	version, command, family := b[12]>>4, b[12]&15, b[13]
	if version != 2 || command > 1 || size > proxyMax {
		return proxyHeader{}, 0, errProxy
	}
	if len(b) < size {
		return proxyHeader{}, 0, errPartial
	}
	if command == 0 { // LOCAL: a health check of the proxy itself
		return proxyHeader{}, size, nil
	}
	client, err := proxyV2Client(family, b[proxyV2Head:size])
	return proxyHeader{client: client}, size, err
}

// proxyV2Client takes the source address of a TCP connection. Other families have
// no address that we could use; to say who the client is was the header's only task.
func proxyV2Client(family byte, p []byte) (netip.AddrPort, error) {
	switch {
	case family == 0x11 && len(p) >= 12:
		a := netip.AddrFrom4([4]byte(p[:4]))
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(p[8:10])), nil
	case family == 0x21 && len(p) >= 36:
		a := netip.AddrFrom16([16]byte(p[:16])).Unmap()
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(p[32:34])), nil
	}
	return netip.AddrPort{}, errProxy
}

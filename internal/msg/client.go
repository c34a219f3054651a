package msg

import "net/netip"

// ClientNet is what counts as one client: an IPv4 address, or an IPv6 /64, the smallest
// net that one subscriber is given. Addresses that are unknown are one client.
func ClientNet(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

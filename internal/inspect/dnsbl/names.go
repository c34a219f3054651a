package dnsbl

import (
	"crypto/sha1" //nolint:gosec // the lists of addresses are keyed by it; nothing rests on its strength
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// questions are all that is asked about a message.
func (in *Inspector) questions(m *msg.Message) []question {
	about := map[string][]string{}
	var out []question
	for i := range in.lists {
		l := &in.lists[i]
		names, seen := about[l.kind]
		if !seen {
			names = in.subjects(l.kind, m)
			about[l.kind] = names
		}
		for _, name := range names {
			if q := l.name(name); q != "" {
				out = append(out, question{l, name, q})
			}
		}
	}
	return out
}

// subjects are the things of one kind that a message has, each once.
func (in *Inspector) subjects(kind string, m *msg.Message) []string {
	var out []string
	switch kind {
	case "ip", "welcome":
		if a := m.Session.Remote.Addr().Unmap().WithZone(""); public(a) && !m.Session.Outbound {
			out = append(out, a.String())
		}
		return out
	case "domain":
		out = append(out, m.Envelope.From.Domain)
		for _, a := range authors(m) {
			out = append(out, a.Domain)
		}
	case "url":
		if in.o.Hosts != nil {
			out = in.o.Hosts(m)
		}
	case "address":
		for _, a := range authors(m) {
			if !in.o.Local(a.Domain) {
				out = append(out, strings.ToLower(a.Spec()))
			}
		}
		return bounded(out)
	}
	for i, d := range out {
		out[i] = in.registered(d)
	}
	return bounded(out)
}

// authors are those who are named as senders or get the answers.
func authors(m *msg.Message) []mimetree.Address {
	if m.Root == nil {
		return nil
	}
	var out []mimetree.Address
	for _, field := range []string{"From", "Sender", "Reply-To"} {
		list, _ := mimetree.Addresses(m.Root.Get(field))
		for _, a := range list {
			if a.Domain != "" {
				out = append(out, a)
			}
		}
	}
	return out
}

// registered is what lists of domains list: the domain that somebody registered, or the
// address that stands for one. Ours, and what is no public name, is "".
func (in *Inspector) registered(domain string) string {
	if a, err := netip.ParseAddr(strings.Trim(domain, "[]")); err == nil {
		if public(a.Unmap()) && a.Unmap().Is4() {
			return a.Unmap().String()
		}
		return ""
	}
	domain = lookalike.ASCII(domain)
	if in.o.Local(domain) || !strings.Contains(domain, ".") || !plainName(domain) || lookalike.Registrable(domain) == "" {
		return ""
	}
	return lookalike.Organisation(domain)
}

// plainName tells whether a name can be asked for: letters, digits, hyphens.
func plainName(s string) bool {
	return s != "" && len(s) <= 200 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-._") == "" && !strings.Contains(s, "..") && s[0] != '.'
}

// bounded sorts out what is empty and what comes again.
func bounded(names []string) []string {
	var out []string
	for _, n := range names {
		if n != "" && !slices.Contains(out, n) && len(out) < maxNames {
			out = append(out, n)
		}
	}
	return out
}

// public tells whether an address is one that a list can know.
func public(a netip.Addr) bool {
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !reserved(a)
}

// reserved are the addresses that no host has: shared (RFC 6598) and benchmarks (RFC 2544).
// Those of documentation stay askable: tests have no others.
func reserved(a netip.Addr) bool {
	for _, p := range []string{"100.64.0.0/10", "198.18.0.0/15", "0.0.0.0/8", "240.0.0.0/4"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

// name is what is asked of the list about a thing, or "".
func (l *list) name(about string) string {
	var key string
	switch l.kind {
	case "ip", "welcome":
		a, err := netip.ParseAddr(about)
		if err != nil {
			return ""
		}
		key = reversed(a)
	case "address":
		sum := sha1.Sum([]byte(about)) //nolint:gosec // see above
		key = hex.EncodeToString(sum[:])
	default:
		key = about
		if a, err := netip.ParseAddr(about); err == nil {
			key = reversed(a)
		}
	}
	if len(key)+1+len(l.zone) > 253 { // RFC 1035 section 2.3.4
		return ""
	}
	return key + "." + l.zone
}

// reversed writes an address as lists are asked for it: octets or nibbles, last first (RFC
// 5782 sections 2.1 and 2.4).
func reversed(a netip.Addr) string {
	const hexDigits = "0123456789abcdef"
	var parts []string
	if a = a.Unmap(); a.Is4() {
		for _, b := range a.As4() {
			parts = append(parts, strconv.Itoa(int(b)))
		}
	} else {
		for _, b := range a.As16() {
			parts = append(parts, hexDigits[b>>4:b>>4+1], hexDigits[b&15:b&15+1])
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

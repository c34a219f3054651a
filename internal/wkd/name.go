// Package wkd asks for keys in the Web Key Directory of their holder's domain, and writes
// one for domains of our own (draft-koch-openpgp-webkey-service). What is found there is
// only as good as the domain's web server: whoever calls proposes it to an administrator.
package wkd

import (
	"crypto/sha1" // the name of a file, by section 3.1 of the draft
	"net/url"
	"regexp"
	"strings"

	"congthu/internal/lang"
)

// Address is an address in the form that a directory is asked by.
type Address struct {
	Local  string // as it was written: the server may care
	Domain string // lower case, in A-labels
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Parse divides an address whose domain is in A-labels. Names that only look like hosts
// (numbers, ports, one label) are refused: they would lead the request astray.
func Parse(addr string) (Address, error) {
	i := strings.LastIndexByte(addr, '@')
	bad := &lang.Problem{What: lang.T("'"+lang.Safe(addr, 200)+"' không phải địa chỉ thư", "'"+lang.Safe(addr, 200)+"' is not a mail address")}
	if i <= 0 || len(addr) > 320 || strings.ContainsAny(addr[:i], "\x00\r\n") {
		return Address{}, bad
	}
	a := Address{Local: addr[:i], Domain: strings.ToLower(addr[i+1:])}
	last := a.Domain[strings.LastIndexByte(a.Domain, '.')+1:]
	if len(a.Domain) > 253 || !domainForm.MatchString(a.Domain) || strings.Trim(last, "0123456789") == "" {
		return Address{}, bad
	}
	return a, nil
}

// Hash is the name of the address's file in hu/: the local part with ASCII letters in lower
// case, its SHA-1 in z-base-32.
func (a Address) Hash() string {
	sum := sha1.Sum([]byte(lower(a.Local)))
	return zbase32(sum[:])
}

// lower changes ASCII letters alone, as the draft says.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

const zAlphabet = "ybndrfg8ejkmcpqxot1uwisza345h769"

// zbase32 encodes octets (RFC 6189 section 5.1.6); the last character is padded with zeros.
func zbase32(b []byte) string {
	var out strings.Builder
	acc, bits := uint(0), 0
	for _, c := range b {
		acc, bits = acc<<8|uint(c), bits+8
		for bits >= 5 {
			bits -= 5
			out.WriteByte(zAlphabet[acc>>bits&31])
		}
	}
	if bits > 0 {
		out.WriteByte(zAlphabet[acc<<(5-bits)&31])
	}
	return out.String()
}

// Host is the server of the advanced method.
func (a Address) Host() string { return "openpgpkey." + a.Domain }

// Advanced is where the advanced method looks.
func (a Address) Advanced() string {
	return "https://" + a.Host() + "/.well-known/openpgpkey/" + a.Domain + "/hu/" + a.Hash() + "?l=" + url.QueryEscape(a.Local)
}

// Direct is where the direct method looks.
func (a Address) Direct() string {
	return "https://" + a.Domain + "/.well-known/openpgpkey/hu/" + a.Hash() + "?l=" + url.QueryEscape(a.Local)
}

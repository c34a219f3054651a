package dkim

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"unicode"
)

// maxKeyBits bounds what one signature may cost to verify.
const maxKeyBits = 4096

var errKeyTooLong = errors.New("RSA key is longer than 4096 bits")

// header is what is needed of a message's header.
type header struct {
	signatures []map[string]string // tags of the DKIM-Signature fields, in order
	froms      int
}

// scan reads the header by the rules of the library that verifies, so that the
// n-th signature is the same one for both.
func scan(raw []byte) header {
	var h header
	for _, f := range fields(raw) {
		name, value, _ := strings.Cut(f, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "from":
			h.froms++
		case "dkim-signature":
			tags, _ := tagList(value)
			h.signatures = append(h.signatures, tags)
		}
	}
	return h
}

// fields splits the header into fields with their continuation lines.
func fields(raw []byte) []string {
	var out []string
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		raw = rest
		switch {
		case len(line) == 0:
			return out
		case len(out) > 0 && (line[0] == ' ' || line[0] == '\t'):
			out[len(out)-1] += "\r\n" + string(line)
		default:
			out = append(out, string(line))
		}
	}
	return out
}

// whole gives a message that is all header the empty line that the library
// waits for (RFC 5322 section 2.1: a body is optional, and so is its separator).
func whole(raw []byte) []byte {
	if bytes.HasPrefix(raw, []byte("\n")) || bytes.HasPrefix(raw, []byte("\r\n")) || bytes.Contains(raw, []byte("\n\r\n")) || bytes.Contains(raw, []byte("\n\n")) {
		return raw
	}
	end := []byte("\r\n\r\n")
	if bytes.HasSuffix(raw, []byte("\n")) {
		end = end[2:]
	}
	return append(bytes.Clone(raw), end...)
}

// tagList reads tag=value pairs (RFC 6376 section 3.2). A list that names a tag
// twice is no list; what was read until then is returned for the report.
func tagList(s string) (map[string]string, error) {
	tags := make(map[string]string)
	for pair := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if !ok {
			continue
		}
		if _, twice := tags[name]; twice {
			return tags, errors.New("tag " + name + " given twice")
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, nil
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// checkSize refuses a key record whose RSA key is too long. Any other fault is
// the library's to find.
func checkSize(record string) error {
	tags, _ := tagList(record)
	der, err := base64.StdEncoding.DecodeString(squeeze(tags["p"]))
	if err != nil || len(der) <= maxKeyBits/8 {
		return nil
	}
	if key, ok := parseRSA(der); ok && key.N.BitLen() > maxKeyBits {
		return errKeyTooLong
	}
	return nil
}

// parseRSA reads a key in either of the forms in use (RFC 6376 erratum 3017).
func parseRSA(der []byte) (*rsa.PublicKey, bool) {
	if pub, err := x509.ParsePKIXPublicKey(der); err == nil {
		key, ok := pub.(*rsa.PublicKey)
		return key, ok
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	return key, err == nil
}

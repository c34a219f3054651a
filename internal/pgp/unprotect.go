package pgp

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"congthu/internal/mimetree"
)

// Unprotected is a letter that was inside of an encryption, with the header around it.
type Unprotected struct {
	Letter  []byte
	Covered []string // lower-case names of the fields that came from inside
	Differs bool     // its author inside is not the one outside
}

// hpParam is the parameter by which a mail program knows that the fields inside are the
// sender's (RFC 9788 section 2.1), and what it was called before.
var hpParam = regexp.MustCompile(`(?i);\s*(hp\s*=\s*"?(?:clear|cipher)"?|protected-headers\s*=\s*"?v1"?)`)

// Unprotect makes a letter of a decrypted MIME entity: below the header of the letter around
// it, with those fields of the entity that are protected (RFC 9788 section 4) in the place
// of the ones outside. Those are the authored fields and no others: what servers write on
// the way is not for a sender to bring along. From stays the one outside, which is the one
// that was authenticated; that the one inside differs is said. The octets of head and
// payload are not changed.
func Unprotect(head, payload []byte) Unprotected {
	in, body := split([][]byte{payload})
	var u Unprotected
	var content, inner [][]byte
	protected := false
	for _, f := range fields(in) {
		name := nameOf(f)
		switch {
		case strings.HasPrefix(name, "content-"):
			if name == "content-type" && hpParam.Match(f) {
				protected = true
				f = hpParam.ReplaceAll(f, nil) // the letter as it is now has no header inside any more
			}
			content = append(content, ended(f))
		case slices.Contains(authored(), name):
			inner = append(inner, ended(f))
		}
	}
	if protected {
		inner = u.cover(head, inner)
	} else {
		inner = nil
	}
	for _, f := range fields(head) {
		name := nameOf(f)
		if strings.HasPrefix(name, "content-") || name == "mime-version" || slices.Contains(u.Covered, name) {
			continue
		}
		u.Letter = append(u.Letter, ended(f)...)
	}
	u.Letter = append(u.Letter, bytes.Join(inner, nil)...)
	u.Letter = append(u.Letter, "MIME-Version: 1.0\r\n"...)
	u.Letter = append(u.Letter, bytes.Join(content, nil)...)
	u.Letter = append(u.Letter, "\r\n"...)
	for _, b := range body {
		u.Letter = append(u.Letter, b...)
	}
	return u
}

// cover settles which fields inside go before those outside.
func (u *Unprotected) cover(head []byte, inner [][]byte) (out [][]byte) {
	outside := author(fields(head))
	for _, f := range inner {
		name := nameOf(f)
		if name == "from" || name == "sender" {
			u.Differs = u.Differs || name == "from" && author([][]byte{f}) != outside
			continue
		}
		out = append(out, f)
		if !slices.Contains(u.Covered, name) {
			u.Covered = append(u.Covered, name)
		}
	}
	return out
}

// author is the first address of From, as msg.Path.Key spells it; "" where there is none.
func author(fs [][]byte) string {
	for _, f := range fs {
		if nameOf(f) != "from" {
			continue
		}
		parsed, _, _ := mimetree.ParseHeader(f)
		if len(parsed) == 1 {
			if list, _ := mimetree.Addresses(parsed[0].Value); len(list) > 0 {
				return Normal(list[0].Local + "@" + list[0].Domain)
			}
		}
		return ""
	}
	return ""
}

// Author is the first address of a header's From, as msg.Path.Key spells it.
func Author(head []byte) string { return author(fields(head)) }

// Entity makes a letter of content that has no header of its own, with these Content-*
// fields, below the header of the letter around it.
func Entity(head []byte, content string, body []byte) []byte {
	return Unprotect(head, slices.Concat([]byte(content), []byte("\r\n"), body)).Letter
}

// Head is the header of a letter with the line end of its last field.
func Head(raw []byte) []byte {
	head, _ := split([][]byte{raw})
	return head
}

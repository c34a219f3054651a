package dkim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"congthu/internal/lang"
	"congthu/internal/mailauth/sig"
)

// claim is a signature as it is written, before anything is believed.
type claim struct {
	field sig.Field
	at    int // place in the header
	tags  sig.Tags
	err   error // why it is of no use; a *sig.Problem is permanent or temporary

	s      Signature
	canon  sig.Canon
	names  []string // h=, lower-case
	length int64    // l=
	body   []byte   // bh=
	value  []byte   // b=
	key    *sig.Key
}

// distance orders signatures for choosing: 0 for a domain that is an author's, above it
// or below it.
func (c *claim) distance(authors []string) int {
	d := strings.ToLower(c.tags.Word("d"))
	for _, a := range authors {
		if d != "" && (d == a || strings.HasSuffix(a, "."+d) || strings.HasSuffix(d, "."+a)) {
			return 0
		}
	}
	return 1
}

// read takes the tags apart (RFC 6376 section 3.5) and finds what makes the signature
// useless whatever its key is.
func (c *claim) read() {
	c.s = Signature{
		Domain:    strings.ToLower(c.tags.Word("d")),
		Selector:  c.tags.Word("s"),
		Identity:  unquote(c.tags.Word("i")),
		Algorithm: strings.ToLower(c.tags.Word("a")),
	}
	b := c.tags.Word("b")
	c.s.Hash = b[:min(len(b), 8)]
	c.names = c.tags.List("h")
	for i, n := range c.names {
		c.names[i] = strings.ToLower(n)
	}
	if c.err != nil {
		c.err = useless("malformed signature tags: %v", c.err)
		return
	}
	for _, check := range []func() error{c.complete, c.wellSpoken, c.inTime, c.octets} {
		if c.err = check(); c.err != nil {
			return
		}
	}
}

// unquote undoes the quoting of i= (RFC 6376 section 2.11, dkim-quoted-printable).
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func useless(format string, args ...any) error {
	return &sig.Problem{Reason: fmt.Sprintf(format, args...)}
}

func (c *claim) complete() error {
	if c.tags.Get("v") != "1" {
		return useless("incompatible signature version")
	}
	for _, tag := range []string{"a", "b", "bh", "d", "h", "s"} {
		if c.tags.Word(tag) == "" {
			return useless("signature without %s=", tag)
		}
	}
	return nil
}

// wellSpoken checks what the tags say: who, over what, by which rules.
func (c *claim) wellSpoken() error {
	var ok bool
	if c.canon, ok = sig.ParseCanon(c.tags.Word("c")); !ok {
		return useless("unknown canonical form")
	}
	if q := c.tags.List("q"); c.tags.Has("q") && !slices.Contains(q, "dns/txt") {
		return useless("unknown way to query the key")
	}
	at, given := c.identityAt()
	switch {
	case !isDomain(c.s.Domain) || !isDomain(c.s.Selector):
		return useless("d= or s= is no domain name") // whoever reads it may see another one
	case !slices.Contains(c.names, "from"):
		return useless("From field not signed")
	case c.tags.Has("i") && (!given || at != c.s.Domain && !strings.HasSuffix(at, "."+c.s.Domain)):
		return useless("i= is not at or below d=")
	}
	return sig.CheckAlgorithm(c.tags.Word("a"))
}

// isDomain follows the rule sub-domain of RFC 5321, with the underscore that names in the
// DNS have, and with the letters of RFC 8616.
func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// identityAt is the domain of i=, in lower case.
func (c *claim) identityAt() (domain string, ok bool) {
	at := strings.LastIndexByte(c.s.Identity, '@')
	return strings.ToLower(c.s.Identity[at+1:]), at >= 0
}

// inTime checks t= and x=, in seconds since 1970.
func (c *claim) inTime() error {
	var made, ends uint64
	for tag, to := range map[string]*uint64{"t": &made, "x": &ends} {
		if !c.tags.Has(tag) {
			continue
		}
		n, err := strconv.ParseUint(c.tags.Word(tag), 10, 63)
		if err != nil {
			return useless("malformed %s=", tag)
		}
		*to = n
	}
	switch {
	case !c.tags.Has("x"):
		return nil
	case c.tags.Has("t") && ends < made:
		return useless("signature expires before it is made")
	case uint64(time.Now().Unix()) > ends:
		return useless("signature has expired")
	}
	return nil
}

func (c *claim) octets() error {
	var err error
	if c.body, err = base64.StdEncoding.DecodeString(c.tags.Word("bh")); err != nil {
		return useless("malformed body hash")
	}
	if c.value, err = base64.StdEncoding.DecodeString(c.tags.Word("b")); err != nil {
		return useless("malformed signature")
	}
	c.length = sig.All
	if c.tags.Has("l") {
		if c.length, err = strconv.ParseInt(c.tags.Word("l"), 10, 64); err != nil || c.length < 0 {
			return useless("malformed l=")
		}
	}
	return nil
}

// judge does the arithmetic and says what the signature is worth.
func (c *claim) judge(m *sig.Message) Signature {
	if c.err == nil {
		c.s.Testing = c.key.Testing
		c.err = c.verify(m)
	}
	var p *sig.Problem
	switch {
	case c.err == nil:
		c.s.Status, c.s.Reason = c.insist(m)
	case !errors.As(c.err, &p):
		c.s.Status = Fail
	case p.Temporary:
		c.s.Status = TempError
	default:
		c.s.Status = PermError
	}
	if c.err != nil {
		c.s.Reason = lang.Safe(c.err.Error(), 200)
	}
	return c.s
}

func (c *claim) verify(m *sig.Message) error {
	sum, enough := m.HashBody(c.canon, c.length)
	if !enough || subtle.ConstantTimeCompare(sum[:], c.body) != 1 {
		return errors.New("body hash did not verify")
	}
	signed := c.canon.AppendSigned(nil, m.Pick(c.names), c.field, c.tags)
	head := sha256.Sum256(signed)
	return c.key.Verify(c.tags.Word("a"), head[:], c.value)
}

// insist refuses what verifies and yet proves nothing. An unsigned From field is one
// that somebody added to be shown, an unsigned end of the body likewise.
func (c *claim) insist(m *sig.Message) (status, reason string) {
	signed, froms := 0, m.Count("from")
	for _, n := range c.names {
		if n == "from" {
			signed++
		}
	}
	at, _ := c.identityAt()
	switch {
	case c.tags.Has("l"):
		return Policy, "l= leaves part of the body unsigned"
	case froms == 0:
		return Policy, "message has no From field"
	case froms > signed:
		return Policy, fmt.Sprintf("message has %d From fields, %d signed", froms, signed)
	case c.key.Strict && c.tags.Has("i") && at != c.s.Domain:
		return PermError, "key says t=s, but i= is not at d=" // RFC 6376 section 3.6.1
	}
	return Pass, ""
}

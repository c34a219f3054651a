// Package dkim verifies the DKIM signatures of a message (RFC 6376, 8301, 8463)
// and makes them for tests and the demonstration. The cryptography and the
// canonical forms are go-msgauth's; this package hands in DNS and octets, bounds
// the work, and adds what a verifier in front of DMARC must insist on: every From
// field is signed, a key is neither too short nor absurdly long, t=s is obeyed,
// and a key that could not be fetched is "temperror", never "fail".
package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"congthu/internal/lang"
	"congthu/internal/msg"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

// MaxSignatures is how many signatures are looked at, from the top.
const MaxSignatures = 10

// Resolver is the part of DNS that DKIM needs.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// The results of RFC 8601 section 2.7.1 that are given here.
const (
	None      = "none"      // not signed
	Pass      = "pass"      // verified
	Fail      = "fail"      // the message is not what was signed
	Policy    = "policy"    // verifies, but in a way that proves nothing
	TempError = "temperror" // the key could not be fetched
	PermError = "permerror" // the signature or its key cannot be used
)

// Signature is the judgement on one DKIM-Signature field.
type Signature struct {
	Status    string
	Domain    string // d=, who takes responsibility; lower-case
	Selector  string // s=
	Identity  string // i=
	Hash      string // first characters of b=, which tell signatures apart (RFC 6008)
	Algorithm string // a=
	Testing   bool   // the key says t=y: the owner is only trying
	Reason    string
}

// Result is the signature in the words of RFC 8601.
func (s Signature) Result() msg.AuthResult {
	var why []string
	if s.Selector != "" {
		why = append(why, "selector "+s.Selector)
	}
	if s.Testing {
		why = append(why, "key in testing mode")
	}
	if s.Reason != "" {
		why = append(why, s.Reason)
	}
	return msg.AuthResult{
		Method: "dkim", Status: s.Status, Property: "header.d", Value: s.Domain,
		Reason: strings.Join(why, "; "),
	}
}

// Report is what is known about the signatures of a message. No signatures
// means that it is not signed.
type Report struct {
	Signatures []Signature
	Ignored    int // signatures beyond MaxSignatures
}

// Results is the report in the words of RFC 8601: one result a signature, or
// the single result "none".
func (r Report) Results() []msg.AuthResult {
	if len(r.Signatures) == 0 {
		return []msg.AuthResult{{Method: "dkim", Status: None, Reason: "message not signed"}}
	}
	out := make([]msg.AuthResult, len(r.Signatures))
	for i, s := range r.Signatures {
		out[i] = s.Result()
	}
	return out
}

// Verify judges the topmost signatures of a message. The error means that the
// message could not be read as one.
func Verify(ctx context.Context, r Resolver, raw []byte) (Report, error) {
	h := scan(raw)
	if len(h.signatures) == 0 {
		return Report{}, nil
	}
	keys := &keyRing{ctx: ctx, r: r, seen: make(map[string]string)}
	checks, err := msgauth.VerifyWithOptions(bytes.NewReader(whole(raw)), &msgauth.VerifyOptions{
		LookupTXT: keys.lookup, MaxVerifications: MaxSignatures,
	})
	if err != nil && !errors.Is(err, msgauth.ErrTooManySignatures) {
		return Report{}, fmt.Errorf("dkim: %w", err)
	}
	if len(checks) != min(len(h.signatures), MaxSignatures) {
		return Report{}, errors.New("dkim: two readings of the header differ")
	}
	rep := Report{Ignored: len(h.signatures) - len(checks)}
	for i, c := range checks {
		rep.Signatures = append(rep.Signatures, judge(c, h.signatures[i], h.froms, keys))
	}
	return rep, nil
}

// judge turns the library's finding on one signature into ours.
func judge(c *msgauth.Verification, tags map[string]string, froms int, keys *keyRing) Signature {
	s := Signature{
		Domain:    strings.ToLower(squeeze(tags["d"])),
		Selector:  squeeze(tags["s"]),
		Identity:  squeeze(tags["i"]),
		Algorithm: strings.ToLower(squeeze(tags["a"])),
		Hash:      prefix(squeeze(tags["b"]), 8),
	}
	flags := keys.flags(squeeze(tags["s"]), squeeze(tags["d"]))
	s.Testing = slices.Contains(flags, "y")
	s.Status, s.Reason = status(c.Err, tags)
	if s.Status == Pass {
		s.Status, s.Reason = insist(c, s, froms, slices.Contains(flags, "s"))
	}
	return s
}

func status(err error, tags map[string]string) (string, string) {
	_, partial := tags["l"]
	switch {
	case err == nil:
		return Pass, ""
	case msgauth.IsTempFail(err):
		return TempError, reason(err)
	case msgauth.IsPermFail(err):
		return PermError, reason(err)
	case partial: // RFC 8601 section 2.7.1: signed, but not as we accept it
		return Policy, "l= leaves part of the body unsigned"
	}
	return Fail, reason(err)
}

// insist applies what the library leaves to its caller to a signature that
// verifies. An unsigned From field is one that somebody added to be shown.
func insist(c *msgauth.Verification, s Signature, froms int, strict bool) (string, string) {
	signed := 0
	for _, k := range c.HeaderKeys {
		if strings.EqualFold(k, "From") {
			signed++
		}
	}
	switch {
	case froms == 0:
		return Policy, "message has no From field"
	case froms > signed:
		return Policy, fmt.Sprintf("message has %d From fields, %d signed", froms, signed)
	case strict && !strictIdentity(s):
		return PermError, "key says t=s, but i= is not at d=" // RFC 6376 section 3.6.1
	}
	return Pass, ""
}

func strictIdentity(s Signature) bool {
	_, at, ok := strings.Cut(s.Identity, "@")
	return !ok || strings.EqualFold(at, s.Domain)
}

func reason(err error) string {
	return lang.Safe(strings.TrimPrefix(err.Error(), "dkim: "), 200)
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }

// keyRing fetches keys for the library, which calls it from several goroutines,
// and remembers the records for the flags that the library keeps to itself.
type keyRing struct {
	ctx  context.Context // of the one Verify; the library's hook takes none
	r    Resolver
	mu   sync.Mutex
	seen map[string]string
}

func (k *keyRing) lookup(name string) ([]string, error) {
	txts, err := k.r.LookupTXT(k.ctx, name)
	if err != nil {
		return nil, sure(name, err)
	}
	if len(txts) == 1 {
		if err := checkSize(txts[0]); err != nil {
			return nil, err
		}
		k.mu.Lock()
		k.seen[name] = txts[0]
		k.mu.Unlock()
	}
	return txts, nil
}

// sure makes an error either not-found or temporary: what is not known not to
// be there may be there.
func sure(name string, err error) error {
	why := err.Error()
	var de *net.DNSError
	if errors.As(err, &de) {
		if de.IsNotFound {
			return de
		}
		why = de.Err
	}
	return &net.DNSError{Err: why, Name: name, IsTemporary: true}
}

func (k *keyRing) flags(selector, domain string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	tags, _ := tagList(k.seen[selector+"._domainkey."+domain])
	return strings.Split(strings.ToLower(squeeze(tags["t"])), ":")
}

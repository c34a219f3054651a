// Package dkim verifies the DKIM signatures of a message (RFC 6376, 8301, 8463), in one
// pass over it by the canonical forms of package sig, and has go-msgauth make them.
// Verifying is ours because every letter pays for it; in the tests go-msgauth and dkimpy
// say what is right.
//
// It says what a verifier in front of DMARC must insist on: every From field is signed,
// a key is neither too short nor absurdly long, SHA-1 is no hash, a signature with l= is
// no pass, t=s is obeyed, and a key that could not be fetched is "temperror", never
// "fail".
package dkim

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"congthu/internal/mailauth/sig"
	"congthu/internal/msg"
)

// MaxSignatures is how many signatures are looked at: first those of domains related
// to the author's, then from the top.
const MaxSignatures = 10

// Resolver is the part of DNS that DKIM needs.
type Resolver = sig.Resolver

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

// Verify judges the signatures of a message; those of the authors' domains come first
// when there are too many. Lines must end in CRLF.
func Verify(ctx context.Context, r Resolver, m *sig.Message, authors ...string) Report {
	claims, ignored := choose(m, authors)
	fetch(ctx, r, claims)
	rep := Report{Ignored: ignored}
	for _, c := range claims {
		rep.Signatures = append(rep.Signatures, c.judge(m))
	}
	return rep
}

// choose reads the signatures and keeps those that will be looked at, in the order of
// the header.
func choose(m *sig.Message, authors []string) (chosen []*claim, ignored int) {
	for i, f := range m.Fields {
		if f.Name == "dkim-signature" {
			c := &claim{field: f, at: i}
			c.tags, c.err = sig.ParseTags(f.Value())
			chosen = append(chosen, c)
		}
	}
	if len(chosen) > MaxSignatures {
		ignored = len(chosen) - MaxSignatures
		slices.SortStableFunc(chosen, func(a, b *claim) int { return cmp.Compare(a.distance(authors), b.distance(authors)) })
		chosen = chosen[:MaxSignatures]
		slices.SortFunc(chosen, func(a, b *claim) int { return cmp.Compare(a.at, b.at) })
	}
	for _, c := range chosen {
		c.read()
	}
	return chosen, ignored
}

// fetch looks up the keys of the signatures that can be used, all at once: this is
// waiting, not work.
func fetch(ctx context.Context, r Resolver, claims []*claim) {
	var wait sync.WaitGroup
	for _, c := range claims {
		switch {
		case c.err != nil:
		case len(claims) == 1:
			c.key, c.err = sig.FetchKey(ctx, r, c.s.Selector, c.s.Domain)
		default:
			wait.Go(func() { c.key, c.err = sig.FetchKey(ctx, r, c.s.Selector, c.s.Domain) })
		}
	}
	wait.Wait()
}

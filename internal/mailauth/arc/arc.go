// Package arc validates the chain of ARC sets of a message (RFC 8617): who has handled
// it on its way, and what each of them saw of its authentication before changing it. It
// validates only; nothing is sealed here.
//
// A chain that passes says that the listed domains have written what stands in their
// sets. Whether to believe them is a matter of knowing them: a chain costs a stranger
// nothing.
package arc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"congthu/internal/lang"
	"congthu/internal/mailauth/sig"
	"congthu/internal/msg"
)

// MaxSets is the longest chain that is looked at (RFC 8617 section 5.2, step 1).
const MaxSets = 50

// Resolver is the part of DNS that ARC needs.
type Resolver = sig.Resolver

// The results of RFC 8617 section 4.4, and one for what is not known.
const (
	None      = "none"      // no ARC set
	Pass      = "pass"      // the whole chain holds
	Fail      = "fail"      // it does not
	TempError = "temperror" // a key could not be fetched
)

// Seal is what one handler of the message has put its name to.
type Seal struct {
	Domain string // d= of ARC-Seal; lower-case
	DMARC  string // what its ARC-Authentication-Results say of DMARC; "" when nothing
	From   string // and for which author domain; lower-case
}

// Result is the state of the chain.
type Result struct {
	Status     string
	Seals      []Seal // the oldest first; believe them only when Status is Pass
	FromSigned bool   // the newest handler has signed every From field of the message
	Reason     string
}

// AuthResult is the result in the words of RFC 8601 and RFC 8617 section 10.2. Who has
// sealed stands in the reason: no property is registered for it.
func (r Result) AuthResult() msg.AuthResult {
	a := msg.AuthResult{Method: "arc", Status: r.Status, Reason: r.Reason}
	if r.Status == Pass {
		n := len(r.Seals)
		a.Reason = fmt.Sprintf("sets: %d, the newest sealed by %s", n, lang.Safe(r.Seals[n-1].Domain, 100))
	}
	return a
}

// Verify validates the chain (RFC 8617 section 5.2). Lines must end in CRLF.
func Verify(ctx context.Context, r Resolver, m *sig.Message) Result {
	sets, err := collect(m)
	if err == nil && len(sets) == 0 {
		return Result{Status: None}
	}
	res := Result{Status: Pass}
	for _, s := range sets {
		res.Seals = append(res.Seals, s.summary())
	}
	if err == nil {
		res.FromSigned = m.Count("from") > 0 && count(sets[len(sets)-1].signed(), "from") >= m.Count("from")
		err = validate(ctx, r, m, sets)
	}
	var p *sig.Problem
	if err != nil {
		res.Status, res.Reason = Fail, lang.Safe(err.Error(), 200)
		if errors.As(err, &p) && p.Temporary {
			res.Status = TempError
		}
	}
	return res
}

// validate checks what collect has brought into order: that nobody has given the chain
// up, that the newest handler's signature fits the message, and every seal.
func validate(ctx context.Context, r Resolver, m *sig.Message, sets []*set) error {
	for i, s := range sets {
		want := "pass"
		if i == 0 {
			want = "none"
		}
		if cv := s.sealTags.Word("cv"); cv != want {
			return fmt.Errorf("seal %d says cv=%s", i+1, lang.Safe(cv, 20))
		}
		if s.sealTags.Has("h") { // what a seal covers is not for it to say (section 4.1.3)
			return fmt.Errorf("seal %d has h=", i+1)
		}
	}
	keys := fetchKeys(ctx, r, sets)
	if err := sets[len(sets)-1].message(m, keys); err != nil {
		return err
	}
	return seals(sets, keys)
}

// seals checks the ARC-Seal of every set; each covers all sets up to its own (section
// 5.1.1).
func seals(sets []*set, keys keys) error {
	relaxed := sig.Canon{RelaxedHeader: true}
	var covered []byte
	for i, s := range sets {
		signed := relaxed.AppendSigned(covered, []sig.Field{s.results, s.signature}, s.seal, s.sealTags)
		sum := sha256.Sum256(signed)
		if err := keys.check(s.sealTags, sum[:]); err != nil {
			return fmt.Errorf("seal %d: %w", i+1, err)
		}
		for _, f := range []sig.Field{s.results, s.signature, s.seal} {
			covered = append(relaxed.AppendHeader(covered, f), '\r', '\n')
		}
	}
	return nil
}

func count(names []string, name string) int {
	n := 0
	for _, s := range names {
		if s == name {
			n++
		}
	}
	return n
}

package arc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/mailauth/sig"
)

// set is the three fields that one handler adds (RFC 8617 section 4.2).
type set struct {
	results, signature, seal sig.Field // ARC-Authentication-Results, ARC-Message-Signature, ARC-Seal
	signatureTags, sealTags  sig.Tags
	said                     string // the results without i=
}

// collect groups the fields into sets, the oldest first. An error means that the chain
// is broken in its structure (section 5.2, step 3); it then returns what it could read.
func collect(m *sig.Message) ([]*set, error) {
	byInstance := make(map[int]*set)
	for _, f := range m.Fields {
		if !strings.HasPrefix(f.Name, "arc-") {
			continue
		}
		if err := put(byInstance, f); err != nil {
			return nil, err
		}
	}
	sets := make([]*set, len(byInstance))
	for i := range sets {
		s := byInstance[i+1]
		if s == nil || s.results.Raw == nil || s.signature.Raw == nil || s.seal.Raw == nil {
			return nil, fmt.Errorf("set %d is missing or incomplete", i+1)
		}
		sets[i] = s
	}
	return sets, nil
}

// put adds a field to its set; of each kind there is one in a set.
func put(sets map[int]*set, f sig.Field) error {
	var n int
	var err error
	var tags sig.Tags
	said := ""
	switch f.Name {
	case "arc-authentication-results":
		n, said, err = splitResults(f.Value())
	case "arc-message-signature", "arc-seal":
		if tags, err = sig.ParseTags(f.Value()); err == nil && tags.Gaps {
			err = errors.New("empty element")
		}
		if err == nil {
			n, err = instance(tags.Word("i"))
		}
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("malformed %s: %w", f.Name, err)
	}
	s := sets[n]
	if s == nil {
		s = &set{}
		sets[n] = s
	}
	return s.take(f, tags, said)
}

func (s *set) take(f sig.Field, tags sig.Tags, said string) error {
	to := &s.results
	switch f.Name {
	case "arc-message-signature":
		to, s.signatureTags = &s.signature, tags
	case "arc-seal":
		to, s.sealTags = &s.seal, tags
	default:
		s.said = said
	}
	if to.Raw != nil {
		return fmt.Errorf("two %s in one set", f.Name)
	}
	*to = f
	return nil
}

// instance reads i=, a number from 1 to 50 (section 4.2.1).
func instance(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n < 1 || n > MaxSets {
		return 0, errors.New("i= is not a number from 1 to 50")
	}
	return int(n), nil
}

// splitResults reads "i=1; " in front of the results (section 4.1.1).
func splitResults(value string) (n int, said string, err error) {
	first, rest, ok := strings.Cut(value, ";")
	number, named := strings.CutPrefix(sig.Squeeze(first), "i=")
	if !ok || !named {
		return 0, "", errors.New("does not begin with i=")
	}
	n, err = instance(number)
	return n, rest, err
}

// message checks the ARC-Message-Signature: DKIM's, with i= for the instance and
// without v= (section 4.1.2).
func (s *set) message(m *sig.Message, keys keys) error {
	t := s.signatureTags
	canon, ok := sig.Canon{RelaxedHeader: true, RelaxedBody: true}, true // where the tag is absent, as sealers do
	if t.Has("c") {
		canon, ok = sig.ParseCanon(t.Word("c"))
		ok = ok && t.Word("c") != ""
	}
	names := s.signed()
	switch {
	case !ok:
		return errors.New("message signature: unknown canonical form")
	case slices.Contains(names, "arc-seal"):
		return errors.New("message signature: ARC-Seal is signed")
	case t.Has("l"):
		return errors.New("message signature: l= leaves part of the body unsigned")
	}
	body, err := base64.StdEncoding.DecodeString(t.Word("bh"))
	if err != nil {
		return errors.New("message signature: malformed body hash")
	}
	sum, _ := m.HashBody(canon, sig.All)
	if subtle.ConstantTimeCompare(sum[:], body) != 1 {
		return errors.New("message signature: body hash did not verify")
	}
	head := sha256.Sum256(canon.AppendSigned(nil, m.Pick(names), s.signature, t))
	if err := keys.check(t, head[:]); err != nil {
		return fmt.Errorf("message signature: %w", err)
	}
	return nil
}

// signed are the lower-case names in h=.
func (s *set) signed() []string {
	return strings.Split(strings.ToLower(s.signatureTags.Word("h")), ":")
}

package arc

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"congthu/internal/mailauth/sig"
)

// keyName is where a key is: its selector and its domain.
type keyName struct{ selector, domain string }

type fetched struct {
	key *sig.Key
	err error
}

// keys are the keys of a chain, each looked up once.
type keys map[keyName]*fetched

func nameOf(t sig.Tags) keyName {
	return keyName{t.Word("s"), strings.ToLower(t.Word("d"))}
}

// fetchKeys looks up all at once the keys of the seals and of the newest message
// signature.
func fetchKeys(ctx context.Context, r Resolver, sets []*set) keys {
	ks := make(keys)
	var wait sync.WaitGroup
	want := func(t sig.Tags) {
		n := nameOf(t)
		if n.selector == "" || n.domain == "" || ks[n] != nil {
			return
		}
		f := &fetched{}
		ks[n] = f
		wait.Go(func() { f.key, f.err = sig.FetchKey(ctx, r, n.selector, n.domain) })
	}
	want(sets[len(sets)-1].signatureTags)
	for _, s := range sets {
		want(s.sealTags)
	}
	wait.Wait()
	return ks
}

// check verifies the signature in b= of a hash.
func (ks keys) check(t sig.Tags, sum []byte) error {
	f := ks[nameOf(t)]
	switch {
	case f == nil:
		return fmt.Errorf("without s= or d=")
	case f.err != nil:
		return f.err
	}
	if err := sig.CheckAlgorithm(t.Word("a")); err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(t.Word("b"))
	if err != nil {
		return fmt.Errorf("malformed signature")
	}
	return f.key.Verify(t.Word("a"), sum, signature)
}

package dkim

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"strings"

	"congthu/internal/mailauth/sig"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

// signedFields are signed when present, and once more than present, so that none
// can be added afterwards (RFC 6376 section 8.15).
var signedFields = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}

// Sign returns the DKIM-Signature field, with its final CRLF, to be put on top of
// the message. Both canonical forms are relaxed.
func Sign(raw []byte, domain, selector string, key crypto.Signer) ([]byte, error) {
	s, err := msgauth.NewSigner(&msgauth.SignOptions{
		Domain: domain, Selector: selector, Signer: key, HeaderKeys: toSign(raw),
		HeaderCanonicalization: msgauth.CanonicalizationRelaxed,
		BodyCanonicalization:   msgauth.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, fmt.Errorf("dkim: sign for %s: %w", domain, err)
	}
	_, werr := s.Write(whole(raw))
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("dkim: sign for %s: %w", domain, err)
	}
	if werr != nil {
		return nil, fmt.Errorf("dkim: sign for %s: %w", domain, werr)
	}
	return []byte(s.Signature()), nil
}

func toSign(raw []byte) []string {
	keys := slices.Clone(signedFields)
	for _, f := range sig.Open(raw).Fields {
		if slices.ContainsFunc(signedFields, func(k string) bool { return strings.EqualFold(k, f.Name) }) {
			keys = append(keys, f.Name)
		}
	}
	return keys
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

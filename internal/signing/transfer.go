package signing

import (
	"strings"

	"golang.org/x/net/idna"

	"congthu/internal/mailauth/dkim"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// Sign puts the signatures of the author's domain on top of a message of our own
// senders: last of all, when not an octet below will change. What came from outside is
// left alone, whoever it says it is from. So is a message of which not every reader
// would name the same author, because a signature vouches for what is shown.
//
// An error means that it ought to be signed and could not be.
func (s *Store) Sign(t *msg.Transfer) error {
	if !t.Outbound {
		return nil
	}
	header, _ := dkim.Split(t.Content)
	domain, ok := Author(header)
	if !ok {
		return nil
	}
	keys, err := s.For(domain)
	if err != nil || len(keys) == 0 {
		return err
	}
	head, err := dkim.SignContent(t.Content, keys...)
	if err != nil {
		return err
	}
	t.Content = append([][]byte{head}, t.Content...)
	return nil
}

// Author is the domain of the one author that a header names, in A-labels; ok is false where
// not every reader would name the same.
func Author(head []byte) (domain string, ok bool) {
	fields, _, _ := mimetree.ParseHeader(head)
	var from []msg.Field
	for _, f := range fields {
		if strings.EqualFold(f.Name, "From") {
			from = append(from, f)
		}
	}
	if len(from) != 1 {
		return "", false
	}
	list, doubts := mimetree.Addresses(from[0].Value)
	if len(list) != 1 || len(doubts) > 0 {
		return "", false
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(list[0].Domain, "."))
	return strings.ToLower(domain), err == nil && domain != ""
}

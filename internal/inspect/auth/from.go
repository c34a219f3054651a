package auth

import (
	"errors"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// maxAuthors bounds the domains judged: beyond it From is not a list of authors.
const maxAuthors = 4

// authors returns the distinct domains of the one From field (RFC 5322 section
// 3.6.2). Anything that two readers may read in two ways is an error.
func authors(from []msg.Field) ([]string, error) {
	if len(from) != 1 {
		return nil, errors.New("message has no single From field")
	}
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: asIs}}
	list, err := parser.ParseList(from[0].Value)
	if err != nil || len(list) == 0 {
		return nil, errors.New("From is not a list of addresses")
	}
	var domains []string
	for _, a := range list {
		d := strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
		if !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	if len(domains) > maxAuthors {
		return nil, errors.New("From names too many domains")
	}
	return domains, nil
}

// asIs lets display names in any charset pass: only the addresses are read here.
func asIs(_ string, in io.Reader) (io.Reader, error) { return in, nil }

// Package sender looks whether what an agency sends says that it is from that agency.
//
// The envelope sender was checked at MAIL; here it is From and Sender, which people
// read. It concerns only clients that are known by name (network of an agency,
// certificate, account): of a stranger's From the auth and header inspectors speak.
//
// One mailbox in one From, of a domain of the agency: anything that two mail programs
// may read as two authors is nobody's. Replies that the agency forwards with the
// author's own From are refused with the rest; forwarding as an attachment, or with a
// From of one's own, is not.
package sender

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// NotYours: From or Sender names somebody who does not belong to the agency.
const NotYours = "SENDER_NOT_YOURS"

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{NotYours} }

type inspector struct{}

// New returns the inspector named "sender".
func New() msg.Inspector { return inspector{} }

// Name implements msg.Inspector.
func (inspector) Name() string { return "sender" }

// Inspect implements msg.Inspector.
func (inspector) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if !m.Session.Identity.Named() {
		return nil, nil, nil
	}
	if m.Root == nil {
		return nil, nil, errors.New("the message was not parsed")
	}
	wrong := author(m.Root, m.Session.Identity)
	if wrong == "" {
		wrong = agent(m.Root, m.Session.Identity)
	}
	if wrong == "" {
		return nil, nil, nil
	}
	return []msg.Finding{{Symbol: NotYours, Evidence: shorten(wrong)}}, nil, nil
}

// author says what is wrong with From (RFC 5322 section 3.6.2), or "".
func author(root *msg.Part, who msg.Identity) string {
	fields := root.Fields("From")
	if len(fields) != 1 {
		return plural(len(fields), "From field")
	}
	list, notes := mimetree.Addresses(fields[0].Value)
	for _, n := range notes {
		if n.Code != mimetree.AddressSyntax { // what it breaks, the count below sees
			return "From: " + n.Code
		}
	}
	list = slices.DeleteFunc(list, func(a mimetree.Address) bool { return a.Domain == "" })
	if len(list) != 1 {
		return plural(len(list), "address") + " in From"
	}
	return foreign("From", list[0], who)
}

// agent says what is wrong with Sender, which need not be there, or "".
func agent(root *msg.Part, who msg.Identity) string {
	for _, f := range root.Fields("Sender") {
		list, _ := mimetree.Addresses(f.Value)
		for _, a := range list {
			if wrong := foreign("Sender", a, who); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func foreign(field string, a mimetree.Address, who msg.Identity) string {
	if domain, err := idna.Lookup.ToASCII(a.Domain); err == nil && who.Owns(strings.ToLower(domain)) {
		return ""
	}
	return field + ": " + a.Spec()
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "one " + what
	}
	return "more than one " + what
}

// shorten keeps evidence to a line; the header may be long.
func shorten(s string) string {
	runes := []rune(strings.ToValidUTF8(s[:min(len(s), 800)], "\ufffd"))
	if len(runes) > 200 {
		return string(runes[:199]) + "…"
	}
	return string(runes)
}

package header

import (
	"slices"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// marks reports what a message says about its own kind: facts for the rules of a house,
// and for those who must not answer machines (RFC 3834).
func (r *report) marks() {
	precedence := strings.ToLower(strings.TrimSpace(r.root.Get("Precedence")))
	switch {
	case r.root.Get("List-Id") != "" || precedence == "list":
		r.add(List, r.root.Get("List-Id"))
	case precedence == "bulk" || precedence == "junk" || r.root.Get("List-Unsubscribe") != "":
		r.add(Bulk, precedence)
	}
	auto := strings.ToLower(strings.TrimSpace(r.root.Get("Auto-Submitted")))
	if auto != "" && !strings.HasPrefix(auto, "no") || precedence == "auto_reply" || r.root.Get("X-Autoreply") != "" {
		r.add(Automatic, auto)
	}
}

// mailer looks at the program that is named as the writer: mass mailers, and Outlook
// Express without the field that it always writes.
func (i *inspector) mailer(r *report) {
	name := r.root.Get("X-Mailer")
	if name == "" {
		name = r.root.Get("User-Agent")
	}
	low := strings.ToLower(name)
	if low == "" {
		return
	}
	for _, m := range i.mailers {
		if strings.Contains(low, m) {
			r.add(MailerBulk, name)
			return
		}
	}
	if strings.HasPrefix(low, "microsoft outlook express") && r.root.Get("X-MimeOLE") == "" && r.root.Get("List-Id") == "" {
		r.add(MailerForged, name)
	}
}

// recipients compares those who are shown with those who get the message.
func (r *report) recipients(m *msg.Message, from []mimetree.Address) {
	if r.root.Get("To") == "" && r.root.Get("Cc") == "" && r.root.Get("Bcc") == "" {
		r.add(ToMissing, "")
		return
	}
	to := mailboxes(r.root.Get("To"))
	if len(to) == 1 && len(from) == 1 && strings.EqualFold(to[0].Spec(), from[0].Spec()) {
		r.add(ToSelf, to[0].Spec())
	}
	if len(m.Envelope.To) == 0 || r.root.Get("List-Id") != "" {
		return
	}
	shown := append(to, mailboxes(r.root.Get("Cc"))...)
	hidden := func(p msg.Path) bool {
		return !slices.ContainsFunc(shown, func(a mimetree.Address) bool { return strings.EqualFold(a.Spec(), p.Key()) })
	}
	if !slices.ContainsFunc(m.Envelope.To, func(p msg.Path) bool { return !hidden(p) }) {
		r.add(BccOnly, "")
	}
}

// charsets reports encoded words (RFC 2047) in base64 that hold nothing but ASCII, which
// needs none: it hides words from a simple reader.
func (r *report) charsets() {
	for _, name := range []string{"Subject", "From"} {
		value := r.root.Get(name)
		if !strings.Contains(value, "=?") {
			continue
		}
		low := strings.ToLower(value)
		plain := mimetree.DecodeWords(value)
		if strings.Contains(low, "?b?") && plain != value && !strings.ContainsFunc(plain, func(c rune) bool { return c >= 0x80 }) {
			r.add(CharsetHides, name)
		}
	}
}

package msg

import "strings"

// Path is an RFC 5321 mailbox as it stood between the angle brackets. The raw
// form is kept because quoting is meaning: <"a b"@x> and <a b@x> differ, and the
// next hop must be told exactly what we were told.
type Path struct {
	Raw    string // between < and >, without source route
	Local  string // local part, unquoted and unescaped
	Domain string // lower-cased; "" for <> and <postmaster>
}

// IsNull tells whether this is the null reverse-path <> (RFC 5321 section 4.5.5).
func (p Path) IsNull() bool { return p.Raw == "" }

// String returns the raw form without brackets.
func (p Path) String() string { return p.Raw }

// Key returns the address as the gateway compares it: the local part's case is
// the owner's business (RFC 5321 section 2.4), but no known mailbox depends on it,
// and key lookups must not miss because of it.
func (p Path) Key() string {
	if p.Domain == "" {
		return strings.ToLower(p.Local)
	}
	return strings.ToLower(p.Local) + "@" + p.Domain
}

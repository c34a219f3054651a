package quarantine

import (
	"slices"
	"strings"

	"congthu/internal/msg"
)

// Class is why a message is held, as far as it matters to how long it is kept and to who
// may release it.
type Class string

// The classes.
const (
	Malware        Class = "malware"        // something harmful was found in it
	Unscannable    Class = "unscannable"    // somebody could not look, or not in one way only
	FileType       Class = "type"           // a type of file that is not let through
	Phishing       Class = "phishing"       // it lies about who writes or where a link leads
	Spam           Class = "spam"           // nothing but its score
	Encryption     Class = "encryption"     // waits for a key
	Authentication Class = "authentication" // the sender is not proven
	Other          Class = "other"          // such as a sender that behaves as if it were stolen
)

// Classes lists them, the gravest first.
func Classes() []Class {
	return []Class{Malware, Unscannable, FileType, Phishing, Spam, Encryption, Authentication, Other}
}

// harmful are the symbols of something that was recognised: one of them makes the class
// whatever else was found. Rules of others (YARA_EXTRA_MALWARE) are not among them: they
// are wrong too often, and count when the administrator lets them hold mail.
var harmful = []string{"YARA_MALWARE", "YARA_REJECT", "CLAMAV_MALWARE"}

// byReason says which class a reason is of. The first that fits counts; "X_*" is all that
// begin with X_.
var byReason = []struct {
	class   Class
	symbols []string
}{
	{Malware, append([]string{"YARA_EXTRA_MALWARE", "ATTACH_EXPLOIT"}, harmful...)},
	{Unscannable, []string{
		"BLIND_*", "SCAN_*", "MIME_LIMIT", "MIME_AMBIGUOUS", "CONTENT_TEXT_LIMIT", "ATTACH_ENCRYPTED", "ATTACH_UNSCANNABLE",
		"ATTACH_ARCHIVE_CONFLICT", "ATTACH_ARCHIVE_SPECIAL", "ATTACH_XML_ENTITIES", "ATTACH_PICTURE_UNREAD",
	}},
	{Phishing, phishing},
	{FileType, []string{"ATTACH_*", "YARA_*"}},
	{Encryption, []string{"ENCRYPT_*", "PGP_*"}},
	{Authentication, []string{"DMARC_*", "SPF_*", "DKIM_*", "ARC_*", "AUTH_*", "SENDER_*", "HEADER_FROM_*"}},
}

// phishing are the symbols of a lie that wants something.
var phishing = []string{
	"PHISH_*", "CONTENT_PHISH_*", "LINK_*", "FROM_NAME_*", "FROM_DOMAIN_*", "FROM_LOCAL_FROM_OUTSIDE", "CLAMAV_PHISHING", "CONTENT_PAYMENT_CHANGE*",
	"CONTENT_BOSS_*", "CONTENT_CARD_HARVEST", "CONTENT_MACRO_LURE", "CONTENT_HTML_LURE", "CONTENT_QR_LURE", "CONTENT_EXTORTION", "ATTACH_HTML_SMUGGLING",
}

// ClassOf returns the class of a message that is held for a reason, with what was found.
func ClassOf(reason string, found []msg.Weighed) Class {
	for _, f := range found {
		if slices.Contains(harmful, f.Symbol) {
			return Malware
		}
	}
	if reason == "SCORE" {
		return scored(found)
	}
	for _, c := range byReason {
		if named(c.symbols, reason) {
			return c.class
		}
	}
	return Other
}

// Harmful lists the symbols of something harmful among what was found.
func Harmful(found []msg.Weighed) (out []string) {
	for _, f := range found {
		if slices.Contains(harmful, f.Symbol) && !slices.Contains(out, f.Symbol) {
			out = append(out, f.Symbol)
		}
	}
	return out
}

// scored tells phishing from spam by what most of the score is for.
func scored(found []msg.Weighed) Class {
	lies, all := 0.0, 0.0
	for _, f := range found {
		if f.Score <= 0 {
			continue
		}
		all += f.Score
		if named(phishing, f.Symbol) {
			lies += f.Score
		}
	}
	if all > 0 && lies*2 >= all {
		return Phishing
	}
	return Spam
}

func named(patterns []string, symbol string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		begin, open := strings.CutSuffix(p, "*")
		return p == symbol || open && strings.HasPrefix(symbol, begin)
	})
}

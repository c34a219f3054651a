package pgp

import (
	"cmp"
	"strings"

	"congthu/internal/msg"
)

// The ways in which a message may be protected end to end already. What is, is never
// changed on the way.
const (
	PGPSigned          = "pgp-signed"           // multipart/signed, RFC 3156
	PGPEncrypted       = "pgp-encrypted"        // multipart/encrypted, RFC 3156
	PGPInlineSigned    = "pgp-inline-signed"    // armor in the text
	PGPInlineEncrypted = "pgp-inline-encrypted" // armor in the text
	SMIMESigned        = "smime-signed"         // RFC 8551, clear or opaque
	SMIMEEncrypted     = "smime-encrypted"      // RFC 8551
)

// Protection tells how the message is signed or encrypted end to end, or "".
func Protection(root *msg.Part) string {
	if root == nil {
		return ""
	}
	if how := labelled(root); how != "" {
		return how
	}
	how, in := nested(root), inline(root)
	if in == PGPInlineEncrypted && !encrypts(how) {
		return in
	}
	return cmp.Or(how, in)
}

// encrypts tells which ways keep strangers from reading: found anywhere, they outweigh a
// signature.
func encrypts(how string) bool { return strings.HasSuffix(how, "-encrypted") }

// nested looks for protection inside of other structures: some servers and list managers
// put what they do not understand, or a footer, around it in multipart/mixed. A letter that
// is attached is not looked into: the letter around it is one of its own.
func nested(p *msg.Part) (found string) {
	if !p.IsMultipart() {
		return ""
	}
	for _, c := range p.Children {
		how := cmp.Or(labelled(c), nested(c))
		if encrypts(how) {
			return how
		}
		found = cmp.Or(found, how)
	}
	return found
}

// labelled is what a part says that it is.
func labelled(p *msg.Part) string {
	switch p.MediaType {
	case "multipart/signed":
		if strings.Contains(strings.ToLower(p.Params["protocol"]), "pkcs7") {
			return SMIMESigned
		}
		return PGPSigned
	case "multipart/encrypted", "application/pgp-encrypted":
		return PGPEncrypted
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if strings.EqualFold(p.Params["smime-type"], "signed-data") {
			return SMIMESigned
		}
		return SMIMEEncrypted
	}
	return ""
}

// inline looks for armor at the start of a text part.
func inline(root *msg.Part) string {
	found := ""
	root.Walk(func(p *msg.Part) {
		if !p.IsText() {
			return
		}
		text := strings.TrimLeft(p.Text, " \t\r\n\ufeff")
		switch {
		case strings.HasPrefix(text, "-----BEGIN PGP MESSAGE-----"):
			found = PGPInlineEncrypted
		case strings.HasPrefix(text, "-----BEGIN PGP SIGNED MESSAGE-----") && found == "":
			found = PGPInlineSigned
		}
	})
	return found
}

package pgp

import (
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
	protocol := strings.ToLower(root.Params["protocol"])
	switch root.MediaType {
	case "multipart/signed":
		if strings.Contains(protocol, "pkcs7") {
			return SMIMESigned
		}
		return PGPSigned
	case "multipart/encrypted":
		return PGPEncrypted
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if strings.EqualFold(root.Params["smime-type"], "signed-data") {
			return SMIMESigned
		}
		return SMIMEEncrypted
	}
	if how := nested(root); how != "" {
		return how
	}
	return inline(root)
}

// nested looks for encryption inside of other structures: some servers and list managers
// put what they do not understand into multipart/mixed. A letter that is attached is not
// looked into: the letter around it is one of its own.
func nested(p *msg.Part) string {
	if !p.IsMultipart() {
		return ""
	}
	for _, c := range p.Children {
		switch c.MediaType {
		case "multipart/encrypted", "application/pgp-encrypted":
			return PGPEncrypted
		case "application/pkcs7-mime", "application/x-pkcs7-mime":
			if !strings.EqualFold(c.Params["smime-type"], "signed-data") {
				return SMIMEEncrypted
			}
		}
		if how := nested(c); how != "" {
			return how
		}
	}
	return ""
}

// inline looks for armor at the start of a text part. Encryption found anywhere
// outweighs a signature.
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

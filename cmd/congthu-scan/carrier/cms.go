package carrier

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"

	"congthu/cmd/congthu-scan/archive"
)

// The content types of RFC 5652, 5083 and 3274, as their object identifiers stand in
// the octets.
const (
	cmsSigned     = "2a864886f70d010702"
	cmsEnveloped  = "2a864886f70d010703"
	cmsEncrypted  = "2a864886f70d010706"
	cmsAuthPacked = "2a864886f70d0109100117"
	cmsCompressed = "2a864886f70d0109100109"
)

// ContentName is the name under which the content of a CMS object is handed out: it is
// a MIME entity (RFC 8551 section 3.1), and opened as one by its name.
const ContentName = "smime.eml"

// CMS hands out the content that an S/MIME object carries with its signature, or
// compressed; of a detached signature there is none.
func CMS(b *archive.Budget, data []byte, visit Visit) []archive.Remark {
	return within(b, data, visit, func(o *opening) { o.cms(data) })
}

func (o *opening) cms(data []byte) {
	info, _, err := cutBER(data)
	if err != nil {
		o.Remark(archive.Damaged, "CMS: %v", err)
	}
	fields := info.children()
	if len(fields) < 2 {
		o.Remark(archive.Damaged, "CMS: no content")
		return
	}
	inner := fields[1].child(0) // [0] EXPLICIT
	switch hex.EncodeToString(fields[0].value) {
	case cmsSigned:
		o.encapsulated(inner.child(2))
	case cmsCompressed:
		o.compressed(inner.child(2))
	case cmsEncrypted:
		o.Remark(archive.Encrypted, "S/MIME")
	case cmsEnveloped, cmsAuthPacked:
		// Encrypted by its author for the recipient's certificate. That is what letters
		// between agencies ought to be, and like one in OpenPGP it goes on as it came; a
		// password that a stranger could have made up is something else.
	}
}

// encapsulated is EncapsulatedContentInfo: a type, and the content unless the signature
// is detached. A content that is no octet string is handed out as it stands.
func (o *opening) encapsulated(info element) {
	if content := info.child(1); content.value != nil {
		o.give(content.child(0).octets(0), ContentName)
	}
}

func (o *opening) compressed(info element) {
	z, err := zlib.NewReader(bytes.NewReader(info.child(1).child(0).octets(0)))
	if err != nil {
		o.Remark(archive.Damaged, "CMS: %v", err)
		return
	}
	data, err := o.Read(ContentName, z)
	o.visit(Object{Names: []string{ContentName}, Data: data})
	o.full = err != nil
}

package attach

import (
	"bytes"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// request is the message, its decoded parts, and what only other readers would see of
// a message that contradicts itself.
func request(m *msg.Message) *scanproto.Request {
	r := &scanproto.Request{Objects: []scanproto.Object{{Message: true, MediaType: "message/rfc822", Data: spare(m)}}}
	add := func(p *msg.Part) {
		if p.Decoded == nil {
			return
		}
		r.Objects = append(r.Objects, scanproto.Object{Part: p.Path, MediaType: p.MediaType, Names: mimetree.Filenames(p), Data: p.Decoded})
	}
	m.Root.Walk(add)
	if m.Root != nil {
		for _, p := range m.Root.Others {
			add(p)
		}
	}
	return r
}

// A long file in base64 is looked at decoded. In the message as it came, which is looked
// at as well, rules find nothing in it but how it begins: the lines cut any word.
const (
	longBody  = 16 << 10 // octets of base64 that are worth leaving out
	beginning = 4 << 10  // octets that stay: published rules ask for "TVqQ" and the like
)

// spare returns the message as it came, less the rest of long files in base64, if it can
// be read in one way only; for a message of megabytes it halves the work.
func spare(m *msg.Message) []byte {
	if !plain(m.Root) {
		return m.Raw
	}
	files := long(m.Raw, m.Root, nil)
	if len(files) == 0 {
		return m.Raw
	}
	var out []byte
	var at int64
	for _, p := range files {
		out = append(out, m.Raw[at:p.BodyStart+beginning]...)
		at = p.End
	}
	return append(out, m.Raw[at:]...)
}

// long appends the long files in base64 in the order of the message. It goes into
// multiparts alone: what stands inside an encoded part has no place in raw.
func long(raw []byte, p *msg.Part, files []*msg.Part) []*msg.Part {
	switch {
	case p.IsMultipart() && p.Decoded == nil:
		for _, c := range p.Children {
			files = long(raw, c, files)
		}
	case strict(raw, p):
		files = append(files, p)
	}
	return files
}

// plain tells that nothing in the tree can be read in two ways.
func plain(root *msg.Part) bool {
	yes := root != nil && len(root.Others) == 0
	root.Walk(func(p *msg.Part) { yes = yes && len(p.Ambiguities) == 0 })
	return yes
}

// strict tells that the part is a long body of base64 and nothing else, every octet of
// which went into Decoded (RFC 2045 section 6.8).
func strict(raw []byte, p *msg.Part) bool {
	if p.Encoding != "base64" || p.IsText() || len(p.Children) > 0 || p.End-p.BodyStart < longBody {
		return false
	}
	body := raw[p.BodyStart:p.End]
	letters := len(body) - 2*bytes.Count(body, []byte("\r\n"))
	return letters == (len(p.Decoded)+2)/3*4
}

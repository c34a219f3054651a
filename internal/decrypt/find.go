package decrypt

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"congthu/internal/msg"
	"congthu/internal/pgp"
)

// kind is what an encrypted part holds, as far as the letter around it says.
type kind int

const (
	text   kind = iota // armor in a text: text
	entity             // RFC 3156: a MIME entity
	file               // an attached file
)

// sealed is an OpenPGP message in a letter.
type sealed struct {
	part    *msg.Part
	kind    kind
	armored bool
	octets  []byte
	size    int   // in the part
	bad     error // its armor is damaged
}

// mostBlocks is how many armored messages are looked for in one part.
const mostBlocks = 20

// candidates finds what is encrypted: in every part that a reader can see, by what its
// octets say and not by its label.
func candidates(root *msg.Part) (out []sealed) {
	var visit func(p *msg.Part, inside bool)
	visit = func(p *msg.Part, inside bool) {
		inside = inside || p.MediaType == "multipart/encrypted" || slices.ContainsFunc(p.Children, func(c *msg.Part) bool { return c.MediaType == "application/pgp-encrypted" })
		if len(p.Children) == 0 {
			out = append(out, leaf(p, inside)...)
		}
		for _, c := range p.Children {
			visit(c, inside)
		}
	}
	if root == nil {
		return nil
	}
	visit(root, false)
	for _, p := range root.Others {
		out = append(out, leaf(p, false)...)
	}
	return out
}

func leaf(p *msg.Part, inside bool) (out []sealed) {
	k := file
	switch {
	case inside:
		k = entity
	case p.IsText():
		k = text
	}
	for _, b := range pgp.Blocks(p.Decoded, mostBlocks) {
		out = append(out, sealed{part: p, kind: k, armored: true, octets: p.Decoded[b.Start:b.End], size: b.End - b.Start})
	}
	if len(out) == 0 && p.IsText() && len(p.Text) > 0 && !bytes.Equal(p.Decoded, []byte(p.Text)) { // UTF-16, for example
		for _, b := range pgp.Blocks([]byte(p.Text), mostBlocks) {
			out = append(out, sealed{part: p, kind: k, armored: true, octets: []byte(p.Text)[b.Start:b.End]})
		}
	}
	if len(out) == 0 && !p.IsText() && pgp.IsEncrypted(p.Decoded) {
		out = append(out, sealed{part: p, kind: k, octets: p.Decoded, size: len(p.Decoded)})
	}
	return out
}

// whole tells whether the message is all of the letter, so that what was inside can stand in
// its place: RFC 3156 to the letter, or one armored text and nothing beside it.
func whole(root *msg.Part, s sealed) bool {
	if doubtful(root) || slices.ContainsFunc(root.Others, func(p *msg.Part) bool { return !strings.HasPrefix(p.Path, s.part.Path+"~") }) {
		return false // the armor itself may be read as base64, which hides nothing
	}
	switch root.MediaType {
	case "multipart/encrypted":
		c := root.Children
		return len(c) == 2 && c[1] == s.part && len(c[0].Children) == 0 && c[0].MediaType == "application/pgp-encrypted" &&
			strings.EqualFold(string(bytes.TrimSpace(c[0].Decoded)), "Version: 1") && only(s)
	case "text/plain":
		return s.part == root && only(s)
	}
	return false
}

// only tells whether nothing but the message is in its part.
func only(s sealed) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(s.part.Decoded, []byte("\ufeff")))) == s.size
}

func doubtful(root *msg.Part) bool {
	doubt := false
	root.Walk(func(p *msg.Part) { doubt = doubt || len(p.Ambiguities) > 0 })
	return doubt
}

// plainName is the name that a file has when it is no longer encrypted.
func plainName(p *msg.Part, inner string) string {
	name := path.Base(strings.ReplaceAll(inner, `\`, "/"))
	if inner == "" || inner == "_CONSOLE" { // RFC 9580 section 5.9
		name = p.Filename
		for _, ext := range []string{".pgp", ".gpg", ".asc"} {
			if len(name) > len(ext) && strings.EqualFold(name[len(name)-len(ext):], ext) {
				name = name[:len(name)-len(ext)]
			}
		}
	}
	return name
}

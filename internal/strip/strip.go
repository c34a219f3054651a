// Package strip takes files out of a message and leaves a notice in the place of each.
// Not one octet outside of the parts that go is touched: their headers and bodies are
// replaced in the message as it was received.
//
// That is only done where every reader sees the same message: a structure that is
// ambiguous in any way, a signature or an encryption anywhere, a part that is the
// letter's own text, and the message is left alone, whole.
package strip

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// ErrWhole is what the reason wraps for which a message stays whole.
var ErrWhole = errors.New("strip: the message stays whole")

// Parts returns the parts that must go so that nothing is left of the files found, in
// the order of the message: of each the outermost part that is no multipart, which is
// an attached letter as a whole where the file is inside one.
func Parts(root *msg.Part, found []msg.Finding) ([]*msg.Part, error) {
	if err := clear(root); err != nil {
		return nil, err
	}
	var out []*msg.Part
	for _, f := range found {
		p := outermost(root, f.Part)
		switch {
		case p == nil || p == root:
			return nil, fmt.Errorf("%w: part %q is not one of several", ErrWhole, f.Part)
		case ownText(p):
			return nil, fmt.Errorf("%w: part %s is its text", ErrWhole, p.Path)
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *msg.Part) int { return int(a.Start - b.Start) })
	return out, nil
}

// clear tells why a message cannot be changed by anybody.
func clear(root *msg.Part) error {
	if root == nil {
		return fmt.Errorf("%w: it was not parsed", ErrWhole)
	}
	var err error
	root.Walk(func(p *msg.Part) {
		switch {
		case doubt(p) != "":
			err = fmt.Errorf("%w: part %s: %s", ErrWhole, p.Path, doubt(p))
		case protects(p.MediaType):
			err = fmt.Errorf("%w: part %s is %s", ErrWhole, p.Path, p.MediaType)
		}
	})
	return err
}

// doubt returns the first ambiguity of a part. That there is text around the parts, which
// nobody shows and many programs write, or an ASCII name beside the real one, is none.
func doubt(p *msg.Part) string {
	for _, a := range p.Ambiguities {
		switch a.Code {
		case mimetree.Preamble, mimetree.Epilogue, mimetree.FilenameDiffers:
		default:
			return a.Code
		}
	}
	return ""
}

// protects: RFC 1847, RFC 3156, RFC 8551.
func protects(mediaType string) bool {
	switch mediaType {
	case "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime",
		"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/pgp-encrypted":
		return true
	}
	return false
}

// outermost goes from the root towards the part and returns the first that is no
// multipart, nil when there is no such part.
func outermost(root *msg.Part, path string) *msg.Part {
	for p := root; ; {
		if !p.IsMultipart() {
			return p
		}
		i := slices.IndexFunc(p.Children, func(c *msg.Part) bool { return path == c.Path || strings.HasPrefix(path, c.Path+".") })
		if i < 0 {
			return nil
		}
		p = p.Children[i]
	}
}

// ownText tells whether a part is what is read rather than what is attached.
func ownText(p *msg.Part) bool {
	return strings.HasPrefix(p.MediaType, "text/") && p.Disposition != "attachment" && p.Filename == ""
}

// Replace returns the message with the parts replaced by what notice says of each, as
// plain text. The result is parsed again: if it is not the same message but for these
// parts, it stays whole.
func Replace(raw []byte, root *msg.Part, parts []*msg.Part, notice func(*msg.Part) string) ([]byte, error) {
	var out []byte
	from := int64(0)
	for _, p := range parts {
		if p.Start < from || p.End < p.BodyStart || p.BodyStart < p.Start || p.End > int64(len(raw)) {
			return nil, fmt.Errorf("%w: part %s lies at %d to %d", ErrWhole, p.Path, p.Start, p.End)
		}
		out = append(append(out, raw[from:p.Start]...), part(notice(p))...)
		from = p.End
		if bytes.HasSuffix(raw[p.Start:p.End], []byte("\r\n")) { // without it the notice would end in the delimiter
			out = append(out, "\r\n"...)
		}
	}
	out = append(out, raw[from:]...)
	if !alike(root, mimetree.Parse(out, mimetree.DefaultLimits()), parts) {
		return nil, fmt.Errorf("%w: its parts would not be what they were", ErrWhole)
	}
	return out, nil
}

// alike compares two trees but for the parts that were replaced.
func alike(a, b *msg.Part, replaced []*msg.Part) bool {
	if slices.Contains(replaced, a) {
		return b.MediaType == "text/plain" && doubt(b) == "" && len(b.Children) == 0
	}
	if a.MediaType != b.MediaType || len(a.Children) != len(b.Children) || doubt(b) != "" || !bytes.Equal(a.Decoded, b.Decoded) {
		return false
	}
	for i := range a.Children {
		if !alike(a.Children[i], b.Children[i], replaced) {
			return false
		}
	}
	return true
}

package mimetree

import (
	"bytes"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// describe fills what the header says about the body and returns the boundaries of a
// multipart.
func (t *tree) describe(p *msg.Part, defaultType string) []string {
	boundaries, typeNames := t.describeType(p, defaultType)
	t.describeEncoding(p)
	names := addNames(describeDisposition(p), typeNames)
	if len(names) > 0 {
		p.Filename = names[0]
		n := notes(p.Ambiguities)
		compareNames(names, &n)
		p.Ambiguities = n
	}
	switch {
	case p.MediaType == "message/partial":
		note(p, Partial, p.Params["id"])
	case p.MediaType == "message/external-body":
		note(p, ExternalBody, p.Params["access-type"])
	case isTNEF(p):
		note(p, TNEF, p.Filename)
	case p.IsMultipart():
		boundaries = checkBoundaries(p, boundaries)
		t.choices = max(t.choices, len(boundaries))
		if i := t.how.boundary.of(len(boundaries)); i >= 0 {
			boundaries = boundaries[i : i+1]
		}
	}
	if (p.IsMultipart() || isEmbedded(p.MediaType)) && encodes(p.Encoding) {
		note(p, EncodedContainer, p.Encoding)
	}
	return boundaries
}

// describeType takes, of several Content-Type fields, the one under which most is
// seen: a multipart, then a message, then the first. All boundaries and names count.
// Another reading takes the field that its reader takes.
func (t *tree) describeType(p *msg.Part, defaultType string) (boundaries, names []string) {
	p.MediaType = defaultType
	n := notes(p.Ambiguities)
	fields := p.Fields("Content-Type")
	t.choices = max(t.choices, len(fields))
	best, chosen := -1, t.how.field.of(len(fields))
	for i, f := range fields {
		v := parseValue(f.Value)
		mediaType := v.mediaType()
		n.addAll(v.notes)
		if i == 1 {
			n.add(TwoContentTypes, p.MediaType+" | "+mediaType)
		}
		if r := revealing(mediaType); r > best && chosen < 0 || i == chosen {
			best, p.MediaType, p.Params = r, mediaType, v.flat()
		}
		names = append(names, v.all["name"]...)
		if chosen < 0 || i == chosen {
			boundaries = append(boundaries, v.all["boundary"]...)
		}
		if p.IsMultipart() && (foldedInside(f, v.all["boundary"]) ||
			slices.ContainsFunc(v.notes, func(a msg.Ambiguity) bool { return a.Code == ParamSyntax })) {
			n.add(BoundarySyntax, f.Value)
		}
	}
	p.Ambiguities = n
	return boundaries, names
}

// foldedInside tells whether a line ends within a boundary: not everybody unfolds before
// reading it.
func foldedInside(f msg.Field, boundaries []string) bool {
	return slices.ContainsFunc(boundaries, func(b string) bool {
		return strings.ContainsAny(b, " \t") && !bytes.Contains(f.Raw, []byte(b))
	})
}

func revealing(mediaType string) int {
	switch {
	case strings.HasPrefix(mediaType, "multipart/"):
		return 2
	case isEmbedded(mediaType):
		return 1
	}
	return 0
}

// isEmbedded tells whether a body of that type is a message.
func isEmbedded(mediaType string) bool {
	return mediaType == "message/rfc822" || mediaType == "message/global" || mediaType == "message/news"
}

// describeEncoding takes, of several Content-Transfer-Encoding fields, the first that
// changes octets: the others can be read in the raw message.
func (t *tree) describeEncoding(p *msg.Part) {
	p.Encoding = "7bit" // RFC 2045 section 6.1
	fields := p.Fields("Content-Transfer-Encoding")
	t.choices = max(t.choices, len(fields))
	chosen := t.how.field.of(len(fields))
	for i, f := range fields {
		word := encodingWord(p, f.Value)
		if i == 1 {
			note(p, TwoEncodings, p.Encoding+" | "+word)
		}
		if i == 0 || i == chosen || chosen < 0 && encodes(word) && !encodes(p.Encoding) {
			p.Encoding = word
		}
	}
	if len(fields) > 0 && !knownEncoding(p.Encoding) {
		note(p, UnknownEncoding, p.Encoding)
	}
}

// encodingWord takes the token out of comments, quotes and parameters.
func encodingWord(p *msg.Part, value string) string {
	var n notes
	s := paramScanner{s: value, notes: &n}
	s.space()
	word := strings.ToLower(strings.Trim(s.until("; \t(,"), `"'`))
	if !strings.EqualFold(word, value) {
		note(p, EncodingSyntax, value)
	}
	return word
}

func knownEncoding(e string) bool {
	return e == "7bit" || e == "8bit" || e == "binary" || encodes(e)
}

// encodes tells whether the encoding changes octets.
func encodes(e string) bool { return e == "base64" || e == "quoted-printable" || isUU(e) }

func isUU(e string) bool { return e == "x-uuencode" || e == "uuencode" || e == "x-uue" }

// describeDisposition sets the disposition and returns the file names beside it.
func describeDisposition(p *msg.Part) (names []string) {
	count := 0
	for _, f := range p.Header {
		if !strings.EqualFold(f.Name, "Content-Disposition") {
			continue
		}
		v := parseValue(f.Value)
		for _, a := range v.notes {
			note(p, a.Code, a.Detail)
		}
		if count++; count == 2 {
			note(p, TwoDispositions, p.Disposition+" | "+v.head)
		}
		if count == 1 {
			p.Disposition = v.head
		}
		names = addNames(names, v.all["filename"])
	}
	return names
}

func isTNEF(p *msg.Part) bool {
	return p.MediaType == "application/ms-tnef" || p.MediaType == "application/vnd.ms-tnef" ||
		strings.EqualFold(p.Filename, "winmail.dat")
}

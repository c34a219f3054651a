package mimetree

import (
	"strings"

	"congthu/internal/msg"
)

// describe fills what the header says about the body and returns the boundaries of a
// multipart.
func describe(p *msg.Part, defaultType string) []string {
	boundaries, typeNames := describeType(p, defaultType)
	describeEncoding(p)
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
	}
	if (p.IsMultipart() || isEmbedded(p.MediaType)) && encodes(p.Encoding) {
		note(p, EncodedContainer, p.Encoding)
	}
	return boundaries
}

// describeType takes, of several Content-Type fields, the one under which most is
// seen: a multipart, then a message, then the first. All boundaries and names count.
func describeType(p *msg.Part, defaultType string) (boundaries, names []string) {
	p.MediaType = defaultType
	best := -1
	n := notes(p.Ambiguities)
	count := 0
	for _, f := range p.Header {
		if !strings.EqualFold(f.Name, "Content-Type") {
			continue
		}
		v := parseValue(f.Value)
		mediaType := v.mediaType()
		n.addAll(v.notes)
		if count++; count == 2 {
			n.add(TwoContentTypes, p.MediaType+" | "+mediaType)
		}
		if r := revealing(mediaType); r > best {
			best, p.MediaType, p.Params = r, mediaType, v.flat()
		}
		boundaries = append(boundaries, v.all["boundary"]...)
		names = append(names, v.all["name"]...)
	}
	p.Ambiguities = n
	return boundaries, names
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
func describeEncoding(p *msg.Part) {
	p.Encoding = "7bit" // RFC 2045 section 6.1
	count := 0
	for _, f := range p.Header {
		if !strings.EqualFold(f.Name, "Content-Transfer-Encoding") {
			continue
		}
		word := encodingWord(p, f.Value)
		if count++; count == 2 {
			note(p, TwoEncodings, p.Encoding+" | "+word)
		}
		if count == 1 || encodes(word) && !encodes(p.Encoding) {
			p.Encoding = word
		}
	}
	if count > 0 && !knownEncoding(p.Encoding) {
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

package mimetree

// The codes of ambiguities. Those of Conflict make two readers see two messages;
// those of Limit say that something was not looked at; the rest are remarks.
const (
	// TwoContentTypes: more than one Content-Type field (RFC 2045 section 3).
	TwoContentTypes = "MIME_TWO_CONTENT_TYPES"
	// TwoEncodings: more than one Content-Transfer-Encoding field.
	TwoEncodings = "MIME_TWO_ENCODINGS"
	// TwoDispositions: more than one Content-Disposition field (RFC 2183 section 2).
	TwoDispositions = "MIME_TWO_DISPOSITIONS"
	// TwoBoundaries: several values for the boundary; all of them were taken to divide.
	TwoBoundaries = "MIME_TWO_BOUNDARIES"
	// NoBoundary: a multipart without the boundary parameter, or with an empty one.
	NoBoundary = "MIME_NO_BOUNDARY"
	// BoundarySpace: the boundary ends in white space (RFC 2046 section 5.1.1 forbids it).
	BoundarySpace = "MIME_BOUNDARY_SPACE"
	// BoundaryLong: the boundary is over 70 characters (RFC 2046 section 5.1.1).
	BoundaryLong = "MIME_BOUNDARY_LONG"
	// BoundaryUnseen: no delimiter line of the multipart was met.
	BoundaryUnseen = "MIME_BOUNDARY_UNSEEN"
	// BoundaryReused: a multipart has the boundary of one around it; the outer one won.
	BoundaryReused = "MIME_BOUNDARY_REUSED"
	// BoundaryOrphan: a delimiter of a multipart that ended without it: the one around it
	// went on. Who looks at the inner one first sees a part there.
	BoundaryOrphan = "MIME_BOUNDARY_ORPHAN"
	// BoundaryPrefix: a line begins like a delimiter and goes on.
	BoundaryPrefix = "MIME_BOUNDARY_PREFIX"
	// PartAfterClose: a delimiter after the close delimiter; what follows was read as a part.
	PartAfterClose = "MIME_PART_AFTER_CLOSE"
	// NoClose: a multipart without its close delimiter.
	NoClose = "MIME_NO_CLOSE"
	// Preamble: text before the first delimiter, which mail programs do not show.
	Preamble = "MIME_PREAMBLE"
	// Epilogue: text after the close delimiter, which mail programs do not show.
	Epilogue = "MIME_EPILOGUE"

	// BadMediaType: the Content-Type is not type/subtype (RFC 2045 section 5.1).
	BadMediaType = "MIME_BAD_MEDIA_TYPE"
	// BoundarySyntax: the Content-Type of a multipart is not well-formed: which boundary a
	// reader takes out of it, if any, is anybody's guess.
	BoundarySyntax = "MIME_BOUNDARY_SYNTAX"
	// ParamConflict: one parameter with two values.
	ParamConflict = "MIME_PARAM_CONFLICT"
	// ParamGap: sections of a continued parameter are missing or doubled (RFC 2231 section 3).
	ParamGap = "MIME_PARAM_GAP"
	// ParamSyntax: a parameter that RFC 2045 section 5.1 does not allow.
	ParamSyntax = "MIME_PARAM_SYNTAX"
	// FilenameConflict: two file names with different extensions.
	FilenameConflict = "MIME_FILENAME_CONFLICT"
	// FilenameDiffers: two file names with one extension, such as an ASCII stand-in.
	FilenameDiffers = "MIME_FILENAME_DIFFERS"

	// UnknownEncoding: a Content-Transfer-Encoding nobody defined; read as it stands.
	UnknownEncoding = "MIME_UNKNOWN_ENCODING"
	// EncodingSyntax: more than one token in Content-Transfer-Encoding.
	EncodingSyntax = "MIME_ENCODING_SYNTAX"
	// EncodedContainer: an encoding on a multipart or message (RFC 2045 section 6.4).
	EncodedContainer = "MIME_ENCODED_CONTAINER"
	// Base64Junk: octets outside of the base64 alphabet; skipped.
	Base64Junk = "MIME_BASE64_JUNK"
	// Base64Streams: more base64 after the padding; all of it was decoded.
	Base64Streams = "MIME_BASE64_STREAMS"
	// Base64Truncated: the last group of base64 is incomplete.
	Base64Truncated = "MIME_BASE64_TRUNCATED"
	// QPInvalid: "=" without two hexadecimal digits; kept as it stands.
	QPInvalid = "MIME_QP_INVALID"
	// CharsetUnknown: the text's charset is not known; the octets were kept.
	CharsetUnknown = "MIME_CHARSET_UNKNOWN"
	// CharsetTrick: UTF-7, which no mail program should read any more and some do, or a
	// text that is not in the UTF-16 or UTF-8 that it claims: the same octets spell two texts.
	CharsetTrick = "MIME_CHARSET_TRICK"
	// CharsetInvalid: the text is not in its charset; the octets were kept.
	CharsetInvalid = "MIME_CHARSET_INVALID"

	// HeaderNoColon: a header line without a colon; skipped. Others end the header there.
	HeaderNoColon = "MIME_HEADER_NO_COLON"
	// HeaderCut: a delimiter ended the header before its blank line. Others read on.
	HeaderCut = "MIME_HEADER_CUT"
	// HeaderLeadingSpace: the header begins with a folded line; read as a field.
	HeaderLeadingSpace = "MIME_HEADER_LEADING_SPACE"
	// HeaderBadName: a field name with space, control or 8-bit characters; skipped.
	HeaderBadName = "MIME_HEADER_BAD_NAME"
	// SpaceBeforeColon: white space between name and colon (RFC 5322 section 4.5).
	SpaceBeforeColon = "MIME_SPACE_BEFORE_COLON"
	// BlankFold: a folded line of nothing but space (RFC 5322 section 4.2); others see the
	// end of the header.
	BlankFold = "MIME_BLANK_FOLD"
	// MboxLine: the message begins with the "From " line of a mailbox file (RFC 4155); skipped.
	MboxLine = "MIME_MBOX_LINE"
	// NUL: a NUL octet where RFC 5322 section 4 has none.
	NUL = "MIME_NUL"
	// BareCR: a CR without LF in a header.
	BareCR = "MIME_BARE_CR"

	// Partial: one piece of a message sent in pieces (RFC 2046 section 5.2.2).
	Partial = "MIME_PARTIAL"
	// ExternalBody: the content is elsewhere (RFC 2046 section 5.2.3).
	ExternalBody = "MIME_EXTERNAL_BODY"
	// UUEncode: a text carries uuencoded files; they were decoded into parts.
	UUEncode = "MIME_UUENCODE"
	// YEnc: a text carries files in yEnc; they were decoded into parts.
	YEnc = "MIME_YENC"
	// BinHex: a text carries files in BinHex 4.0 (RFC 1741); they were decoded into parts.
	BinHex = "MIME_BINHEX"
	// TNEF: winmail.dat; the scan worker opens it.
	TNEF = "MIME_TNEF"

	// LimitDepth: parts inside each other beyond Limits.Depth were not opened.
	LimitDepth = "MIME_LIMIT_DEPTH"
	// LimitParts: parts beyond Limits.Parts were not read.
	LimitParts = "MIME_LIMIT_PARTS"
	// LimitDecoded: containers that must be decoded first grow beyond the message's size.
	LimitDecoded = "MIME_LIMIT_DECODED"
	// LimitReadings: the readings of the message are more, or larger, than what is handed
	// to the scanners.
	LimitReadings = "MIME_LIMIT_READINGS"
	// LimitHeader: fields beyond Limits.HeaderSize or HeaderFields were not read.
	LimitHeader = "MIME_LIMIT_HEADER"

	// AddressSyntax: an address list that RFC 5322 section 3.4 does not allow.
	AddressSyntax = "ADDRESS_SYNTAX"
	// AddressGroup: a group, "name: a, b;" (RFC 5322 section 3.4).
	AddressGroup = "ADDRESS_GROUP"
	// AddressRoute: a source route, "<@a,@b:c@d>" (RFC 5322 section 4.4).
	AddressRoute = "ADDRESS_ROUTE"
	// AddressLimit: the rest of a very long list was not read.
	AddressLimit = "ADDRESS_LIMIT"
	// AddressEncoded: an encoded word inside an address (RFC 2047 section 5 forbids it).
	AddressEncoded = "ADDRESS_ENCODED"
)

// Conflict tells whether the code names a place where two readers may see two
// different messages, or content that nobody here has read.
func Conflict(code string) bool {
	switch code {
	case TwoContentTypes, TwoEncodings, TwoDispositions, TwoBoundaries, NoBoundary, BoundarySpace,
		BoundaryLong, BoundaryUnseen, BoundaryReused, BoundaryOrphan, BoundaryPrefix, BoundarySyntax, PartAfterClose,
		BadMediaType, ParamConflict, ParamGap, CharsetTrick, FilenameConflict,
		UnknownEncoding, EncodingSyntax, EncodedContainer, Base64Junk, Base64Streams,
		HeaderNoColon, HeaderCut, HeaderLeadingSpace, HeaderBadName, SpaceBeforeColon, BlankFold, NUL, BareCR,
		Partial, ExternalBody:
		return true
	}
	return false
}

// Limit tells whether the code says that a limit was hit.
func Limit(code string) bool {
	return code == LimitDepth || code == LimitParts || code == LimitDecoded || code == LimitReadings || code == LimitHeader
}

package msg

// Text is the message as its reader sees it: transfer encodings and character sets
// decoded, HTML laid out as lines, Unicode in NFC. Every view is bounded; Cut says that
// there was more. It is untrusted text.
type Text struct {
	Subject string // decoded
	Body    string // what is shown of all text parts, in order
	Hidden  string // what stands in the text parts and is not shown
	Folded  string // subject, line feed, body: lower case, invisible characters out, tone marks placed one way, look-alike letters and spread words as they are read
	Bare    string // Folded without Vietnamese marks
	Charset string // how the body was read when that is not what it declares, such as "tcvn3"; ""
	Cut     bool

	Images  int      // pictures in the pages
	Unseen  int      // characters without width behind a letter, in subject and body
	Turned  int      // characters that turn the direction of writing round
	Mixed   []string // words of letters of two scripts, the first few
	Swapped []string // words with digits or signs in the place of letters, "ng4n": the first few, each once
}

package stamp

const (
	foldAt  = 77  // RFC 5322 section 2.1.1 asks for 78; a semicolon may follow
	maxWord = 512 // of one word, which cannot be folded: no line comes near 998
)

// field appends one header field to b and folds it between words.
type field struct {
	b    []byte
	line int // length of the line so far
}

func newField(b []byte, name string) *field {
	b = append(b, name...)
	b = append(b, ':')
	return &field{b: b, line: len(name) + 1}
}

// word appends a space and the word, or folds in front of it.
func (f *field) word(s string) {
	if f.line+1+len(s) > foldAt && f.line > 8 {
		f.fold()
	} else {
		f.b = append(f.b, ' ')
		f.line++
	}
	f.b = append(f.b, s...)
	f.line += len(s)
}

// more appends to the last word; s begins with a comma, behind which it may fold.
func (f *field) more(s string) {
	if f.line+len(s) <= foldAt {
		f.b = append(f.b, s...)
		f.line += len(s)
		return
	}
	f.b = append(f.b, ',')
	f.fold()
	f.b = append(f.b, s[1:]...)
	f.line += len(s) - 1
}

// fold begins a new line; the tab belongs to the value (RFC 5322 section 2.2.3).
func (f *field) fold() {
	f.b = append(f.b, "\r\n\t"...)
	f.line = 8 // as wide as mail programs show it
}

func (f *field) end() []byte { return append(f.b, "\r\n"...) }

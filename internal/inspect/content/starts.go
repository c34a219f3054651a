package content

import (
	"regexp"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// starts finds an expression that begins with a digit or a sign by trying it only where one
// stands: a library that tries it everywhere takes a millisecond for the text of a letter.
// What it finds is what the expression finds.
type starts struct {
	first [256]bool      // octets that a match may begin with
	most  int            // octets of the longest match
	top   *regexp.Regexp // the expression, at the beginning of a text
	below *regexp.Regexp // and behind one character, which \b looks at
}

// maxMatch is the longest match that starts is for, in octets.
const maxMatch = 256

// newStarts returns nil where an expression may begin with a letter or a space, or is
// longer than that, or looks for the ends of lines or texts.
func newStarts(source string) (*starts, error) {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	s := &starts{}
	var ok bool
	if s.most, ok = longest(re); !ok || s.most > maxMatch {
		return nil, nil
	}
	if s.begin(re) || !s.rare() {
		return nil, nil
	}
	if s.top, err = regexp.Compile(`^(?:` + source + `)`); err != nil {
		return nil, err
	}
	s.below, err = regexp.Compile(`^(?s:.)(?:` + source + `)`)
	return s, err
}

// find is regexp.FindStringIndex.
func (s *starts) find(text string) []int {
	for i := 0; i < len(text); i++ {
		if !s.first[text[i]] {
			continue
		}
		end := min(len(text), i+s.most+utf8.UTFMax) // with the character behind
		if i == 0 {
			if at := s.top.FindStringIndex(text[:end]); at != nil {
				return at
			}
			continue
		}
		_, before := utf8.DecodeLastRuneInString(text[:i])
		if at := s.below.FindStringIndex(text[i-before : end]); at != nil {
			return []int{i, i - before + at[1]}
		}
	}
	return nil
}

// rare tells that text is not full of what a match may begin with.
func (s *starts) rare() bool {
	for b, yes := range s.first {
		if yes && (b >= 'a' && b <= 'z' || b == ' ' || b >= utf8.RuneSelf) {
			return false
		}
	}
	return true
}

// begin gathers the octets that a match may begin with, and tells whether it may be empty.
func (s *starts) begin(re *syntax.Regexp) (empty bool) {
	switch re.Op {
	case syntax.OpLiteral:
		s.rune(re.Rune[0], re.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			s.span(re.Rune[i], re.Rune[i+1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s.span(0, unicode.MaxRune)
	case syntax.OpCapture, syntax.OpPlus:
		return s.begin(re.Sub[0])
	case syntax.OpRepeat:
		return s.begin(re.Sub[0]) || re.Min == 0
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !s.begin(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			empty = s.begin(sub) || empty
		}
		return empty
	case syntax.OpStar, syntax.OpQuest:
		s.begin(re.Sub[0])
		return true
	case syntax.OpNoMatch:
	default: // \b and the like
		return true
	}
	return false
}

func (s *starts) rune(r rune, fold bool) {
	s.span(r, r)
	for f := unicode.SimpleFold(r); fold && f != r; f = unicode.SimpleFold(f) {
		s.span(f, f)
	}
}

// span adds a range of characters; beyond ASCII all octets are alike.
func (s *starts) span(from, to rune) {
	for r := from; r <= to && r < utf8.RuneSelf; r++ {
		s.first[r] = true
	}
	for b := utf8.RuneSelf; to >= utf8.RuneSelf && b < len(s.first); b++ {
		s.first[b] = true
	}
}

// longest is how many octets a match has at most; false when there is no bound, or it
// depends on where a line or the text ends.
func longest(re *syntax.Regexp) (n int, ok bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return utf8.UTFMax * len(re.Rune), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return utf8.UTFMax, true
	case syntax.OpEmptyMatch, syntax.OpNoMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return 0, true
	case syntax.OpCapture, syntax.OpQuest:
		return longest(re.Sub[0])
	case syntax.OpRepeat:
		n, ok = longest(re.Sub[0])
		return n * re.Max, ok && re.Max >= 0
	case syntax.OpConcat, syntax.OpAlternate:
		for _, sub := range re.Sub {
			one, good := longest(sub)
			if !good {
				return 0, false
			}
			if re.Op == syntax.OpConcat {
				n += one
			} else {
				n = max(n, one)
			}
		}
		return n, true
	}
	return 0, false
}

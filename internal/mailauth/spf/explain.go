package spf

import "context"

// maxExplanation bounds what the owner of a domain may say in our records.
const maxExplanation = 200

// explanation is what the owner of the domain says to who failed (RFC 7208 section
// 6.2). It is the word of a stranger: it goes into the reason, and trouble in
// getting it changes nothing.
func (e *evaluation) explanation(ctx context.Context, end outcome) string {
	if end.status != Fail || end.exp == "" {
		return ""
	}
	name := e.target(ctx, end.exp, end.domain)
	if !wellFormed(name) {
		return ""
	}
	txts, err := e.r.LookupTXT(ctx, name)
	if err != nil || len(txts) != 1 || !isExplanation(txts[0]) {
		return ""
	}
	return e.expand(ctx, txts[0], end.domain, inText)
}

// isExplanation follows explain-string: macro-strings and spaces.
func isExplanation(s string) bool {
	for i := 0; i < len(s); {
		switch {
		case s[i] == ' ':
			i++
		case s[i] == '%':
			_, size := readMacro(s[i:], inText)
			if size == 0 {
				return false
			}
			i += size
		case s[i] < ' ' || s[i] >= 0x7f:
			return false
		default:
			i++
		}
	}
	return true
}

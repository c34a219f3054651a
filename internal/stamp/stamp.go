// Package stamp writes the block of header fields that the gateway puts on top of a
// message, and leaves out of the message those that only we may write. Not one other
// octet of it changes, so a header block on top breaks no signature.
//
// Everything a client said (HELO, addresses, domains in results) is written so that
// it can neither end a line nor a comment.
package stamp

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"congthu/internal/msg"
)

// Input is what the block tells about one copy of a message.
type Input struct {
	Hostname string // who we are: "by" in Received and the authserv-id
	Message  *msg.Message
	Verdict  msg.Verdict
	To       []msg.Path // the recipients of this copy
	Stamped  time.Time

	Stripped []msg.Finding // what was taken out of this copy
	Opened   bool          // Message is what was encrypted in the one that came

	ReceivedSPF bool // write a Received-SPF field as well
}

// Block returns the header fields of ours, each line ended by CRLF, folded at 78
// characters where that is possible (RFC 5322 section 2.1.1).
func Block(in Input) []byte {
	var b []byte
	if in.ReceivedSPF {
		b = receivedSPF(b, in) // above Received (RFC 7208 section 9.1)
	}
	b = received(b, in)
	b = authenticationResults(b, in)
	b = spamStatus(b, in.Verdict)
	if in.Verdict.Spam() {
		b = append(b, "X-Spam-Flag: YES\r\n"...)
	}
	b = stripped(b, in.Stripped)
	if in.Opened && in.Message.Inside != nil {
		b = Decrypted(b, in.Message.Inside)
	}
	id := newField(b, idField)
	id.word(atom(in.Message.ID))
	return id.end()
}

// Divide divides a letter that bears our block into that, which its last field ends, and the
// message below. ok is false where there is no block.
func Divide(content []byte) (block, below []byte, ok bool) {
	for pos := 0; pos < len(content); {
		end := unitEnd(content, pos)
		if isBlank(content[pos:end]) {
			break
		}
		if bytes.HasPrefix(content[pos:], []byte(idField+":")) {
			return content[:end:end], content[end:], true
		}
		pos = end
	}
	return nil, content, false
}

// idField is the last field of the block.
const idField = "X-Congthu-Id"

// stripped says that this copy is not the one that was signed: the results above are
// those of the original, and whoever verifies again finds a body that has changed.
func stripped(b []byte, found []msg.Finding) []byte {
	if len(found) == 0 {
		return b
	}
	f := newField(b, "X-Congthu-Stripped")
	f.word("results=of-original;")
	f.word("types=" + atom(found[0].Type))
	for _, x := range found[1:] {
		f.more("," + atom(x.Type))
	}
	return f.end()
}

// Decrypted appends to a block that this copy came encrypted, by whose key it was opened and
// what became of its signature, which is not in it any more: nobody is to take it for a
// letter that came in the clear. The results above are those of the letter as it came.
func Decrypted(b []byte, in *msg.Inside) []byte {
	f := newField(b, "X-Congthu-Decrypted")
	f.word("results=of-original;")
	f.word("key=" + atom(in.By) + ";")
	sign := in.Sign
	if sign == "" {
		sign = "none"
	}
	f.word("signature=" + atom(sign))
	return f.end()
}

// spamStatus writes the field in the form that mail programs already filter by.
func spamStatus(b []byte, v msg.Verdict) []byte {
	f := newField(b, "X-Spam-Status")
	answer := "No,"
	if v.Spam() {
		answer = "Yes,"
	}
	f.word(answer)
	f.word("score=" + score(v))
	f.word("required=" + strconv.FormatFloat(v.Required, 'f', 1, 64))
	tests := symbols(v)
	f.word("tests=" + tests[0])
	for _, t := range tests[1:] {
		f.more("," + t)
	}
	return f.end()
}

// score has one digit, unless rounding would contradict the answer beside it.
func score(v msg.Verdict) string {
	rounded := math.Round(v.Score*10) / 10
	if v.Required > 0 && (rounded >= v.Required) != v.Spam() {
		return strconv.FormatFloat(v.Score, 'f', -1, 64)
	}
	if rounded == 0 {
		rounded = 0 // no "-0.0"
	}
	return strconv.FormatFloat(rounded, 'f', 1, 64)
}

// symbols are the names of what was counted, once each.
func symbols(v msg.Verdict) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range v.Counted {
		if s := atom(w.Symbol); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return []string{"none"}
	}
	return out
}

// atom keeps letters, digits and -._ of a word that should consist of nothing else.
func atom(s string) string {
	s = strings.Map(func(r rune) rune {
		if isAlnum(r) || r == '-' || r == '.' || r == '_' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), maxWord)]
}

func isAlnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

package stamp

import (
	"net/netip"
	"strings"

	"congthu/internal/msg"
)

// receivedSPF writes the field of RFC 7208 section 9.1, for programs behind us that know
// no Authentication-Results. It tells the result of the sender's identity; without one
// nothing is written.
func receivedSPF(b []byte, in Input) []byte {
	r, ok := resultOf(in.Message.Auth, "spf")
	if !ok {
		return b
	}
	utf8Allowed := in.Message.Envelope.SMTPUTF8
	f := newField(b, "Received-SPF")
	f.word(r.Status)
	if reason := clean(r.Reason, utf8Allowed); reason != "" {
		f.word("(" + comment(reason, utf8Allowed) + ")")
	}
	_, identity, _ := strings.Cut(r.Property, ".")
	pairs := [][2]string{
		{"receiver", atom(in.Hostname)},
		{"client-ip", clientIP(in.Message.Session.Remote.Addr())},
		{"envelope-from", in.Message.Envelope.From.Raw},
		{"helo", in.Message.Session.Helo},
		{"identity", identity},
	}
	first := true
	for _, p := range pairs {
		if p[1] == "" || len(p[1]) > maxWord/2 || !printable(p[1]) || !utf8Allowed && !isASCII(p[1]) {
			continue // as in Authentication-Results: what cannot be written safely is left out
		}
		if !first {
			f.b = append(f.b, ';')
			f.line++
		}
		first = false
		f.word(p[0] + "=" + quoteUnless(p[1], isDotAtom))
	}
	return f.end()
}

func clientIP(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// resultOf is the first result of a method that is told in words of RFC 8601.
func resultOf(auth []msg.AuthResult, method string) (msg.AuthResult, bool) {
	for _, r := range auth {
		if r.Method == method && isKeyword(r.Status) {
			return r, true
		}
	}
	return msg.AuthResult{}, false
}

package mimetree

import (
	"bytes"
	"encoding/base64"

	"congthu/internal/msg"
)

// decodeBody undoes the transfer encoding; what is wrong with it is noted on p.
func decodeBody(p *msg.Part, body []byte) []byte {
	n := notes(p.Ambiguities)
	var out []byte
	switch {
	case p.Encoding == "base64":
		out = decodeBase64(body, &n)
	case p.Encoding == "quoted-printable":
		out = decodeQP(body, &n)
	case isUU(p.Encoding):
		out = decodeWholeUU(body)
	default:
		return body
	}
	p.Ambiguities = n
	return out
}

// decodeBase64 decodes all there is, as mail programs do: junk is skipped, and after
// padding the next stream begins. Whole lines go through the standard decoder; from
// the first odd line on the slow reader takes over.
func decodeBase64(src []byte, n *notes) []byte {
	dst := make([]byte, base64.StdEncoding.DecodedLen(len(src))+3)
	done := 0
	for pos := 0; pos < len(src); {
		end := lineEnd(src, pos)
		line := chop(src[pos:end])
		if len(line)%4 != 0 || len(line) > 0 && line[len(line)-1] == '=' {
			return slowBase64(dst[:done], src[pos:], n)
		}
		k, err := base64.StdEncoding.Decode(dst[done:], line)
		if err != nil || k != len(line)/4*3 {
			return slowBase64(dst[:done], src[pos:], n)
		}
		done += k
		pos = end
	}
	return dst[:done]
}

// slowBase64 appends what it decodes to dst.
func slowBase64(dst, src []byte, n *notes) []byte {
	const pad, junk = 64, 66
	var acc uint32
	held, padded := 0, false
	for i, c := range src {
		v := base64Value(c)
		switch {
		case v < pad:
			if padded {
				n.addLine(Base64Streams, src[i:])
				padded = false
			}
			acc = acc<<6 | uint32(v)
			if held++; held == 4 {
				dst = append(dst, byte(acc>>16), byte(acc>>8), byte(acc))
				held = 0
			}
		case v == pad:
			if held == 1 || held == 0 && !padded {
				n.addLine(Base64Junk, src[i:])
			}
			dst = flush64(dst, acc, held)
			held, padded = 0, true
		case v == junk:
			n.addLine(Base64Junk, src[i:])
		}
	}
	if held > 0 {
		n.add(Base64Truncated, "")
	}
	return flush64(dst, acc, held)
}

// flush64 appends the octets of an incomplete group.
func flush64(dst []byte, acc uint32, held int) []byte {
	switch held {
	case 2:
		return append(dst, byte(acc>>4))
	case 3:
		return append(dst, byte(acc>>10), byte(acc>>2))
	}
	return dst
}

// base64Value returns 0 to 63, 64 for padding, 65 for white space, 66 for junk.
func base64Value(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	case c == '=':
		return 64
	case c == ' ', c == '\t', c == '\r', c == '\n':
		return 65
	}
	return 66
}

// decodeQP follows RFC 2045 section 6.7; "=" without digits is kept, as it warns readers to.
func decodeQP(src []byte, n *notes) []byte {
	dst := make([]byte, 0, len(src))
	for pos := 0; pos < len(src); {
		end := lineEnd(src, pos)
		line := chop(src[pos:end])
		eol := src[pos+len(line) : end]
		line = bytes.TrimRight(line, " \t") // added in transport: rule 3
		soft := false
		if body, ok := bytes.CutSuffix(line, []byte("=")); ok {
			line, soft = body, true
		}
		dst = appendQP(dst, line, n)
		if !soft {
			dst = append(dst, eol...)
		}
		pos = end
	}
	return dst
}

func appendQP(dst, line []byte, n *notes) []byte {
	for {
		i := bytes.IndexByte(line, '=')
		if i < 0 {
			return append(dst, line...)
		}
		dst = append(dst, line[:i]...)
		if i+2 < len(line) {
			if hi, lo := unhex(line[i+1]), unhex(line[i+2]); hi < 16 && lo < 16 {
				dst = append(dst, hi<<4|lo)
				line = line[i+3:]
				continue
			}
		}
		n.addLine(QPInvalid, line[i:])
		dst = append(dst, '=')
		line = line[i+1:]
	}
}

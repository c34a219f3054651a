package mimetree

import (
	"strings"
	"unicode/utf16"
)

func isUTF7Name(charset string) bool {
	switch charset {
	case "utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7", "x-unicode-2-0-utf-7":
		return true
	}
	return false
}

// decodeUTF7 follows RFC 2152, tolerantly: what is no shifted text stays as it is.
func decodeUTF7(s string) string {
	var out strings.Builder
	for {
		plus := strings.IndexByte(s, '+')
		if plus < 0 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:plus])
		s = s[plus+1:]
		end := 0
		for end < len(s) && base64Value(s[end]) < 64 {
			end++
		}
		shifted := s[:end]
		s = strings.TrimPrefix(s[end:], "-")
		if shifted == "" {
			out.WriteByte('+')
			continue
		}
		var n notes
		out.WriteString(utf16Text(slowBase64(nil, []byte(shifted), &n)))
	}
}

func utf16Text(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

package mimetree

import (
	"bytes"
	"strings"

	"congthu/internal/msg"
)

// cutYEnc decodes the yEnc file whose "=ybegin" line begins at pos (yEnc 1.3). Sizes
// and check sums are not believed: what is there is decoded up to "=yend".
func cutYEnc(src []byte, pos, _ int) (p *msg.Part, next int) {
	end := lineEnd(src, pos)
	_, name, _ := strings.Cut(string(chop(src[pos:end])), " name=")
	var data []byte
	for pos = end; pos < len(src); pos = end {
		end = lineEnd(src, pos)
		line := chop(src[pos:end])
		if bytes.HasPrefix(line, []byte("=yend")) {
			pos = end
			break
		}
		if bytes.HasPrefix(line, []byte("=ybegin ")) {
			break
		}
		if !bytes.HasPrefix(line, []byte("=ypart ")) {
			data = appendYEnc(data, line)
		}
	}
	return carriedFile("x-yenc", name, data), pos
}

func appendYEnc(dst, line []byte) []byte {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '=' && i+1 < len(line) {
			i++
			c = line[i] - 64
		}
		dst = append(dst, c-42)
	}
	return dst
}

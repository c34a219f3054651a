// Package rtfpack undoes the compression in which Outlook keeps the text of a letter
// (MS-OXRTFCP), in its items and in winmail.dat.
package rtfpack

import "encoding/binary"

// rtfDictionary is what the window holds before the first octet (MS-OXRTFCP section
// 2.1.3.1).
const rtfDictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` +
	"\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// Unpack undoes the compression of an RTF body (MS-OXRTFCP). It grows at most nine
// times: two octets stand for at most seventeen, of which one flag bit is shared. Not ok
// means that it was cut or is something else; what there is of it is returned.
func Unpack(b []byte) (out []byte, ok bool) {
	const head = 16
	if len(b) < head {
		return nil, false
	}
	body := b[head:]
	switch string(b[8:12]) {
	case "MELA":
		return body, true
	case "LZFu":
	default:
		return b, false
	}
	var window [4096]byte
	at := copy(window[:], rtfDictionary)
	put := func(c byte) {
		out = append(out, c)
		window[at&4095] = c
		at++
	}
	for len(body) > 0 {
		flags := body[0]
		body = body[1:]
		for bit := 0; bit < 8 && len(body) > 0; bit++ {
			if flags>>bit&1 == 0 {
				put(body[0])
				body = body[1:]
				continue
			}
			if len(body) < 2 {
				return out, false
			}
			token := int(binary.BigEndian.Uint16(body))
			body = body[2:]
			from := token >> 4
			if from == at&4095 {
				return out, true // the end
			}
			for i := range token&15 + 2 {
				put(window[(from+i)&4095])
			}
		}
	}
	return out, false
}

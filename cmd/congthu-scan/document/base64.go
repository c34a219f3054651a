package document

import (
	"bytes"
	"encoding/base64"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// shortest is the least of a Base64 text that is decoded, in characters; firm is the
// length of a line that another may follow.
const (
	shortest = 128
	firm     = 40
)

// run is a piece of a text that reads as Base64, with what stands between its lines
// left out.
type run struct {
	at   int
	text []byte
}

// carried decodes what a text carries in Base64.
func (r *reader) carried() {
	r.decodeRuns(plain(r.Data), func(int) string { return "" })
}

// decodeRuns hands out what each run decodes to: as a file when it is one by its octets
// or by its name, else as text for the rules.
func (r *reader) decodeRuns(text []byte, name func(at int) string) {
	const most = 1000
	n := 0
	eachRun(text, func(x run) bool {
		if n++; n > most {
			r.Remark(archive.Limit, "entries: over %d texts in Base64", most)
			return false
		}
		data := decodeBase64(x.text)
		return r.give(r.asObject(name(x.at), data))
	})
}

// asObject makes a file of octets that are one, and text of the others.
func (r *reader) asObject(name string, data []byte) Object {
	kind := sniff.Of(data)
	switch {
	case kind == sniff.Zip && name != "" && sniff.Extension(name) != "zip":
		name += ".zip" // edXML packs each file, and keeps the file's name
	case name == "" && !strong(kind) && !packedKind(kind) && !bytes.HasPrefix(data, []byte("ActiveMime")):
		return Object{Data: data, Text: true}
	}
	return Object{Name: name, Data: data}
}

// packedKind tells the archives whose signatures are long enough not to be chance.
func packedKind(k sniff.Kind) bool {
	return k == sniff.Rar || k == sniff.Seven || k == sniff.XZ || k == sniff.Cab || k == sniff.ISO || k == sniff.Gzip || k == sniff.OneNote || k == sniff.CHM
}

// eachRun finds the runs of Base64: long words, over lines and over the quotes and
// plus signs of a script. False ends it.
func eachRun(text []byte, take func(run) bool) {
	table := base64Table()
	for i := 0; i < len(text); {
		if !table[text[i]] {
			i++
			continue
		}
		end := wordEnd(text, i, &table)
		if end-i < firm {
			i = end
			continue
		}
		x := run{at: i, text: bytes.Clone(text[i:end])}
		for {
			next := between(text, end, &table)
			if next == 0 {
				break
			}
			stop := wordEnd(text, next, &table)
			x.text = append(x.text, text[next:stop]...)
			long := stop-next >= firm
			if end = stop; !long {
				break // the last line
			}
		}
		if i = end; len(x.text) >= shortest && !take(x) {
			return
		}
	}
}

func base64Table() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=") {
		table[c] = true
	}
	return table
}

func wordEnd(text []byte, at int, table *[256]bool) int {
	for at < len(text) && table[text[at]] {
		at++
	}
	return at
}

// between passes over what may stand between two lines of one text: line ends with
// spaces, or quotes with a plus or a comma. 0: it ends here.
func between(text []byte, at int, table *[256]bool) int {
	const most = 64
	begin, parts := at, false
	for at < len(text) && at-begin < most {
		switch c := text[at]; {
		case c == '\n' || c == '\r' || c == '"' || c == '\'' || c == '\\' || c == '`':
			parts = true
		case c == ' ' || c == '\t' || c == ',' || c == '&':
		case bytes.HasPrefix(text[at:], []byte("#13;")):
			parts = true
			at += 3
		case parts && c == '+' && at+1 < len(text) && !table[text[at+1]]: // a plus between quotes
		case parts && table[c]:
			return at
		default:
			return 0
		}
		at++
	}
	return 0
}

// decodeBase64 decodes either alphabet, with or without padding, as far as it goes.
func decodeBase64(text []byte) []byte {
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case '-':
			c = '+'
		case '_':
			c = '/'
		case '=', '\r', '\n', ' ', '\t':
			continue
		}
		clean = append(clean, c)
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean) // what came before a mistake is worth a look
	return out[:n]
}

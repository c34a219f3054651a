package document

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"io"

	"congthu/cmd/congthu-scan/archive"
)

// decode undoes the filters of a stream (ISO 32000-1, 7.4), one behind the other. What
// came out before an error is what readers show, and what is returned. The error says
// that the budget is spent.
func (p *pdf) decode(o pdfObject) ([]byte, error) {
	data := o.data
	if p.key != nil && !o.inner && o.top["Type"].text != "XRef" {
		data = p.key.open(o.number, o.generation, data, true)
	}
	filters := nameList(first(o.top, "Filter", "F"))
	const most = 10
	if len(filters) > most {
		p.Remark(archive.Limit, "depth: a stream with %d filters", len(filters))
		return data, nil
	}
	parms := first(o.top, "DecodeParms", "DP")
	for i, f := range filters {
		src := unfilter(f, data)
		if src == nil {
			return data, nil // a picture's, which holds no text
		}
		out, err := p.Read("stream", &forgiving{r: src})
		if err != nil {
			return out, err
		}
		if len(out) >= expandMost && f != "FlateDecode" && f != "Fl" {
			p.Remark(archive.Limit, "bytes: stream of object %d: %s", o.number, f)
		}
		if len(out) == 0 && len(bytes.TrimSpace(data)) > 0 {
			p.Remark(archive.Damaged, "stream of object %d: %s", o.number, f)
			return data, nil
		}
		data = unpredict(out, parm(parms, i))
	}
	return data, nil
}

// expandMost is how far the filters expand that are ours: a stream that goes on is
// remarked, for what is behind was not seen.
const expandMost = 64 << 20

func first(d dict, keys ...string) value {
	for _, k := range keys {
		if v, ok := d[k]; ok {
			return v
		}
	}
	return value{}
}

func nameList(v value) []string {
	if v.kind == isName {
		return []string{v.text}
	}
	var out []string
	for _, e := range v.list {
		if e.kind == isName {
			out = append(out, e.text)
		}
	}
	return out
}

func parm(v value, i int) dict {
	if v.kind == isArray && i < len(v.list) {
		return v.list[i].dict
	}
	return v.dict
}

func unfilter(name string, data []byte) io.Reader {
	switch name {
	case "FlateDecode", "Fl":
		return inflate(data)
	case "ASCIIHexDecode", "AHx":
		var n nibbles
		end := bytes.IndexByte(data, '>')
		if end < 0 {
			end = len(data)
		}
		for _, c := range data[:end] {
			n.digit(c)
		}
		if n.half {
			n.digit('0')
		}
		return bytes.NewReader(n.out)
	case "ASCII85Decode", "A85":
		data = bytes.TrimPrefix(bytes.TrimSpace(data), []byte("<~"))
		if end := bytes.IndexByte(data, '~'); end >= 0 {
			data = data[:end]
		}
		return ascii85.NewDecoder(bytes.NewReader(data))
	case "LZWDecode", "LZW":
		return newPDFLZW(data)
	case "RunLengthDecode", "RL":
		return bytes.NewReader(runLength(data))
	}
	return nil
}

// inflate reads zlib without its checksum, which readers do not mind, and raw deflate
// where there is no head.
func inflate(data []byte) io.Reader {
	data = bytes.TrimLeft(data, "\r\n")
	if len(data) >= 2 && data[0]&0xF == 8 && (int(data[0])<<8+int(data[1]))%31 == 0 {
		data = data[2:]
	}
	return flate.NewReader(bytes.NewReader(data))
}

// forgiving makes an end of an error: a stream that is cut is shown as far as it goes.
type forgiving struct{ r io.Reader }

func (f *forgiving) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

// newPDFLZW: the codes of PDF are those of TIFF, which change their width one code
// early; the standard library has the other kind. Streams in it are old and rare: they
// are expanded here.
func newPDFLZW(data []byte) io.Reader {
	const clearCode, endCode, most = 256, 257, expandMost
	var out []byte
	table := make([][]byte, 258, 4096)
	for i := range 256 {
		table[i] = []byte{byte(i)}
	}
	var previous []byte
	bits, have, width := 0, 0, 9
	for _, c := range data {
		bits, have = bits<<8|int(c), have+8
		for have >= width {
			code := bits >> (have - width) & (1<<width - 1)
			have -= width
			bits &= 1<<have - 1
			switch {
			case code == endCode || len(out) > most:
				return bytes.NewReader(out)
			case code == clearCode:
				table, previous, width = table[:258], nil, 9
				continue
			}
			var entry []byte
			switch {
			case code < len(table) && code != clearCode:
				entry = table[code]
			case code == len(table) && previous != nil:
				entry = append(previous[:len(previous):len(previous)], previous[0])
			default:
				return bytes.NewReader(out)
			}
			out = append(out, entry...)
			if previous != nil && len(table) < 4096 {
				table = append(table, append(previous[:len(previous):len(previous)], entry[0]))
			}
			previous = entry
			if n := len(table) + 1; n >= 1<<width && width < 12 {
				width++
			}
		}
	}
	return bytes.NewReader(out)
}

func runLength(data []byte) []byte {
	var out []byte
	for len(data) > 0 && len(out) < expandMost {
		n := int(data[0])
		data = data[1:]
		switch {
		case n == 128 || len(data) == 0:
			return out
		case n < 128:
			k := min(n+1, len(data))
			out, data = append(out, data[:k]...), data[k:]
		default:
			out, data = append(out, bytes.Repeat(data[:1], 257-n)...), data[1:]
		}
	}
	return out
}

// unpredict undoes the predictors of PNG (7.4.4.4), which stand before compression.
func unpredict(data []byte, d dict) []byte {
	if d["Predictor"].n < 10 {
		return data
	}
	or := func(v value, n int) int {
		if v.kind == isNumber && v.n > 0 && v.n < 1<<20 {
			return v.n
		}
		return n
	}
	colors, depth, columns := or(d["Colors"], 1), or(d["BitsPerComponent"], 8), or(d["Columns"], 1)
	step := max(1, colors*depth/8)
	row := (colors*depth*columns + 7) / 8
	if row <= 0 || row > len(data) {
		return data
	}
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for len(data) > 1 {
		kind, line := data[0], bytes.Clone(data[1:min(len(data), 1+row)])
		data = data[min(len(data), 1+row):]
		for i := range line {
			var left, corner byte
			if i >= step {
				left, corner = line[i-step], above[i-step]
			}
			line[i] += predicted(kind, left, above[i], corner)
		}
		out = append(out, line...)
		copy(above, line)
	}
	return out
}

func predicted(kind, left, up, corner byte) byte {
	switch kind {
	case 1:
		return left
	case 2:
		return up
	case 3:
		return byte((int(left) + int(up)) / 2)
	case 4:
		p := int(left) + int(up) - int(corner)
		a, b, c := abs(p-int(left)), abs(p-int(up)), abs(p-int(corner))
		switch {
		case a <= b && a <= c:
			return left
		case b <= c:
			return up
		}
		return corner
	}
	return 0
}

func abs(n int) int { return max(n, -n) }

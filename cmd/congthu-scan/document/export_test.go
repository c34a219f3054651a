package document

import (
	"io"

	"congthu/cmd/congthu-scan/archive"
)

// Expand undoes the compression of VBA.
var Expand = expand

// ModulePlaces reads the directory of a VBA project.
func ModulePlaces(dir []byte) map[string][]int {
	p := modulePlaces{}
	p.read(dir)
	return p
}

// OverLimit names the limit that a compound file is over.
var OverLimit = overLimit

// Unfilter undoes a filter of PDF and then a predictor.
func Unfilter(name string, data []byte, predictor, colors, depth, columns int) ([]byte, error) {
	r := unfilter(name, data)
	if r == nil {
		return nil, nil
	}
	out, err := io.ReadAll(io.LimitReader(&forgiving{r: r}, 1<<22))
	number := func(n int) value { return value{kind: isNumber, n: n} }
	return unpredict(out, dict{"Predictor": number(predictor), "Colors": number(colors), "BitsPerComponent": number(depth), "Columns": number(columns)}), err
}

// ReadStream reads a stream of a compound file as its program would.
func ReadStream(name string, data []byte, b *archive.Budget) Result {
	r := &reader{File: File{Name: "a.doc"}, Meter: b.Meter(len(data)), visit: func(Object) {}}
	s := stream{dir: "a", name: name, data: data}
	r.try(func(r *reader) {
		r.stream(s)
		r.outlook([]stream{s, {dir: "a", name: "__substg1.0_3707001F", data: data}, {dir: "a", name: "__substg1.0_37010102", data: data}})
		r.urlsIn("office", data)
	})
	r.result.Remarks = r.Remarks()
	return r.result
}

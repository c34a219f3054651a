package document

import (
	"bytes"
	"io"

	"golang.org/x/image/ccitt"

	"congthu/cmd/congthu-scan/picture"
)

// Unread is the symbol of a picture that was not looked at: a code in it was not read.
const Unread = "ATTACH_PICTURE_UNREAD"

// picture hands out an image (ISO 32000-1, 8.9.5): a JPEG file as such, others as rows of
// pixels. They are no part of the budget of octets, for a page of one colour is many times
// smaller than its pixels; the pictures of a message have a budget of their own.
func (p *pdf) picture(o pdfObject) {
	width, height := first(o.top, "Width", "W").n, first(o.top, "Height", "H").n
	data := o.data
	if p.key != nil && !o.inner {
		data = p.key.open(o.number, o.generation, data, true)
	}
	filters, parms := nameList(first(o.top, "Filter", "F")), first(o.top, "DecodeParms", "DP")
	for i, f := range filters {
		last := i == len(filters)-1
		switch {
		case last && (f == "DCTDecode" || f == "DCT"):
			p.visit(Object{Data: data, Picture: &picture.Raw{}})
			return
		case last && (f == "CCITTFaxDecode" || f == "CCF"):
			p.raw(width, height, 1, fax(data, parm(parms, i), width))
			return
		case last && unfilter(f, nil) != nil:
			bits := first(o.top, "BitsPerComponent", "BPC").n
			if first(o.top, "ImageMask", "IM").text == "true" {
				bits = 1
			}
			p.raw(width, height, bits, inflated(f, data, parm(parms, i)))
			return
		case unfilter(f, nil) == nil:
			p.reader.found(Unread, f)
			return
		}
		data, _ = io.ReadAll(io.LimitReader(&forgiving{r: unfilter(f, data)}, expandMost)) // forgiving: no error
	}
	p.raw(width, height, first(o.top, "BitsPerComponent", "BPC").n, func(int) []byte { return data })
}

func (p *pdf) raw(width, height, bits int, pixels func(int) []byte) {
	p.visit(Object{Picture: &picture.Raw{Width: width, Height: height, Bits: bits, Pixels: pixels}})
}

// inflated undoes the last filter, which makes the pixels.
func inflated(filter string, data []byte, parms dict) func(int) []byte {
	return func(most int) []byte {
		if parms["Predictor"].n >= 10 {
			most += most/2 + 1<<20 // an octet more a row
		}
		out, _ := io.ReadAll(io.LimitReader(&forgiving{r: unfilter(filter, data)}, int64(most))) // forgiving: no error
		return unpredict(out, parms)
	}
}

// fax undoes the compression of facsimile machines (7.4.6). The rows are as many as there
// are: the height of the image counts.
func fax(data []byte, parms dict, width int) func(int) []byte {
	if n := parms["Columns"].n; n > 0 {
		width = n
	}
	mode := ccitt.Group3
	if parms["K"].n < 0 {
		mode = ccitt.Group4
	}
	return func(most int) []byte {
		o := &ccitt.Options{Align: parms["EncodedByteAlign"].text == "true", Invert: parms["BlackIs1"].text != "true"}
		r := ccitt.NewReader(bytes.NewReader(data), ccitt.MSB, mode, width, ccitt.AutoDetectHeight, o)
		out, _ := io.ReadAll(io.LimitReader(&forgiving{r: r}, int64(most))) // forgiving: no error
		return out
	}
}

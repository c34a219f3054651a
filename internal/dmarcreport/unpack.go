package dmarcreport

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// Read reads a report out of a file of any of the kinds in which one comes: the
// document, gzip or zip, or a letter with one of these attached. It unpacks what a
// stranger has packed: call it in a process that may die.
func Read(data []byte) (*aggregate.Report, error) {
	doc, err := document(data)
	if err != nil {
		return nil, err
	}
	return aggregate.Parse(doc)
}

// document finds the XML document.
func document(data []byte) ([]byte, error) {
	if packed(data) || marked(data) {
		return unpack(data)
	}
	var found [][]byte
	mimetree.Parse(data, mimetree.DefaultLimits()).Walk(func(p *msg.Part) {
		if len(p.Children) == 0 && (packed(p.Decoded) || marked(p.Decoded)) && p.MediaType != "text/html" {
			found = append(found, p.Decoded)
		}
	})
	switch len(found) {
	case 0:
		return nil, malformed("trong đó không có báo cáo", "there is no report in it")
	case 1:
		return unpack(found[0])
	}
	return nil, malformed("thư kèm %d tệp; báo cáo chỉ là một tệp (RFC 9990 mục 3.4.1)", "the letter carries %d files; a report is one (RFC 9990 section 3.4.1)", len(found))
}

func packed(b []byte) bool { return isGzip(b) || isZip(b) }
func isGzip(b []byte) bool { return bytes.HasPrefix(b, []byte{0x1f, 0x8b}) }
func isZip(b []byte) bool  { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// marked tells whether data looks like an XML document.
func marked(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(b, []byte("<?xml")) || bytes.HasPrefix(b, []byte("<feedback"))
}

func unpack(data []byte) ([]byte, error) {
	switch {
	case isGzip(data):
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, malformed("gzip: %v", "gzip: %v", err)
		}
		return inflate(z)
	case isZip(data):
		return unzip(data)
	}
	return data, nil
}

func unzip(data []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, malformed("zip: %v", "zip: %v", err)
	}
	if len(z.File) != 1 {
		return nil, malformed("tệp nén chứa %d tệp; báo cáo chỉ là một", "the archive holds %d files; a report is one", len(z.File))
	}
	r, err := z.File[0].Open()
	if err != nil {
		return nil, malformed("zip: %v", "zip: %v", err)
	}
	defer r.Close()
	return inflate(r)
}

// inflate stops where a document would be too large, whatever the archive says of its
// size.
func inflate(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, aggregate.MaxDocument+1))
	if err != nil {
		return nil, malformed("giải nén: %v", "unpacking: %v", err)
	}
	if len(out) > aggregate.MaxDocument {
		return nil, malformed("giải nén ra lớn hơn %d octet", "unpacked it is larger than %d octets", aggregate.MaxDocument)
	}
	return bytes.TrimPrefix(out, []byte("\xef\xbb\xbf")), nil
}

func malformed(vi, en string, args ...any) error {
	return &aggregate.Malformed{What: lang.T(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))}
}

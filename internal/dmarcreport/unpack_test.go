package dmarcreport

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/mailauth/aggregate"
)

// report is a report of others about one of our domains.
func report(org, domain, id string, records ...aggregate.Record) *aggregate.Report {
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	return &aggregate.Report{
		Org: org, Email: "r@" + org, ID: id, Begin: begin, End: begin.Add(24*time.Hour - time.Second),
		Policy: aggregate.Policy{Domain: domain, P: "reject"}, Records: records,
	}
}

func record(n int64, source, disposition, dkim, spf string) aggregate.Record {
	return aggregate.Record{Messages: n, Row: aggregate.Row{Source: source, Disposition: disposition, DKIM: dkim, SPF: spf, HeaderFrom: "gov.test"}}
}

func document1(t testing.TB) []byte {
	t.Helper()
	doc, err := report("reporter.test", "gov.test", "1", record(2, "192.0.2.1", "none", "pass", "fail")).XML()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	out, err := compressed(data, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zipped(t testing.TB, files ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for range files {
		w, err := z.Create("report.xml")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[0]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func letterWith(kind string, parts ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString("From: r@reporter.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n")
	for _, p := range parts {
		b.WriteString("--b\r\nContent-Type: " + kind + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(p) + "\r\n")
	}
	b.WriteString("--b--\r\n")
	return b.Bytes()
}

func TestReadsEveryKind(t *testing.T) {
	doc := document1(t)
	for name, data := range map[string][]byte{
		"document":               doc,
		"document with a mark":   append([]byte("\xef\xbb\xbf"), doc...),
		"gzip":                   gz(t, doc),
		"zip":                    zipped(t, doc),
		"letter with gzip":       letterWith("application/gzip", gz(t, doc)),
		"letter with zip":        letterWith("application/octet-stream; name=r.zip", zipped(t, doc)),
		"letter with a document": letterWith("text/xml", doc),
		"letter that is gzip":    []byte("From: r@reporter.test\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(gz(t, doc)) + "\r\n"),
	} {
		r, err := Read(data)
		if err != nil || r.Messages() != 2 || r.Org != "reporter.test" {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

func TestRefusesToUnpack(t *testing.T) {
	doc := document1(t)
	var bomb bytes.Buffer
	w, err := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	spoiled := gz(t, doc)
	spoiled[len(spoiled)-6] ^= 1 // the checksum
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"gzip bomb", bomb.Bytes(), "larger than"},
		{"zip bomb", zipped(t, make([]byte, 12<<20)), "larger than"},
		{"two in an archive", zipped(t, doc, doc), "holds 2 files"},
		{"an empty archive", zipped(t), "no report in it"},
		{"two in a letter", letterWith("application/gzip", gz(t, doc), gz(t, doc)), "carries 2 files"},
		{"none in a letter", letterWith("image/png", []byte("\x89PNG")), "no report in it"},
		{"checksum", spoiled, "unpacking"},
		{"cut off", gz(t, doc)[:40], "unpacking"},
		{"an archive in an archive", gz(t, gz(t, doc)), "illegal character"},
		{"a broken zip", []byte("PK\x03\x04 nonsense"), "zip"},
		{"nothing", nil, "no report in it"},
	} {
		_, err := Read(c.data)
		var m *aggregate.Malformed
		if !errors.As(err, &m) || !strings.Contains(err.Error(), c.want) || m.What.VI == "" {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever comes, reading ends with a report or a complaint, within its bounds.
func FuzzRead(f *testing.F) {
	doc := document1(f)
	for _, data := range [][]byte{doc, gz(f, doc), zipped(f, doc), letterWith("application/gzip", gz(f, doc)), []byte("PK\x03\x04")} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(data)
		if (r == nil) == (err == nil) {
			t.Fatalf("%v %v", r, err)
		}
		if err == nil && len(Condense(r).Records) > maxSources {
			t.Fatal("not condensed")
		}
	})
}

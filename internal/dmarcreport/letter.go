package dmarcreport

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/radix64"
)

// Identity is who the gateway reports as.
type Identity struct {
	Hostname string // of the gateway: the receiver in file names and subjects
	From     string // address of the letters; its domain should have SPF or DKIM for us
	Org      string
	Contact  string // where a reader may ask; may be ""
}

// attachment is a report ready to travel.
type attachment struct {
	report *aggregate.Report
	name   string
	gz     []byte
}

// attach packs a report. The name is that of RFC 9990 section 3.4.2.
func (id Identity) attach(r *aggregate.Report) (attachment, error) {
	doc, err := r.XML()
	if err != nil {
		return attachment{}, err
	}
	gz, err := compressed(doc, r.End)
	name := fmt.Sprintf("%s!%s!%d!%d!%s.xml.gz", id.Hostname, r.Policy.Domain, r.Begin.Unix(), r.End.Unix(), r.ID)
	return attachment{r, name, gz}, err
}

// letter writes the message that brings a report to one address. It says that no
// person sent it (RFC 3834), and its sender is an address of the identity rather than
// the null sender: a report must itself pass DMARC, and SPF knows that address's domain.
func (id Identity) letter(a attachment, to, messageID string, now time.Time) []byte {
	var b bytes.Buffer
	r, boundary := a.report, "=_"+messageID
	fmt.Fprintf(&b, "From: %s <%s>\r\nTo: <%s>\r\n", word2047(id.Org), id.From, to)
	fmt.Fprintf(&b, "Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s@%s>\r\n", r.Policy.Domain, id.Hostname, r.ID, id.Hostname)
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", now.Format(time.RFC1123Z), messageID, id.Hostname)
	fmt.Fprintf(&b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", boundary, lines64([]byte(summary(r))))
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/gzip\r\nContent-Disposition: attachment;\r\n filename=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", boundary, a.name, lines64(a.gz))
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

// summary is the part that a person can read.
func summary(r *aggregate.Report) string {
	return fmt.Sprintf("Báo cáo DMARC tổng hợp về %s, ngày %s (UTC): %d thư.\r\nDMARC aggregate report on %s, %s (UTC): %d message(s).\r\n",
		r.Policy.Domain, r.Begin.Format(time.DateOnly), r.Messages(), r.Policy.Domain, r.Begin.Format(time.DateOnly), r.Messages())
}

// word2047 is a display name that is one quoted string or encoded word.
func word2047(s string) string {
	s = lang.Safe(s, 100)
	if enc := mime.QEncoding.Encode("utf-8", s); enc != s {
		return strings.ReplaceAll(enc, "?= =?", "?=\r\n =?")
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// lines64 is a body in base64.
func lines64(data []byte) []byte { return radix64.AppendLines(nil, data, radix64.MIME, "\r\n") }

// compressed is the document as it travels (RFC 9990 section 3.4.1).
func compressed(doc []byte, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.ModTime = at
	if _, err := z.Write(doc); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

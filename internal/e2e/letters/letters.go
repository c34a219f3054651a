// Package letters makes the sample letters of testdata/messages and the attachments
// that test cases name. Everything in them is invented and inert: the domains end in
// .test, the only "virus" is the EICAR test string.
package letters

import (
	"bytes"
	"fmt"
	"strings"
)

// Letters returns the sample letters by file name. PGPSigned is made apart, since a
// signature differs each time.
func Letters() (map[string][]byte, error) {
	signed, err := dkimSigned(official("so-ca@bo-mau.test", "Văn phòng Bộ Mẫu", "van-thu@so-mau.gov.test", "1"))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"letter.eml":      official("van-thu@huyen-mau.test", "Văn thư Huyện Mẫu", "van-thu@so-mau.gov.test", "2"),
		"letter-dkim.eml": signed,
		"spoof.eml":       spoof(),
		"phish.eml":       phish(),
		"advert.eml":      advert(),
		"eicar.eml":       eicar(),
		"shortcut.eml":    shortcut(),
		"encrypt.eml":     official("van-thu@huyen-mau.test", "Văn thư Huyện Mẫu", "mat@so-mau.gov.test", "3"),
	}, nil
}

// sent is the Date of every letter.
const sent = "Mon, 16 Nov 2026 08:30:00 +0700"

// letter is a message in the making.
type letter struct {
	from, name, to, subject, id string
	extra                       []string
	parts                       []part
}

// part is one leaf; a nil encode keeps the text as it is.
type part struct {
	header []string
	body   []byte
}

func text(kind, s string) part {
	return part{
		header: []string{"Content-Type: text/" + kind + "; charset=utf-8", "Content-Transfer-Encoding: base64"},
		body:   lines64([]byte(strings.ReplaceAll(s, "\n", "\r\n"))),
	}
}

func file(mediaType, name string, data []byte) part {
	return part{
		header: []string{
			"Content-Type: " + mediaType + `; name="` + word(name) + `"`,
			"Content-Disposition: attachment;\r\n filename*=" + extended(name),
			"Content-Transfer-Encoding: base64",
		},
		body: lines64(data),
	}
}

// octets renders the letter as it goes over the wire.
func (l letter) octets() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n",
		word(l.name), l.from, l.to, word(l.subject), sent, l.id, domain(l.from))
	for _, x := range l.extra {
		b.WriteString(x + "\r\n")
	}
	if len(l.parts) == 1 {
		l.parts[0].write(&b)
		return b.Bytes()
	}
	boundary := "=_mau-" + l.id
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
	for _, p := range l.parts {
		b.WriteString("--" + boundary + "\r\n")
		p.write(&b)
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes()
}

func (p part) write(b *bytes.Buffer) {
	b.WriteString(strings.Join(p.header, "\r\n") + "\r\n\r\n")
	b.Write(p.body)
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

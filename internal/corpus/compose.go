package corpus

import (
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/netip"
	"strings"
	"time"
)

// letter makes the n-th letter of a text in a form. Everything but the form is the same
// in all forms: the seed is the name.
func (lib *library) letter(t text, n int, f Form) Letter {
	name := fmt.Sprintf("%s.%d", t.id, n)
	r := newRandom(name)
	s := pick(r, lib.of(t.From))
	fill := &filler{slots: lib.slots, own: t.slots, r: r, drawn: map[string]string{}}
	s.Address, s.Name = fill.fill(s.Address), fill.fill(s.Name)
	c := composer{text: t, form: f, r: r, sender: s, fill: fill, order: n}
	c.program = pick(r, s.Mailers)
	if len(t.Mailers) > 0 {
		c.program = pick(r, t.Mailers)
	}
	c.to = pick(r, []string{"van-thu", "can-bo", "chanh-van-phong", "ke-toan", "lanh-dao"}) + "@so-mau.tinh-mau.gov.vn"
	return Letter{
		Name: name, Topic: t.topic, Spam: t.spam, Set: t.set, Form: f,
		Client: netip.MustParseAddr(s.Client), Helo: s.Helo, From: s.Address, To: c.to, Inside: s.Inside,
		Raw: c.octets(),
	}
}

// composer makes the octets of one letter.
type composer struct {
	text     text
	form     Form
	r        *random
	sender   sender
	fill     *filler
	program  string
	to       string
	order    int
	boundary int // how many were given out
}

func (c *composer) octets() []byte {
	m := mailers()[c.program]
	subject, body := c.fill.fill(c.text.Subject), c.fill.fill(c.text.Text)
	name := c.sender.Name
	if c.text.Name != "" {
		name = c.fill.fill(c.text.Name)
	}
	top := c.content(m, body)
	field := map[string]string{
		"From":                      c.word(name) + " <" + c.sender.Address + ">",
		"To":                        "<" + c.to + ">",
		"Subject":                   c.word(subject),
		"Date":                      c.date(),
		"Message-ID":                m.messageID(c.r, domain(c.sender.Address)),
		"MIME-Version":              "1.0",
		"Reply-To":                  c.fill.fill(c.text.ReplyTo),
		"Content-Type":              top.kind,
		"Content-Transfer-Encoding": top.transfer,
	}
	if c.text.Reply {
		field["In-Reply-To"] = "<" + c.r.pattern("x24") + "@so-mau.tinh-mau.gov.vn>"
		field["References"] = field["In-Reply-To"]
	}
	var b strings.Builder
	for _, name := range strings.Fields(m.fields) {
		switch {
		case name == "Program" && m.program != "":
			b.WriteString(m.program + "\r\n")
		case name == "Extra":
			for _, x := range m.extra {
				key, value, _ := strings.Cut(x, ": ")
				b.WriteString(key + ": " + c.r.pattern(value) + "\r\n")
			}
		case field[name] != "":
			b.WriteString(name + ": " + field[name] + "\r\n")
		}
	}
	return []byte(c.received() + b.String() + "\r\n" + top.body)
}

// received is the line that the sender's own server left.
func (c *composer) received() string {
	return fmt.Sprintf("Received: from [10.%d.%d.%d] (unknown) by %s with ESMTPSA id %s;\r\n\t%s\r\n",
		c.r.below(200), c.r.below(200), 2+c.r.below(200), c.sender.Helo, c.r.pattern("X10"), c.date())
}

// date is in the hours of an office, in November 2026; it depends on the name alone, so
// that both places that ask get the same.
func (c *composer) date() string {
	r := newRandom(c.text.id + "/" + c.program)
	at := time.Date(2026, 11, 2+r.below(25), 7+r.below(10), r.below(60), (c.order*7)%60, 0, time.FixedZone("", 7*3600))
	return at.Format("Mon, 02 Jan 2006 15:04:05 -0700")
}

// word is a header's text: encoded words in the form's character set.
func (c *composer) word(s string) string {
	s = c.form.spell(s)
	if c.form == Spans || c.form == Broken {
		s = NFC.spell(s)
	}
	octets := string(c.form.encode(s))
	if ascii(octets) {
		return phrase(octets)
	}
	var out []string
	for len(octets) > 0 {
		n := cut(octets, 42, c.form.label() == "utf-8")
		out = append(out, "=?"+c.form.label()+"?B?"+base64.StdEncoding.EncodeToString([]byte(octets[:n]))+"?=")
		octets = octets[n:]
	}
	return strings.Join(out, "\r\n ")
}

// phrase quotes what is no run of atoms in RFC 5322, harmless in a subject as well.
func phrase(s string) string {
	if strings.ContainsAny(s, `,;:<>@()"`) && !strings.ContainsAny(s, "[]") && len(s) < 60 && strings.Contains(s, "@") {
		return `"` + strings.ReplaceAll(s, `"`, "'") + `"`
	}
	return s
}

// cut returns where to cut at most n octets off, in UTF-8 not within a letter.
func cut(s string, n int, utf8 bool) int {
	if len(s) <= n {
		return len(s)
	}
	for utf8 && s[n]&0xC0 == 0x80 {
		n--
	}
	return n
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || r < ' ' && r != '\t' })
}

// entity is a part in the making.
type entity struct{ kind, transfer, extra, body string }

// content is the body and the attachments.
func (c *composer) content(m mailer, body string) entity {
	var main entity
	plain := c.leaf(m, "plain", c.form.plain(body))
	page := c.leaf(m, "html", c.form.page(body))
	shape := m.shape
	if c.form == Spans || c.form == Broken || strings.Contains(body, "%%") || strings.Contains(body, "![") {
		shape = "html" // there is nothing to see of it in plain text
	}
	switch shape {
	case "plain":
		main = plain
	case "html":
		main = page
	default:
		main = c.multipart(m, "alternative", plain, page)
	}
	if len(c.text.Files) == 0 {
		return main
	}
	parts := []entity{main}
	for _, name := range c.text.Files {
		parts = append(parts, c.attachment(c.fill.fill(name)))
	}
	return c.multipart(m, "mixed", parts...)
}

func (c *composer) leaf(m mailer, subtype, s string) entity {
	octets := c.form.encode(s)
	e := entity{kind: "text/" + subtype + "; charset=" + c.form.label(), transfer: m.transfer}
	switch m.transfer {
	case "base64":
		e.body = wrapped(octets)
	case "quoted-printable":
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write([]byte(strings.ReplaceAll(string(octets), "\n", "\r\n")))
		_ = w.Close()
		e.body = b.String()
	default:
		e.body = strings.ReplaceAll(string(octets), "\n", "\r\n")
	}
	if !strings.HasSuffix(e.body, "\r\n") {
		e.body += "\r\n"
	}
	return e
}

func wrapped(octets []byte) string {
	s := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(octets), "\n", "\r\n")))
	return lines(s)
}

func lines(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s + "\r\n"
}

func (c *composer) multipart(m mailer, subtype string, parts ...entity) entity {
	c.boundary++
	boundary := fmt.Sprintf("%s_%d", c.r.pattern(m.boundary), c.boundary)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\nContent-Type: " + p.kind + "\r\n")
		if p.transfer != "" {
			b.WriteString("Content-Transfer-Encoding: " + p.transfer + "\r\n")
		}
		b.WriteString(p.extra + "\r\n" + p.body)
	}
	b.WriteString("--" + boundary + "--\r\n")
	return entity{kind: "multipart/" + subtype + ";\r\n\tboundary=\"" + boundary + "\"", body: b.String()}
}

// attachment is a small file of the kind that its name says. Names are decomposed where
// the letter is: Macs write them so.
func (c *composer) attachment(name string) entity {
	if c.form == NFD {
		name = NFD.spell(name)
	}
	kind, data := file(name)
	return entity{
		kind:     kind + "; name=\"" + mime.BEncoding.Encode("utf-8", name) + "\"",
		transfer: "base64",
		extra:    "Content-Disposition: attachment;\r\n " + strings.TrimPrefix(mime.FormatMediaType("a", map[string]string{"filename": name}), "a; ") + "\r\n",
		body:     lines(base64.StdEncoding.EncodeToString(data)),
	}
}

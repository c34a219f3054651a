package notice

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode/utf8"

	"congthu/internal/msg"
)

// Mail is a letter of the gateway on its way out.
type Mail struct {
	Name, From    string // who writes it
	To            msg.Path
	Subject, Body string
	ID            string // left side of its Message-ID
	Host          string // right side
	Reply         bool   // it answers a letter
	Answers       string // Message-ID of that letter; "": it has none that can be named
	Now           time.Time
}

// Octets writes it: plain text that survives every transport, and the marks that keep
// machines from answering it (RFC 3834 section 5; Exchange does not know that field, and
// has one of its own).
func (m Mail) Octets() []byte {
	kind := "auto-generated"
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s <%s>\r\nTo: <%s>\r\nSubject: %s\r\n", phrase(m.Name), m.From, m.To.Raw, words(strings.ToValidUTF8(m.Subject, "")))
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s.%d@%s>\r\n", m.Now.Format(time.RFC1123Z), m.ID, m.Now.UnixMilli(), m.Host)
	if m.Reply {
		kind = "auto-replied"
	}
	if m.Answers != "" { // RFC 3834 section 3.1.5
		fmt.Fprintf(&b, "In-Reply-To: %s\r\nReferences: %s\r\n", m.Answers, m.Answers)
	}
	fmt.Fprintf(&b, "Auto-Submitted: %s\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n", kind)
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(strings.ReplaceAll(strings.TrimRight(m.Body, "\n")+"\n", "\n", "\r\n"))) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// wordOctets is how much text stands in one encoded word, so that the line with the name of
// its field has no more than 76 characters (RFC 2047 section 2).
const wordOctets = 39

// words writes text as encoded words, one a line, unless it can stand as it is.
func words(s string) string {
	if len(s) <= 60 && ascii(s) && !strings.Contains(s, "=?") {
		return s
	}
	var out []string
	for s != "" {
		n := 0
		for i, r := range s {
			if i+utf8.RuneLen(r) > wordOctets {
				break
			}
			n = i + utf8.RuneLen(r)
		}
		out = append(out, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(out, "\r\n ")
}

// ascii tells printable ASCII.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// phrase is a display name that is one quoted string or encoded words.
func phrase(s string) string {
	s = strings.ToValidUTF8(s, "")
	if w := words(s); w != s {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// MessageID is that of a letter, if it is one that may stand in a field of ours; "" none.
func MessageID(root *msg.Part) string {
	if root == nil {
		return ""
	}
	id := strings.TrimSpace(root.Get("Message-ID"))
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || !strings.HasSuffix(id, ">") || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return id
}

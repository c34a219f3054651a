package learn

import (
	"math/bits"
	"strings"

	"congthu/internal/msg"
)

// shape reads how the letter is built. Values are seen only as patterns, and what a
// mailbox, a mailing list or a relay on the way adds is not seen at all: it would tell
// where the training letters were collected, and be taken for what they are.
func (e *emitter) shape(l Letter) {
	if l.Root == nil {
		return
	}
	e.fields(l.Root)
	e.parts(l.Root)
	if l.Text != nil {
		e.proportions(l.Text)
	}
}

func (e *emitter) fact(prefix, what string) { e.say(Shape, prefix, what) }

// facts is fact of strings in a row, which are put together only for who is to be told.
func (e *emitter) facts(prefix string, what ...string) {
	if e.named != nil {
		e.fact(prefix, strings.Join(what, ""))
		return
	}
	h := fnv(fnvStart, prefix)
	for _, s := range what {
		h = fnv(h, s)
	}
	e.add(Shape, mix(h))
}

// fields reads the names of the fields, their order, and the form of some.
func (e *emitter) fields(root *msg.Part) {
	last, n := "", 0
	for _, f := range root.Header {
		if n++; n > 200 {
			break
		}
		name := strings.ToLower(f.Name)
		if added(name) {
			continue
		}
		e.fact("field ", f.Name)
		e.fact("fields ", last+" "+f.Name)
		last = f.Name
		e.field(name, f.Value)
	}
	for _, name := range []string{"date", "from", "to", "subject", "message-id", "mime-version", "content-type", "user-agent", "x-mailer", "in-reply-to"} {
		if root.Get(name) == "" {
			e.fact("without ", name)
		}
	}
	e.pairs(root)
}

// added tells whether others than the author's program write a field.
func added(name string) bool {
	switch name {
	case "received", "return-path", "delivered-to", "x-original-to", "envelope-to", "errors-to", "sender", "precedence",
		"x-beenthere", "x-loop", "x-sender", "x-apparently-to", "x-rcpt-to", "status", "x-status", "x-uid", "x-keywords",
		"authentication-results", "dkim-signature", "domainkey-signature", "received-spf", "reply-to", "cc", "comment", "comments", "xref", "lines",
		"x-original-date", "old-return-path", "x-reply-to", "x-authentication-warning", "x-mime-autoconverted", "x-originalarrivaltime", "resent-from", "resent-to", "resent-date", "resent-message-id":
		return true
	}
	for _, p := range []string{"list-", "x-list", "x-mailman", "x-spam", "x-congthu", "arc-", "x-ms-", "x-google", "x-gm-", "x-received", "x-virus", "x-scanned", "x-pyzor", "x-egroups", "x-yahoo", "x-bogosity", "x-dcc", "x-amavis", "mailing-list", "x-no-archive", "x-gmane", "x-rav", "x-mailscanner", "x-envelope", "x-fw", "x-topica", "x-mdrcpt", "x-mdremote", "x-lyris", "x-unsent", "x-evolution", "x-mozilla", "x-url"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// field reads the form of one value.
func (e *emitter) field(name, v string) {
	switch name {
	case "subject":
		e.subject(v)
	case "from", "to":
		e.address(name, v)
	case "message-id", "date", "mime-version", "x-priority", "importance", "x-msmail-priority":
		e.fact(name+" ", pattern(v, 48))
	case "x-mailer", "user-agent":
		e.fact("mailer ", letters(v, 24))
	}
}

// pairs reads how two values go together.
func (e *emitter) pairs(root *msg.Part) {
	from, id := root.Get("from"), root.Get("message-id")
	if d := domain(from); d != "" && strings.Contains(strings.ToLower(id), base(d)) {
		e.fact("", "message-id of the sender's domain")
	}
	if r := root.Get("reply-to"); r != "" && domain(r) != domain(from) {
		e.fact("", "reply-to elsewhere")
	}
	if to := root.Get("to"); to != "" && domain(to) == domain(from) {
		e.fact("", "from the recipient's domain")
	}
}

func domain(address string) string {
	_, d, _ := strings.Cut(address[strings.LastIndexByte(address, '<')+1:], "@")
	return strings.ToLower(strings.TrimRight(d, "> \t"))
}

// base is the last two labels.
func base(d string) string {
	i := strings.LastIndexByte(d, '.')
	if i < 0 {
		return d
	}
	return d[strings.LastIndexByte(d[:i], '.')+1:]
}

func (e *emitter) address(name, v string) {
	display, addr, angle := strings.Cut(v, "<")
	if !angle {
		display, addr = "", v
	}
	e.fact(name+" as ", pattern(head(display, 12), 12)+size(len(display))+map[bool]string{true: "<", false: ""}[angle])
	local, _, _ := strings.Cut(addr, "@")
	e.fact(name+" local ", pattern(local, 12))
	e.fact(name+" many ", size(strings.Count(v, "@")))
	if d := domain(v); d != "" {
		e.fact(name+" top ", d[strings.LastIndexByte(d, '.')+1:])
	}
}

func (e *emitter) subject(v string) {
	var upper, lower, digits, odd int
	for i := range len(v) {
		switch b := v[i]; {
		case b >= 'A' && b <= 'Z':
			upper++
		case b >= 'a' && b <= 'z':
			lower++
		case b >= '0' && b <= '9':
			digits++
		case b >= 0x80:
			odd++
		}
	}
	e.fact("subject capitals ", size(10*upper/(upper+lower+1)))
	e.fact("subject digits ", size(digits))
	e.fact("subject length ", size(len(v)))
	if odd > 0 {
		e.fact("", "subject with raw 8-bit")
	}
	for _, s := range []string{"!", "?", "$", "%", "...", "   ", "\"", "[", "=?", ":", "*", "(", ", "} {
		if strings.Contains(v, s) {
			e.fact("subject with ", s)
		}
	}
	if len(v) > 3 && strings.EqualFold(v[:3], "re:") {
		e.fact("", "subject is a reply")
	}
	if i := strings.Index(v, "=?"); i >= 0 {
		cs, rest, _ := strings.Cut(v[i+2:], "?")
		e.fact("subject charset ", strings.ToLower(head(cs, 20))+" "+strings.ToLower(head(rest, 1)))
	}
}

// pattern writes a value as runs: a for letters, A for capitals, 0 for digits, the rest
// as it is.
func pattern(v string, limit int) string {
	out := make([]byte, 0, limit)
	for i := 0; i < len(v) && len(out) < limit; i++ {
		b := v[i]
		switch {
		case b >= 'a' && b <= 'z':
			b = 'a'
		case b >= 'A' && b <= 'Z':
			b = 'A'
		case b >= '0' && b <= '9':
			b = '0'
		case b >= 0x80:
			b = 'x'
		}
		if n := len(out); n > 0 && out[n-1] == b && b != '.' && b != '-' {
			continue
		}
		out = append(out, b)
	}
	return string(out)
}

// letters are the letters of a value, lower case: a program's name without its version.
func letters(v string, limit int) string {
	out := make([]byte, 0, limit)
	for i := 0; i < len(v) && len(out) < limit; i++ {
		if b := v[i] | 0x20; b >= 'a' && b <= 'z' {
			out = append(out, b)
		}
	}
	return string(out)
}

// size is a number's order of magnitude, in powers of two.
func size(n int) string { return string(rune('A' + bits.Len(uint(max(n, 0))))) }

// partLimit bounds how many parts are looked at.
const partLimit = 30

// parts reads types, encodings and markup.
func (e *emitter) parts(root *msg.Part) {
	n, left := 0, markupLimit
	root.Walk(func(p *msg.Part) {
		if n++; n > partLimit {
			return
		}
		e.fact("type ", p.MediaType)
		if p.Path != "0" && p.Path != "1" {
			e.fact("part ", p.Path+" "+p.MediaType)
		}
		if p.IsText() {
			e.fact("charset ", strings.ToLower(head(p.Params["charset"], 20)))
			e.fact("encoding ", p.MediaType+" "+p.Encoding)
			e.fact("disposition ", p.Disposition)
		}
		if b := p.Params["boundary"]; b != "" {
			e.fact("boundary ", pattern(b, 24))
		}
		if i := strings.LastIndexByte(p.Filename, '.'); i >= 0 {
			e.fact("file ", strings.ToLower(head(p.Filename[i:], 8)))
		}
		if p.MediaType == "text/html" {
			t := head(p.Text, left)
			left -= len(t)
			e.markup(t)
		}
		if p.IsText() {
			e.links(head(p.Text, markupLimit))
		}
	})
	e.fact("parts ", size(n))
}

func (e *emitter) proportions(t *msg.Text) {
	e.fact("body ", size(len(t.Body)))
	e.fact("hidden ", size(len(t.Hidden)))
	body := head(t.Body, wordLimit)
	var upper, lower, digits, bang, money, lines int
	for i := range len(body) {
		switch b := body[i]; {
		case b >= 'A' && b <= 'Z':
			upper++
		case b >= 'a' && b <= 'z':
			lower++
		case b >= '0' && b <= '9':
			digits++
		case b == '!':
			bang++
		case b == '$':
			money++
		case b == '\n':
			lines++
		}
	}
	e.fact("capitals ", size(40*upper/(upper+lower+1)))
	e.fact("digits ", size(40*digits/(len(body)+1)))
	e.fact("exclamations ", size(bang))
	e.fact("money ", size(money))
	e.fact("line length ", size(len(body)/(lines+1)))
	if i := strings.Index(body, "\n>"); i >= 0 {
		e.fact("", "quotes another letter")
	}
}

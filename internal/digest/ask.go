package digest

import (
	"strings"

	"golang.org/x/net/html"

	"congthu/internal/msg"
	"congthu/internal/text"
)

// Ask is one thing that a reply asks for.
type Ask struct {
	Delete bool // else: release
	Code   string
}

// Bounds of what is read of a reply.
const (
	maxAsks = 50
	maxRead = 2000
)

// Asks reads what the writer of a reply asks for: lines that begin with the word NHAN or
// RELEASE (or XOA, DELETE) and go on with codes. What is quoted asks for nothing, in any of
// the ways in which mail programs quote; and the digest itself, which many programs put
// unmarked below, has no line of that form. Each code counts once.
func Asks(root *msg.Part) []Ask {
	if a := asks(plainLines(root)); len(a) > 0 {
		return a
	}
	return asks(pageLines(root))
}

func asks(lines []string) (out []Ask) {
	seen := map[string]bool{}
	pending := "" // a verb alone, whose codes a program has wrapped to the next line
	for _, line := range lines[:min(len(lines), maxRead)] {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\u00a0,;", r) })
		switch {
		case len(words) == 0:
			continue
		case isVerb(words[0]):
			pending, words = verbOf(words[0]), words[1:]
		case !IsCode(trim(words[0])):
			pending = ""
		}
		if pending == "" || len(words) == 0 {
			continue
		}
		for _, w := range words {
			code := Tidy(trim(w))
			if !IsCode(code) {
				break // a word of thanks
			}
			if !seen[code] && len(out) < maxAsks {
				seen[code] = true
				out = append(out, Ask{Delete: pending == "delete", Code: code})
			}
		}
		pending = ""
	}
	return out
}

// trim takes off what people and programs put around a word.
func trim(w string) string { return strings.Trim(w, ".:!*_<>()[]\"'“”‘’`") }

var verbs = map[string]string{"nhan": "release", "release": "release", "xoa": "delete", "delete": "delete"}

// verbOf is the verb that a word is, whatever its case and marks; "" none.
func verbOf(word string) string {
	if len(word) > 40 {
		return ""
	}
	_, bare := text.Fold(trim(word))
	return verbs[strings.TrimSpace(bare)]
}

func isVerb(word string) bool { return verbOf(word) != "" }

// first returns the first leaf of the letter itself that want takes: not of a letter that
// is attached to it.
func first(p *msg.Part, want func(*msg.Part) bool) *msg.Part {
	if p == nil || p.Disposition == "attachment" || strings.HasPrefix(p.MediaType, "message/") {
		return nil
	}
	if p.IsText() && want(p) {
		return p
	}
	if !p.IsMultipart() {
		return nil
	}
	for _, c := range p.Children {
		if found := first(c, want); found != nil {
			return found
		}
	}
	return nil
}

func plainLines(root *msg.Part) []string {
	p := first(root, func(p *msg.Part) bool { return !text.IsHTML(p) })
	if p == nil {
		return nil
	}
	return own(strings.Split(strings.ReplaceAll(p.Text, "\r\n", "\n"), "\n"))
}

func pageLines(root *msg.Part) []string {
	p := first(root, text.IsHTML)
	if p == nil {
		return nil
	}
	t := text.Read(&msg.Part{MediaType: "text/html", Text: unquoted(p.Text)})
	return own(strings.Split(t.Body, "\n"))
}

// own leaves the lines that the writer wrote: those that are not marked as quoted, up to
// where a program says that all below is the other letter.
func own(lines []string) (out []string) {
	for _, line := range lines[:min(len(lines), maxRead)] {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "＞") {
			continue
		}
		if separator(line) {
			return out
		}
		out = append(out, line)
	}
	return out
}

// separator tells the lines below which Outlook and others put the other letter unmarked.
func separator(line string) bool {
	if len(line) > 200 {
		return false
	}
	if strings.Trim(line, "_") == "" && len(line) >= 10 {
		return true
	}
	if !strings.HasPrefix(line, "---") {
		return false
	}
	_, bare := text.Fold(strings.Trim(line, "- "))
	for _, s := range []string{"original message", "thu goc", "tin nhan goc", "forwarded", "chuyen tiep", "thong bao goc"} {
		if strings.Contains(bare, s) {
			return true
		}
	}
	return false
}

// quoteClasses are the elements in which programs put the other letter.
var quoteClasses = []string{"gmail_quote", "yahoo_quoted", "moz-cite-prefix", "divrplyfwdmsg", "appendonsend", "zmail_extra", "protonmail_quote"}

// unquoted is a page without what it quotes.
func unquoted(page string) string {
	z := html.NewTokenizer(strings.NewReader(page))
	z.SetMaxBuf(1 << 20)
	var b strings.Builder
	depth, tag := 0, "" // of elements called tag that are open inside of a quotation
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return b.String()
		}
		raw := string(z.Raw())
		token := html.Token{}
		if kind == html.StartTagToken || kind == html.EndTagToken {
			token = z.Token()
		}
		switch {
		case depth == 0 && kind == html.StartTagToken && quotes(token):
			if rest(token) {
				return b.String()
			}
			depth, tag = 1, token.Data
		case depth == 0:
			b.WriteString(raw)
		case kind == html.StartTagToken && token.Data == tag:
			depth++
		case kind == html.EndTagToken && token.Data == tag:
			if depth--; depth == 0 {
				b.WriteString("<br>")
			}
		}
	}
}

func quotes(t html.Token) bool { return t.Data == "blockquote" || rest(t) || marked(t, quoteClasses) }

// rest tells the element of Outlook behind which all is the other letter.
func rest(t html.Token) bool { return marked(t, []string{"divrplyfwdmsg", "appendonsend"}) }

func marked(t html.Token, names []string) bool {
	for _, a := range t.Attr {
		if a.Key != "class" && a.Key != "id" {
			continue
		}
		for _, name := range names {
			if strings.Contains(strings.ToLower(a.Val), name) {
				return true
			}
		}
	}
	return false
}

package document

import (
	"bytes"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// byText chooses among the formats that are text and have no signature of their own.
func byText(f File) []func(*reader) {
	head := bytes.TrimLeft(plain(f.Data[:min(len(f.Data), 4096)]), " \t\r\n")
	switch {
	case len(head) < 4, slices.Contains([]string{"eml", "mht", "mhtml"}, sniff.Extension(f.Name)):
		return nil // letters are opened as such
	case bytes.HasPrefix(head, []byte("ActiveMime")):
		return []func(*reader){(*reader).activeMime}
	case encodedScript(plain(f.Data)) != "":
		return []func(*reader){(*reader).script, (*reader).carried} // it ends in a zero octet
	case bytes.IndexByte(head, 0) >= 0:
		return nil // no text
	case bytes.HasPrefix(head, []byte("ID;P")):
		return []func(*reader){(*reader).sylk}
	case bytes.HasPrefix(bytes.ToLower(head), []byte("[internetshortcut]")):
		return []func(*reader){(*reader).internetShortcut}
	case bytes.HasPrefix(head, []byte("BEGIN:VCALENDAR")):
		return []func(*reader){(*reader).calendar}
	case head[0] == '<' && !f.Office:
		return []func(*reader){(*reader).xml, (*reader).script}
	case isLetter(head):
		return []func(*reader){(*reader).letter}
	case !f.Office:
		return []func(*reader){(*reader).formulas, (*reader).script, (*reader).carried}
	}
	return nil
}

// isLetter tells a web archive, or a document saved as one, that is not called so:
// Word opens it whatever its name.
func isLetter(head []byte) bool {
	lower := bytes.ToLower(head)
	return bytes.Contains(lower, []byte("mime-version:")) && bytes.Contains(lower, []byte("content-type:"))
}

func (r *reader) letter() {
	mimetree.Parse(r.Data, mimetree.DefaultLimits()).Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			if mimetree.Limit(a.Code) {
				r.Remark(archive.Limit, "mime: %s", a.Code)
			}
		}
		if p.Decoded != nil && len(p.Children) == 0 {
			r.give(Object{Name: p.Filename, Data: p.Decoded})
		}
	})
}

// activeMime reads how Word and Excel keep a compound file, macros and objects, inside
// of XML and web archives: a head of about 50 octets, then zlib.
func (r *reader) activeMime() {
	for at := 0x20; at < min(len(r.Data)-2, 0x200); at++ {
		if r.Data[at] != 0x78 || (int(r.Data[at])<<8+int(r.Data[at+1]))%31 != 0 {
			continue
		}
		data, err := r.Read("ActiveMime", &forgiving{r: inflate(r.Data[at:])})
		if len(data) > 8 {
			r.visit(Object{Name: "ActiveMime", Data: data})
			return
		}
		if err != nil {
			return
		}
	}
	r.Remark(archive.Damaged, "%s: ActiveMime", r.Name)
}

// sylk reads a symbolic link table, a text that Excel opens with its macros of Excel 4.
func (r *reader) sylk() {
	for line := range bytes.Lines(r.Data) {
		upper := bytes.ToUpper(line)
		switch {
		case bytes.HasPrefix(upper, []byte("O;")) && bytes.Contains(upper, []byte(";E")):
			r.found(sniff.Macro, "SYLK")
		case bytes.HasPrefix(upper, []byte("NN;")) && bytes.Contains(upper, []byte("NAUTO_")):
			r.found(sniff.Macro, "SYLK")
			r.found(Autorun, "Auto_Open")
		}
	}
	r.formulas()
}

// formulas finds cells that start a program: =cmd|'/c calc'!A0, as spreadsheets read
// them from any text.
func (r *reader) formulas() {
	text := plain(r.Data)
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte("|'"))
		if i < 0 {
			return
		}
		at += i + 2
		service := wordBefore(text, at-2)
		begin := at - 2 - len(service)
		rest := text[at:min(len(text), at+1000)]
		end := bytes.Index(rest, []byte("'!"))
		if end > 0 && begin > 0 && bytes.IndexByte([]byte("=+-@(,"), text[begin-1]) >= 0 && program(service) {
			r.found(DDE, service+" "+string(rest[:end]))
			return
		}
	}
}

func wordBefore(text []byte, end int) string {
	begin := end
	for begin > 0 && end-begin < 60 && (letter(text[begin-1]|0x20) || bytes.IndexByte([]byte(`.\:`), text[begin-1]) >= 0) {
		begin--
	}
	return string(text[begin:end])
}

// script knows the scripts of Windows by what they begin with, whatever they are called.
func (r *reader) script() {
	if text := encodedScript(plain(r.Data)); text != "" {
		r.found(sniff.ScriptFile, text)
		r.found(Encoded, text)
		return
	}
	head := bytes.ToLower(plain(r.Data[:min(len(r.Data), 16<<10)]))
	for _, mark := range []string{"#@~^", "<hta:application", "<scriptlet", "<job", "<registration", "windows registry editor version", "createobject(\"wscript.shell\")"} {
		if bytes.Contains(head, []byte(mark)) {
			if mark == "<job" && !bytes.Contains(head, []byte("<script")) {
				continue
			}
			r.found(sniff.ScriptFile, mark)
			return
		}
	}
}

// encodedScript finds the head of a script that Windows' script encoder has made
// unreadable (VBScript.Encode, JScript.Encode), in a file of its own or on a page: a mark,
// then its length in eight characters of Base64. What it says is not decoded here; who
// encodes a script that is sent by mail does not want it to be read.
func encodedScript(text []byte) string {
	const mark, size = "#@~^", 8
	for {
		at := bytes.Index(text, []byte(mark))
		if at < 0 || len(text) < at+len(mark)+size {
			return ""
		}
		text = text[at+len(mark):]
		if digits, ok := bytes.CutSuffix(text[:size], []byte("==")); ok && isBase64(digits) {
			return mark + string(text[:size])
		}
	}
}

func isBase64(b []byte) bool {
	for _, c := range b {
		if !(letter(c|0x20) && c < 0x80 && c != '_' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// internetShortcut reads where a file .url leads to: a click on it is one on the link.
func (r *reader) internetShortcut() {
	for line := range bytes.Lines(plain(r.Data)) {
		key, target, _ := bytes.Cut(line, []byte("="))
		if strings.EqualFold(strings.TrimSpace(string(key)), "URL") {
			r.link("shortcut", string(target))
		}
	}
}

// calendar reads an appointment (RFC 5545): the files attached to it, and where it
// leads to.
func (r *reader) calendar() {
	text := string(plain(r.Data))
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n ", "\n\t"} {
		text = strings.ReplaceAll(text, fold, "")
	}
	for line := range strings.Lines(text) {
		head, body, ok := cutValue(strings.TrimRight(line, "\r\n"))
		if !ok {
			continue
		}
		upper := strings.ToUpper(head)
		switch {
		case strings.HasPrefix(upper, "ATTACH") && strings.Contains(upper, "BASE64"):
			if !r.give(Object{Name: parameter(head, "FILENAME"), Data: decodeBase64([]byte(body))}) {
				return
			}
		case (strings.HasPrefix(upper, "ATTACH") || strings.HasPrefix(upper, "URL")) && web(body):
			r.link("calendar", body)
		default:
			r.urlsIn("calendar", []byte(strings.ReplaceAll(body, `\n`, "\n"))) // programs make links of them
		}
	}
}

// cutValue divides a line at the colon that is not inside quotes.
func cutValue(line string) (head, body string, ok bool) {
	inside := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			inside = !inside
		case line[i] == ':' && !inside:
			return line[:i], line[i+1:], true
		}
	}
	return "", "", false
}

// parameter finds X-FILENAME=, X-APPLE-FILENAME=, FILENAME=.
func parameter(head, name string) string {
	for _, p := range strings.Split(head, ";") {
		key, v, _ := strings.Cut(p, "=")
		if strings.HasSuffix(strings.ToUpper(key), name) {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

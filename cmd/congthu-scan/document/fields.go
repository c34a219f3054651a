package document

import (
	"bytes"
	"strconv"
	"strings"
)

// wordFields returns the instructions of the fields of a WordprocessingML part, put
// together from their runs: fldChar begin, instrText…, fldChar separate or end
// (ECMA-376 part 1, 17.16). A QUOTE within gives its characters to the field around it.
func wordFields(text []byte) []string {
	const most, deepest = 5000, 100
	var out []string
	var open []*strings.Builder
	for _, e := range elements(text, "instrText", "fldChar", "fldSimple", "delInstrText") {
		if len(out) >= most {
			break
		}
		switch {
		case e.name == "fldSimple":
			out = append(out, e.attribute("instr"))
		case e.name == "fldChar" && e.attribute("fldCharType") == "begin":
			if len(open) < deepest {
				open = append(open, &strings.Builder{})
			}
		case e.name == "fldChar" && e.attribute("fldCharType") == "end" && len(open) > 0:
			instruction := quoted(open[len(open)-1].String())
			open = open[:len(open)-1]
			if out = append(out, instruction); len(open) > 0 {
				open[len(open)-1].WriteString(instruction)
			}
		case e.name == "instrText" || e.name == "delInstrText":
			if len(open) == 0 {
				open = append(open, &strings.Builder{}) // a run out of place is shown by some readers
			}
			open[len(open)-1].WriteString(e.text)
		}
	}
	for _, b := range open {
		out = append(out, b.String())
	}
	return out
}

// quoted gives what a field QUOTE with numbers stands for; any other field as it is.
func quoted(instruction string) string {
	words := strings.Fields(instruction)
	if len(words) < 2 || !strings.EqualFold(words[0], "QUOTE") {
		return instruction
	}
	var b strings.Builder
	for _, w := range words[1:] {
		n, err := strconv.ParseUint(w, 0, 8)
		if err != nil {
			return strings.Trim(strings.Join(words[1:], " "), `"`)
		}
		b.WriteByte(byte(n))
	}
	return b.String()
}

// element is a start tag of XML, as far as it is needed here.
type element struct {
	name  string // without its prefix
	inner string // between the name and the end of the tag
	text  string // what follows up to the next tag
	at    int    // where it stands
}

// elements finds the elements of these names, whatever their prefix, without building
// a tree and without a parser's opinion of what is well-formed.
func elements(text []byte, names ...string) []element {
	const most = 200000
	var out []element
	whole := len(text)
	for len(out) < most {
		at := bytes.IndexByte(text, '<')
		if at < 0 {
			break
		}
		text = text[at+1:]
		name := tagName(text)
		local := name[bytes.LastIndexByte(name, ':')+1:]
		if !oneOf(local, names) {
			continue
		}
		end := tagEnd(text)
		rest := text[min(end+1, len(text)):]
		next := bytes.IndexByte(rest, '<')
		if next < 0 {
			next = len(rest)
		}
		e := element{name: string(local), inner: string(text[len(name):end]), at: whole - len(text)}
		if !strings.HasSuffix(e.inner, "/") {
			e.text = unescape(string(rest[:next]))
		}
		out = append(out, e)
		text = rest
	}
	return out
}

func oneOf(name []byte, names []string) bool {
	for _, n := range names {
		if string(name) == n {
			return true
		}
	}
	return false
}

func tagName(text []byte) []byte {
	const longest = 200
	n := bytes.IndexAny(text[:min(len(text), longest)], " \t\r\n/>")
	if n < 0 {
		return nil
	}
	return text[:n]
}

// tagEnd is the place of the tag's ">", which is none inside quotes.
func tagEnd(text []byte) int {
	quote := byte(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return len(text)
}

// attribute returns the value of an attribute, whatever its prefix; "" for none.
func (e element) attribute(name string) string {
	rest := e.inner
	for {
		eq := strings.IndexByte(rest, '=')
		if eq < 0 {
			return ""
		}
		key := strings.TrimSpace(rest[:eq])
		key = key[strings.LastIndexAny(key, " \t\r\n:")+1:]
		rest = strings.TrimLeft(rest[eq+1:], " \t\r\n")
		if rest == "" {
			return ""
		}
		value, after := "", ""
		if q := rest[0]; q == '"' || q == '\'' {
			value, after, _ = strings.Cut(rest[1:], string(q))
		} else {
			value, after, _ = strings.Cut(rest, " ")
		}
		if key == name {
			return unescape(value)
		}
		rest = after
	}
}

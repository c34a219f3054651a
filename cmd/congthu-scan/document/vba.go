package document

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
)

// vba reads the VBA projects among the streams of a compound file: a storage with a
// stream "dir" that says where in each module's stream its text begins (MS-OVBA 2.3.4).
// Of several such streams in one storage each may be right.
func (r *reader) vba(streams []stream) {
	projects := map[string]modulePlaces{}
	for _, dir := range streams {
		if !strings.EqualFold(dir.name, "dir") || !strings.EqualFold(path.Base(dir.dir), "VBA") {
			continue
		}
		r.found(sniff.Macro, "VBA")
		if projects[dir.dir] == nil {
			projects[dir.dir] = modulePlaces{}
		}
		projects[dir.dir].read(r.expanded(dir.path(), dir.data))
	}
	for _, s := range streams {
		places, ok := projects[s.dir]
		if ok && !vbaOther(s.name) && !r.module(s, places) {
			return
		}
	}
}

// vbaOther tells the streams beside the modules: caches, and the project's own.
func vbaOther(name string) bool {
	return strings.EqualFold(name, "dir") || strings.EqualFold(name, "_VBA_PROJECT") || strings.HasPrefix(name, "__SRP_") || strings.HasPrefix(name, "SRP_")
}

// module hands out the text of a module. False: the budget is spent.
func (r *reader) module(s stream, places modulePlaces) bool {
	texts := r.moduleTexts(s, places)
	if len(texts) == 0 {
		r.Remark(archive.Damaged, "VBA module %s has no text", s.name) // p-code alone, or not ours to read
	}
	for _, text := range texts {
		r.basic(string(text))
		if !r.give(Object{Name: s.name + ".bas", Data: text, Text: true}) {
			return false
		}
	}
	return true
}

// moduleTexts decompresses from where the directory says, and if that is no module's
// text, from where a module's usual first words are.
func (r *reader) moduleTexts(s stream, places modulePlaces) (texts [][]byte) {
	for _, at := range places[strings.ToLower(s.name)] {
		if at < len(s.data) {
			if text := r.expanded(s.path(), s.data[at:]); len(text) > 0 {
				texts = append(texts, text)
			}
		}
	}
	// signature, chunk head, a flag octet of eight literals: "Attribut"
	if at := bytes.Index(s.data, []byte("\x00Attribut")); len(texts) == 0 && at >= 3 && s.data[at-3] == 1 {
		if text := r.expanded(s.path(), s.data[at-3:]); len(text) > 0 {
			texts = append(texts, text)
		}
	}
	return texts
}

// expanded decompresses and keeps what came out before an error: the rest is random
// octets where a stream is padded.
func (r *reader) expanded(name string, data []byte) []byte {
	out, _ := expand(data, 16<<20)
	if err := r.Count(name, len(out)); err != nil {
		return nil
	}
	return out
}

// modulePlaces are the offsets of the text in the stream of each module, by the stream's
// name in lower case.
type modulePlaces map[string][]int

// add notes an offset; more than a few for one module are no project.
func (p modulePlaces) add(name string, at int) {
	const most = 4
	if len(p[name]) < most && !slices.Contains(p[name], at) {
		p[name] = append(p[name], at)
	}
}

// read reads the directory of a project (MS-OVBA 2.3.4.2.3).
func (p modulePlaces) read(dir []byte) {
	const streamName, streamNameWide, offset, projectVersion = 0x1A, 0x32, 0x31, 0x09
	names := []string{}
	for len(dir) >= 6 {
		id, size := binary.LittleEndian.Uint16(dir), int(binary.LittleEndian.Uint32(dir[2:]))
		if dir = dir[6:]; id == projectVersion {
			size = 6 // its length field says 4
		}
		if size < 0 || size > len(dir) {
			break
		}
		switch body := dir[:size]; id {
		case streamName:
			names = []string{strings.ToLower(string(body))}
		case streamNameWide:
			if len(names) < 2 { // there is one: without end they would be read anew for each offset
				names = append(names, strings.ToLower(utf16String(body)))
			}
		case offset:
			if size == 4 {
				for _, n := range names {
					p.add(n, int(binary.LittleEndian.Uint32(body)))
				}
			}
		}
		dir = dir[size:]
	}
}

var errCompressed = errors.New("document: not compressed as MS-OVBA says")

// expand undoes the compression of VBA (MS-OVBA 2.4.1): chunks of at most 4096 octets,
// each tokens in groups of eight behind a flag octet. most bounds the octets out.
func expand(d []byte, most int) ([]byte, error) {
	if len(d) < 3 || d[0] != 1 {
		return nil, errCompressed
	}
	var out []byte
	for d = d[1:]; len(d) >= 2 && len(out) < most; {
		head := binary.LittleEndian.Uint16(d)
		if head>>12&7 != 3 {
			return out, errCompressed
		}
		size := min(int(head&0xFFF)+3, len(d))
		body := d[2:size]
		if head&0x8000 == 0 { // stored
			out = append(out, body...)
		} else {
			chunk, err := expandChunk(body)
			if out = append(out, chunk...); err != nil {
				return out, err
			}
		}
		d = d[size:]
	}
	return out, nil
}

func expandChunk(d []byte) ([]byte, error) {
	const chunk = 4096
	out := make([]byte, 0, chunk)
	for len(d) > 0 {
		flags := d[0]
		d = d[1:]
		for bit := 0; bit < 8 && len(d) > 0; bit++ {
			if len(out) >= chunk {
				return out, errCompressed
			}
			if flags>>bit&1 == 0 {
				out = append(out, d[0])
				d = d[1:]
				continue
			}
			if len(d) < 2 {
				return out, errCompressed
			}
			var ok bool
			if out, ok = copyToken(out, binary.LittleEndian.Uint16(d), chunk); !ok {
				return out, errCompressed
			}
			d = d[2:]
		}
	}
	return out, nil
}

// copyToken repeats octets of the chunk (MS-OVBA 2.4.1.3.19): the more there are, the
// more bits tell how far back.
func copyToken(out []byte, token uint16, most int) ([]byte, bool) {
	bits := 4
	for 1<<bits < len(out) {
		bits++
	}
	length := int(token&(0xFFFF>>bits)) + 3
	back := int(token>>(16-bits)) + 1
	if back > len(out) || len(out)+length > most+length {
		return out, false
	}
	for range min(length, most-len(out)) {
		out = append(out, out[len(out)-back])
	}
	return out, true
}

// basic looks at the text of a macro for what makes it run by itself, and what it does
// to the machine.
func (r *reader) basic(text string) {
	lower := strings.ToLower(text)
	if name := anyWord(lower, autoNames()); name != "" {
		r.found(Autorun, name)
	}
	if name := anyWord(lower, callNames()); name != "" {
		r.found(Calls, name)
	}
}

// autoNames are the procedures that Office runs without being asked.
func autoNames() []string {
	return []string{
		"autoopen", "autoexec", "autoclose", "autoexit", "autonew", "auto_open", "auto_close", "auto_exec", "document_open", "document_close",
		"document_new", "documentopen", "documentbeforeclose", "document_beforeclose", "workbook_open", "workbook_activate", "workbook_close", "workbook_beforeclose",
		"worksheet_calculate", "inkpicture1_painted", "inkpicture1_painting", "inkedit1_gotfocus", "_layout", "_onload", "app_presentationopen", "slideshownextslide",
	}
}

// callNames are the calls by which a macro leaves the document.
func callNames() []string {
	return []string{
		"shell", "shellexecute", "shellexecutea", "wscript.shell", "shell.application", "createobject", "getobject", "urldownloadtofile", "urldownloadtofilea",
		"msxml2.xmlhttp", "microsoft.xmlhttp", "winhttp.winhttprequest.5.1", "adodb.stream", "powershell", "winexec", "virtualalloc", "virtualallocex", "rtlmovememory", "createthread",
		"createprocess", "createprocessa", "createremotethread", "savetofile", "cmd.exe", "mshta", "regsvr32", "rundll32", "certutil", "macscript", "popen", "winmgmts", "win32_process",
	}
}

// anyWord returns the first of the words that stands in the text as a whole word.
func anyWord(lower string, words []string) string {
	i := slices.IndexFunc(words, func(w string) bool { return hasWord(lower, w) })
	if i < 0 {
		return ""
	}
	return words[i]
}

func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		if (i == 0 || word[0] == '_' || !letter(text[i-1])) && (end == len(text) || !letter(text[end])) {
			return true
		}
		from = end
	}
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

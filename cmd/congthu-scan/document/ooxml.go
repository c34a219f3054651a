package document

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/sniff"
)

// byPlace chooses by the place that a member has in its Office file: OOXML (ECMA-376)
// and OpenDocument. The places are names, and names are free; what matters is looked
// for by content as well.
func byPlace(f File) []func(*reader) {
	name := strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))
	switch {
	case strings.HasSuffix(name, ".rels"):
		return []func(*reader){(*reader).relationships}
	case name == "[content_types].xml":
		return []func(*reader){(*reader).contentTypes}
	case strings.Contains(name, "activex/") && strings.HasSuffix(name, ".xml"):
		return []func(*reader){(*reader).activeX}
	case strings.HasSuffix(name, ".bin") && strings.Contains(name, "externallink"):
		return []func(*reader){(*reader).binaryLink}
	case strings.HasPrefix(name, "basic/"), strings.HasPrefix(name, "scripts/"):
		return []func(*reader){(*reader).odfScript}
	case name == "meta-inf/manifest.xml":
		return []func(*reader){(*reader).odfManifest}
	case strings.HasSuffix(name, ".xml"):
		return []func(*reader){(*reader).officePart}
	}
	return nil
}

// relationships looks at what the parts of an Office file point to outside of it
// (ECMA-376 part 2). A link to click is a link; a template or an object is fetched
// when the file is opened.
func (r *reader) relationships() { r.relationshipsOf(plain(r.Data)) }

func (r *reader) relationshipsOf(text []byte) {
	for _, e := range elements(text, "Relationship") {
		target := e.attribute("Target")
		if !strings.EqualFold(e.attribute("TargetMode"), "External") || target == "" {
			continue
		}
		kind := path.Base(e.attribute("Type"))
		switch {
		case clicked(kind) && !fetches(target), kind == "image" && !unc(strings.ToLower(target)) && !strings.Contains(target, "!x-usc"):
			r.link("office", target)
		case kind == "externalLinkPath" && web(target): // a workbook on a server: asked for before it is fetched
			r.link("office", target)
		case remote(target):
			r.found(External, kind+" "+target)
		case strings.HasSuffix(kind, "oleObject") && sniffedProgram(target):
			r.found(External, kind+" "+target)
		}
	}
}

// clicked tells the kinds of relationships that wait for a click.
func clicked(kind string) bool {
	return slices.Contains([]string{"hyperlink", "video", "audio", "media"}, kind)
}

// fetches tells a target that does more than lead to a page.
func fetches(target string) bool {
	lower := strings.ToLower(target)
	return strings.HasPrefix(lower, "mhtml:") || strings.HasPrefix(lower, "ms-msdt:") || strings.HasPrefix(lower, "search-ms:") || strings.HasPrefix(lower, "script:")
}

func web(target string) bool {
	lower := strings.ToLower(target)
	return strings.HasPrefix(lower, "https:") || strings.HasPrefix(lower, "http:")
}

// sniffedProgram tells the name of a program.
func sniffedProgram(target string) bool {
	name := target[strings.LastIndexAny(target, `\/`)+1:]
	return slices.ContainsFunc(sniff.Look(sniff.File{Names: []string{name}}), func(f sniff.Fact) bool {
		return f.Symbol == sniff.Executable || f.Symbol == sniff.ScriptFile || f.Symbol == sniff.Shortcut
	})
}

// contentTypes looks for macros by the types of the parts, whatever they are called.
func (r *reader) contentTypes() {
	lower := bytes.ToLower(plain(r.Data))
	macros := bytes.Contains(lower, []byte(".macroenabled.")) || bytes.Contains(lower, []byte("vnd.ms-office.vbaproject"))
	if macros {
		r.found(sniff.Macro, "content type")
		if ext := sniff.Extension(r.Within); slices.Contains([]string{"docx", "dotx", "xlsx", "xltx", "pptx", "potx", "ppsx"}, ext) {
			r.found(sniff.TypeMismatch, "macros as ."+ext)
		}
	}
	if bytes.Contains(lower, []byte("vnd.ms-excel.macrosheet")) || bytes.Contains(lower, []byte("vnd.ms-excel.intlmacrosheet")) {
		r.found(sniff.Macro, "Excel 4 macro sheet")
	}
	if bytes.Contains(lower, []byte("ms-office.activex")) {
		r.found(ActiveX, "content type")
	}
}

func (r *reader) activeX() {
	class := ""
	for _, e := range elements(plain(r.Data), "ocx") {
		class = e.attribute("classid")
	}
	r.found(ActiveX, class)
}

// binaryLink reads an external link of a binary workbook (MS-XLSB 2.4.5
// BrtBeginSupBook): a DDE service and its topic.
func (r *reader) binaryLink() {
	const supBook, dde = "\xe8\x02", 1 // record 360
	at := bytes.Index(r.Data[:min(len(r.Data), 64)], []byte(supBook))
	if at < 0 || len(r.Data) < at+9 {
		return
	}
	_, n := binary.Uvarint(r.Data[at+2:])
	body := r.Data[min(len(r.Data), at+2+max(n, 1)):]
	if len(body) < 6 || binary.LittleEndian.Uint16(body) != dde {
		return
	}
	service, rest := counted(body[2:])
	topic, _ := counted(rest)
	if program(service) {
		r.found(DDE, service+" "+topic)
	}
}

// counted is a string in UTF-16 behind its count of characters.
func counted(d []byte) (string, []byte) {
	if len(d) < 4 {
		return "", nil
	}
	n := min(uint64(binary.LittleEndian.Uint32(d))*2, uint64(len(d)-4))
	return utf16String(d[4 : 4+n]), d[4+n:]
}

// officePart looks at a part in XML: fields, links, links between programs, names that run.
func (r *reader) officePart() { r.officeText(plain(r.Data)) }

func (r *reader) officeText(text []byte) {
	if bytes.Contains(text, []byte("instrText")) || bytes.Contains(text, []byte("fldSimple")) {
		r.fieldsOf(text)
	}
	if bytes.Contains(text, []byte("ddeLink")) {
		for _, e := range elements(text, "ddeLink") {
			if s := e.attribute("ddeService"); program(s) {
				r.found(DDE, s+" "+e.attribute("ddeTopic"))
			}
		}
	}
	if bytes.Contains(text, []byte("_xlnm.Auto_")) {
		r.found(Autorun, "Auto_Open")
	}
	r.formulaLinks(text)
	r.odfPart(text)
	r.entities(text)
}

// fieldsOf finds the fields of a Word part that start programs. An instruction may be
// split over many runs, and made of other fields' results.
func (r *reader) fieldsOf(text []byte) {
	for _, f := range wordFields(text) {
		if command, ok := ddeField(f); ok {
			r.found(DDE, command)
		}
		r.link("office", fieldLink(f))
	}
}

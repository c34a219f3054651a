// Package document reads documents as far as an enemy can use them: their macros and
// what these would do, what they fetch or start when they are opened, and every file
// that they carry inside. It hands out the pieces and says what it saw; nothing is run,
// nothing is fetched, no entity of XML is expanded.
//
// There is one file a format. Each reader is tolerant where the programs that open such
// files are, and works within the budget of the archives; what it could not read is a
// remark, never nothing.
package document

import (
	"bytes"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/picture"
	"congthu/cmd/congthu-scan/sniff"
)

// The symbols of this package, beside those of package sniff.
const (
	Autorun   = "ATTACH_MACRO_AUTORUN" // a macro that runs by itself
	Calls     = "ATTACH_MACRO_CALLS"   // a macro that starts programs or fetches files
	DDE       = "ATTACH_DDE"           // a field that starts a program
	External  = "ATTACH_EXTERNAL"      // fetches a part of itself from elsewhere when opened
	ActiveX   = "ATTACH_ACTIVEX"
	Exploit   = "ATTACH_EXPLOIT" // made to break the program that opens it
	Embedded  = "ATTACH_EMBEDDED"
	PDFScript = "ATTACH_PDF_SCRIPT"
	PDFLaunch = "ATTACH_PDF_LAUNCH"
	PDFRich   = "ATTACH_PDF_RICH" // RichMedia, 3D: programs of their own inside
	PDFForm   = "ATTACH_PDF_XFA"  // a form with another form inside, in XML, that replaces what is seen
	Encoded   = "ATTACH_SCRIPT_ENCODED"
	Smuggling = "ATTACH_HTML_SMUGGLING"
	Drawing   = "ATTACH_SVG_ACTIVE" // a drawing that does more than draw
	Entities  = "ATTACH_XML_ENTITIES"
)

// File is what is to be read.
type File struct {
	Name   string // untrusted
	Within string // name of the container around it, "" if there is none
	Office bool   // a member of an Office file
	Data   []byte
}

// Object is a piece of a document that is to be looked at in turn.
type Object struct {
	Name string // untrusted; "" if it has none
	Data []byte
	Text bool // an inner stream or a macro's text: octets for the rules, no file of its own
	// Picture has pixels without a file around them, or nil: Data is empty then.
	Picture *picture.Raw
}

// Visit takes an object. It may read it in turn.
type Visit func(Object)

// Result is what was seen.
type Result struct {
	Facts     []sniff.Fact
	Links     []Link           // where it leads to when somebody clicks
	MoreLinks bool             // there are more
	Remarks   []archive.Remark // what could not be read
}

// Document is a file for which there is a reader.
type Document struct {
	file    File
	readers []func(*reader)
}

// Open chooses the readers of a file; nil when there is none. It is cheap.
func Open(f File) *Document {
	if all := readers(f); len(all) > 0 {
		return &Document{f, all}
	}
	return nil
}

// Read reads the document and hands out what is in it.
func (d *Document) Read(b *archive.Budget, visit Visit) Result {
	r := &reader{File: d.file, Meter: b.Meter(len(d.file.Data)), visit: visit}
	for _, read := range d.readers {
		r.try(read)
	}
	r.result.Remarks = r.Remarks()
	return r.result
}

type reader struct {
	File
	*archive.Meter
	visit  Visit
	result Result
}

// try keeps a reader's fault to the file that it met it in: the file counts as
// unreadable, the worker goes on.
func (r *reader) try(read func(*reader)) {
	defer func() {
		if p := recover(); p != nil {
			r.Remark(archive.Damaged, "%s: the reader failed: %v", r.Name, p)
		}
	}()
	read(r)
}

func readers(f File) []func(*reader) {
	kind := sniff.Of(f.Data)
	var all []func(*reader)
	if read := byKind(kind); read != nil {
		all = append(all, read)
	}
	if kind != sniff.PDF && bytes.Contains(f.Data[:min(len(f.Data), 1024)], []byte("%PDF-")) {
		all = append(all, (*reader).pdf) // a file of two kinds: programs for PDF open it, too
	}
	if f.Office {
		all = append(all, byPlace(f)...)
	}
	if kind == sniff.Unknown {
		all = append(all, byText(f)...)
	}
	return all
}

func byKind(kind sniff.Kind) func(*reader) {
	switch kind {
	case sniff.PDF:
		return (*reader).pdf
	case sniff.RTF:
		return (*reader).rtf
	case sniff.HTML:
		return (*reader).page
	case sniff.OneNote:
		return (*reader).oneNote
	case sniff.LNK:
		return (*reader).shortcut
	case sniff.OLE:
		return (*reader).ole
	}
	return nil
}

// found notes a fact.
func (r *reader) found(symbol, evidence string) {
	const most = 100 // of one file: more say nothing new
	if len(r.result.Facts) < most {
		r.result.Facts = append(r.result.Facts, sniff.Fact{Symbol: symbol, Evidence: clean(evidence)})
	}
}

// give hands out octets that the reader made itself. False: the budget is spent.
func (r *reader) give(o Object) bool {
	if err := r.Count(o.Name, len(o.Data)); err != nil {
		return false
	}
	r.visit(o)
	return true
}

// clean makes an evidence of a piece of a document: printable, short.
func clean(s string) string {
	const longest = 160
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7F {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}

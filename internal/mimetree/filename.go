package mimetree

import (
	"path"
	"slices"
	"strings"

	oldcharset "congthu/internal/charset"
	"congthu/internal/msg"
)

// Filenames returns every name that some reader may give the part, the preferred
// one first: from all Content-Disposition and Content-Type fields, decoded, NFC; then
// what readers and file systems make of these, see spellings. A check for forbidden
// names must look at all of them.
func Filenames(p *msg.Part) []string {
	var out []string
	for _, f := range p.Fields("Content-Disposition") {
		out = addNames(out, parseValue(f.Value).all["filename"])
	}
	for _, f := range p.Fields("Content-Type") {
		out = addNames(out, parseValue(f.Value).all["name"])
	}
	if p.Filename != "" && !slices.Contains(out, p.Filename) {
		out = append(out, p.Filename) // a uuencoded file has no header
	}
	for _, name := range out {
		out = addSpellings(out, name)
	}
	return out
}

func addNames(out, more []string) []string {
	for _, name := range more {
		if name = cleanName(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// cleanName decodes encoded words, which RFC 2047 section 5 forbids in a parameter and
// half of the world puts there, and reads names that say nothing of their charset.
func cleanName(s string) string {
	s, _ = oldcharset.Repair(nfc(DecodeWords(s)), "")
	return s
}

// compareNames reports names that differ, with the graver code when their
// extensions do.
func compareNames(names []string, n *notes) {
	var distinct []string
	conflict := false
	for _, name := range names {
		name = cleanName(name)
		if slices.Contains(distinct, name) {
			continue
		}
		distinct = append(distinct, name)
		conflict = conflict || extension(name) != extension(distinct[0])
	}
	switch {
	case conflict:
		n.add(FilenameConflict, strings.Join(distinct, " | "))
	case len(distinct) > 1:
		n.add(FilenameDiffers, strings.Join(distinct, " | "))
	}
}

// extension is what Windows would open the file by: trailing dots and spaces fall.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.TrimRight(name, ". ")))
}

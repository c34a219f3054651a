package scanproto

import (
	"slices"
	"strings"
)

// The groups of file types, which are also what a finding about a file is: the worker
// names them whatever showed it, a name, the octets or something inside.
const (
	Program   = "program"
	Script    = "script"
	Shortcut  = "shortcut"
	Page      = "page"
	DiskImage = "disk-image"
	Macro     = "macro"
	Document  = "document" // ordinary; only named to tell what a name claims
	Locked    = "encrypted"
)

// The extensions of each group: what Windows or a person does with a file of that name.
const (
	programs  = " exe scr com pif cpl msi msp mst msix appx appxbundle msixbundle dll ocx sys drv xll wll jar jnlp apk ipa app appref-ms application gadget chm hlp deb rpm dmg pkg elf "
	scripts   = " js jse vbs vbe vb wsf wsh wsc sct hta bat cmd ps1 ps1xml ps2 psc1 psd1 psm1 msc msh msh1 mshxml reg inf sh bash csh ksh command py pyc pyw pl rb au3 ahk a3x mof xsl settingcontent-ms diagcab theme iqy slk ade adp mde mda one rdp "
	shortcuts = " lnk url scf library-ms search-ms searchconnector-ms website webloc desktop contact "
	pages     = " html htm xhtml xht shtml mht mhtml svg svgz "
	images    = " iso img udf vhd vhdx wim vmdk nrg daa "
	macros    = " docm dotm xlsm xltm xlam xla xlsb pptm potm ppsm ppam sldm "
	documents = " pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv jpg jpeg png gif bmp tif tiff mp3 mp4 zip rar 7z xml eml msg "
	packed    = " gz tgz bz2 tbz tbz2 tar xz txz lzma zst lz4 z cab ar cpio ace arj lzh archive tnef dat "
	seen      = " ole office macho class p7m apple "
)

// Group returns the group of an extension without its dot, "" when it is in none.
func Group(ext string) string {
	if ext == "" || strings.Contains(ext, " ") {
		return ""
	}
	word := " " + ext + " "
	for _, g := range groups() {
		if strings.Contains(g.extensions, word) {
			return g.name
		}
	}
	return ""
}

type group struct{ name, extensions string }

func groups() []group {
	return []group{{Program, programs}, {Script, scripts}, {Shortcut, shortcuts}, {Page, pages}, {DiskImage, images}, {Macro, macros}, {Document, documents}}
}

// Types returns every word that names a type of file, sorted: groups, true types, and
// extensions that are known. Other extensions are written with their dot.
func Types() []string {
	out := []string{Locked}
	for _, g := range groups() {
		out = append(append(out, g.name), strings.Fields(g.extensions)...)
	}
	out = append(append(out, strings.Fields(packed)...), strings.Fields(seen)...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Typed says that there is a file of a type in a part. Type is one of Types when the
// octets or what is inside show it, and the extension with its dot when a name does; a
// file is of as many types as anything says.
type Typed struct {
	Type string `json:"type"`
	Path string `json:"path"` // names of the containers and the file, outermost first; untrusted
	Part string `json:"part"`
}

// MaxTypes bounds the types of one answer.
const MaxTypes = 3000

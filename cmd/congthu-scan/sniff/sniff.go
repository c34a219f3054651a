package sniff

import (
	"bytes"
	"slices"
	"strings"

	"congthu/internal/scanproto"
)

// The symbols of this package.
const (
	Executable      = "ATTACH_EXECUTABLE"
	ScriptFile      = "ATTACH_SCRIPT"
	Shortcut        = "ATTACH_LNK"
	Macro           = "ATTACH_MACRO"
	DoubleExtension = "ATTACH_DOUBLE_EXTENSION"
	TypeMismatch    = "ATTACH_TYPE_MISMATCH"
	Encrypted       = "ATTACH_ENCRYPTED"
	Unscannable     = "ATTACH_UNSCANNABLE"
	NameTrick       = "ATTACH_NAME_TRICK"
	Page            = "ATTACH_HTML"
	DiskImage       = "ATTACH_ISO"
)

// Fact is a symbol and what was seen.
type Fact struct{ Symbol, Evidence string }

// File is an object with all the names that somebody may give it.
type File struct {
	Names []string // empty for a body part without a name
	Body  bool     // it is shown as the letter's text: HTML there is no attachment
	Data  []byte
}

// Look reports what the file's names and octets show.
func Look(f File) []Fact {
	kind := Of(f.Data)
	facts := byKind(f, kind)
	for _, name := range f.Names {
		facts = append(facts, byName(name)...)
		if claim, wrong := mismatch(name, kind, len(f.Data)); wrong {
			facts = append(facts, Fact{TypeMismatch, claim})
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int { return strings.Compare(a.Symbol, b.Symbol) })
	return slices.CompactFunc(facts, func(a, b Fact) bool { return a.Symbol == b.Symbol })
}

func byKind(f File, kind Kind) []Fact {
	switch kind {
	case PE, ELF, MachO, Class, CHM:
		return []Fact{{Executable, string(kind)}}
	case LNK:
		return []Fact{{Shortcut, string(kind)}}
	case Script, OneNote:
		return []Fact{{ScriptFile, string(kind)}}
	case HTML:
		if !f.Body {
			return []Fact{{Page, string(kind)}}
		}
	case ISO:
		return []Fact{{DiskImage, string(kind)}}
	case Disk:
		return []Fact{{DiskImage, string(kind)}, {Unscannable, "unscannable:method: " + string(kind)}}
	case Sealed:
		return []Fact{{Unscannable, "unscannable:method: " + string(kind)}}
	case OLE:
		return compound(f.Data)
	}
	return nil
}

// compound looks for the streams that make an old Office file dangerous or closed.
// Their names are in UTF-16 in the directory of the file (MS-CFB section 2.6).
func compound(data []byte) []Fact {
	var facts []Fact
	if isInstaller(data) {
		facts = append(facts, Fact{Executable, "Windows Installer"})
	}
	if bytes.Contains(data, wide("_VBA_PROJECT")) || bytes.Contains(data, wide("_VBA_PROJECT_CUR")) {
		facts = append(facts, Fact{Macro, "VBA"})
	}
	if bytes.Contains(data, wide("EncryptedPackage")) || bytes.Contains(data, wide("EncryptedSummary")) {
		facts = append(facts, Fact{Encrypted, "Office"})
	}
	return facts
}

func wide(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

func byName(name string) []Fact {
	var facts []Fact
	switch scanproto.Group(Extension(name)) {
	case scanproto.Program:
		facts = append(facts, Fact{Executable, name})
	case scanproto.Script:
		facts = append(facts, Fact{ScriptFile, name})
	case scanproto.Shortcut:
		facts = append(facts, Fact{Shortcut, name})
	case scanproto.Page:
		facts = append(facts, Fact{Page, name})
	case scanproto.DiskImage:
		facts = append(facts, Fact{DiskImage, name})
	case scanproto.Macro:
		facts = append(facts, Fact{Macro, name})
	}
	if macroPart(name) {
		facts = append(facts, Fact{Macro, name})
	}
	if doubled(name) {
		facts = append(facts, Fact{DoubleExtension, name})
	}
	if what := trick(name); what != "" {
		facts = append(facts, Fact{NameTrick, what + ": " + name})
	}
	return facts
}

// expected are the kinds that files of such a name have. A name that is not here may
// be anything.
func expected(ext string) []Kind {
	switch ext {
	case "pdf":
		return []Kind{PDF}
	case "docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "dotx", "xltx", "potx", "ppsx", "xlsb":
		return []Kind{Zip, OLE} // OLE when it has a password
	case "odt", "ods", "odp", "zip", "jar", "apk":
		return []Kind{Zip}
	case "doc", "dot":
		return []Kind{OLE, RTF, Zip}
	case "xls", "xlt", "ppt", "pps", "pot":
		return []Kind{OLE, Zip}
	case "msg":
		return []Kind{OLE}
	case "rtf":
		return []Kind{RTF}
	case "jpg", "jpeg":
		return []Kind{JPEG}
	case "png":
		return []Kind{PNG}
	case "gif":
		return []Kind{GIF}
	case "gz", "tgz":
		return []Kind{Gzip}
	case "bz2", "tbz", "tbz2":
		return []Kind{Bzip2}
	case "tar":
		return []Kind{Tar}
	case "rar", "r00":
		return []Kind{Rar, Sealed}
	case "7z":
		return []Kind{Seven}
	case "xz", "txz":
		return []Kind{XZ}
	case "zst":
		return []Kind{Zstd}
	case "cab":
		return []Kind{Cab, Sealed}
	case "iso":
		return []Kind{ISO, Disk}
	case "deb":
		return []Kind{Ar}
	case "ace", "arj", "lzh":
		return []Kind{Sealed}
	}
	return nil
}

// mismatch tells a file that is not what its name says. A text under a text's name is
// no mismatch, a program under it is.
func mismatch(name string, kind Kind, size int) (string, bool) {
	ext := Extension(name)
	want := expected(ext)
	switch {
	case size == 0:
		return "", false
	case len(want) > 0 && !slices.Contains(want, kind):
	case len(want) == 0 && scanproto.Group(ext) == scanproto.Document && dangerous(kind):
	default:
		return "", false
	}
	is := string(kind)
	if kind == Unknown {
		is = "unknown"
	}
	return is + " as ." + ext, true
}

func dangerous(k Kind) bool {
	switch k {
	case PE, ELF, MachO, Class, LNK, Script, HTML, OneNote, CHM, ISO, Disk, OLE, Zip, Rar, Seven, Cab, Sealed:
		return true
	}
	return false
}

package sniff

import (
	"bytes"

	"congthu/internal/scanproto"
)

// Types returns what the file is, in the words of policy.toml: its true type, and the
// extension of each name with its dot.
func Types(f File) []string {
	var out []string
	for _, t := range trueTypes(f) {
		if t != "" {
			out = append(out, t)
		}
	}
	for _, name := range f.Names {
		const longest = 16 // of an extension that anybody names
		if ext := Extension(name); ext != "" && len(ext) <= longest {
			out = append(out, "."+ext)
		}
	}
	return out
}

// trueTypes are what the octets show, the more exact word behind the general one.
func trueTypes(f File) []string {
	switch kind := Of(f.Data); kind {
	case HTML:
		if f.Body {
			return nil // the letter's own text, or what Office files are made of
		}
		return []string{"html"}
	case Zip:
		return []string{zipType(f.Data)}
	case Sealed:
		return []string{TypeOf(kind), sealedType(f.Data)}
	case OLE:
		if isInstaller(f.Data) {
			return []string{TypeOf(kind), "msi"}
		}
		return []string{TypeOf(kind)}
	default:
		return []string{TypeOf(kind)}
	}
}

// zipType tells apart what is packed as a zip, by the member that such files begin with.
func zipType(data []byte) string {
	head := data[:min(len(data), 4096)]
	switch {
	case bytes.Contains(head, []byte("[Content_Types].xml")), bytes.Contains(head, []byte("mimetypeapplication/vnd.oasis.")):
		return "office"
	case bytes.Contains(head, []byte("META-INF/MANIFEST.MF")):
		return "jar"
	}
	return "zip"
}

// TypeOf is the word for a kind: that of the usual extension where there is one.
func TypeOf(k Kind) string {
	switch k {
	case Gzip:
		return "gz"
	case Bzip2:
		return "bz2"
	case Zstd:
		return "zst"
	case LZW:
		return "z"
	case Cab:
		return "cab"
	case ISO:
		return "iso"
	case Disk:
		return scanproto.DiskImage
	case CMS:
		return "p7m"
	case Apple:
		return "apple"
	case PE:
		return "exe"
	case ELF:
		return "elf"
	case MachO:
		return "macho"
	case Class:
		return "class"
	case LNK:
		return "lnk"
	case OneNote:
		return "one"
	case CHM:
		return "chm"
	}
	return string(k)
}

// Group is the group of file types that a symbol speaks of, "" for none.
func Group(symbol string) string {
	switch symbol {
	case Executable:
		return scanproto.Program
	case ScriptFile:
		return scanproto.Script
	case Shortcut:
		return scanproto.Shortcut
	case Macro:
		return scanproto.Macro
	case Page:
		return scanproto.Page
	case DiskImage:
		return scanproto.DiskImage
	case Encrypted:
		return scanproto.Locked
	}
	return ""
}

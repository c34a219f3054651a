package scan

import (
	"cmp"
	"strings"
	"time"

	"congthu/cmd/congthu-scan/sniff"
	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/scanproto"
)

// yara looks at octets that are no file of their own.
func (l *look) yara(data []byte) { l.rules(item{data: data}) }

// rules looks at an object with the administrator's rules.
func (l *look) rules(it item) {
	deadline, _ := l.ctx.Deadline() // Look sets one
	o := yarascan.Object{Data: it.data, Names: it.names, Path: strings.Join(l.trail, "/"), Type: fileType(sniff.Of(it.data))}
	matches, err := l.match.Scan(o, time.Until(deadline))
	for _, m := range matches {
		l.note(m.Symbol+"\x00"+m.File+"\x00"+m.Rule, scanproto.Finding{Symbol: m.Symbol, Evidence: m.Rule, Percent: m.Percent, VI: m.VI, EN: m.EN})
	}
	l.err = cmp.Or(l.err, err)
}

// fileType is the word of published rules for a kind, such as `filetype == "EXE"`.
func fileType(k sniff.Kind) string {
	switch k {
	case sniff.PE:
		return "EXE"
	case sniff.OLE:
		return "OLE"
	case sniff.Class:
		return "JAVACLASS"
	case sniff.ISO:
		return "ISO"
	case sniff.Unknown, sniff.Sealed:
		return ""
	case sniff.LNK:
		return "LNK"
	case sniff.ELF:
		return "ELF"
	case sniff.MachO:
		return "MACHO"
	}
	return strings.ToUpper(string(k))
}

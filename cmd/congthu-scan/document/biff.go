package document

import (
	"encoding/binary"
	"strings"

	"congthu/cmd/congthu-scan/sniff"
)

// The records of a workbook that matter (MS-XLS 2.3).
const (
	biffBegin     = 0x0809
	biffName      = 0x0018
	biffFilePass  = 0x002F
	biffSheet     = 0x0085
	biffSupBook   = 0x01AE
	biffMacro     = 1 // sheet types
	biffBuiltin   = 0x20
	biffAutoOpen  = 1 // built-in names
	biffAutoClose = 2
)

// biff reads the records of an old Excel workbook: a macro sheet of Excel 4 runs
// without any VBA.
func (r *reader) biff(d []byte) {
	old := false // Excel 5 and 95: no flag before a string
	for len(d) >= 4 {
		kind, size := binary.LittleEndian.Uint16(d), int(binary.LittleEndian.Uint16(d[2:]))
		d = d[4:]
		if size > len(d) {
			return
		}
		if kind == biffFilePass { // what follows is encrypted
			r.found(sniff.Encrypted, "Excel")
		}
		if kind == biffBegin && size >= 2 {
			old = binary.LittleEndian.Uint16(d) < 0x0600
		}
		r.record(kind, d[:size], old)
		d = d[size:]
	}
}

func (r *reader) record(kind uint16, body []byte, old bool) {
	switch {
	case kind == biffSheet && len(body) > 6:
		r.sheet(body)
	case kind == biffName && len(body) > 15 && body[0]&biffBuiltin != 0:
		c := body[15] // the name is one character behind 14 octets and a flag (MS-XLS 2.4.150)
		if old {
			c = body[14]
		}
		if c == biffAutoOpen || c == biffAutoClose {
			r.found(Autorun, "Auto_Open")
		}
	case kind == biffSupBook && len(body) > 5:
		if service, topic, ok := strings.Cut(biffText(body[2:]), "\x03"); ok && program(service) {
			r.found(DDE, service+" "+topic)
		}
	}
}

func (r *reader) sheet(body []byte) {
	if body[5] != biffMacro {
		return
	}
	hidden := ""
	if body[4]&3 != 0 {
		hidden = "hidden "
	}
	r.found(sniff.Macro, "Excel 4 "+hidden+"macro sheet")
}

// biffText is a string with its length before it and no character count behind.
func biffText(b []byte) string {
	n := int(binary.LittleEndian.Uint16(b))
	if b = b[2:]; len(b) == 0 {
		return ""
	}
	if wide := b[0]&1 != 0; wide {
		return utf16String(b[1:min(len(b), 1+2*n)])
	}
	return string(b[1:min(len(b), 1+n)])
}

// program tells a DDE service that is a program to be started, not one of the
// applications that serve data to each other.
func program(service string) bool {
	switch strings.ToLower(strings.TrimSpace(service)) {
	case "", "excel", "winword", "word", "soffice", "progman":
		return false
	}
	return true
}

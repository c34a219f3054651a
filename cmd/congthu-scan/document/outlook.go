package document

import (
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/rtfpack"
)

// outlook reads an Outlook item (MS-OXMSG): each attachment is a storage with a stream
// a property.
func (r *reader) outlook(streams []stream) {
	const prefix = "__substg1.0_"
	type attachment struct {
		name string
		data []byte
	}
	all := map[string]*attachment{}
	var order []string
	for _, s := range streams {
		property, ok := strings.CutPrefix(s.name, prefix)
		if !ok {
			continue
		}
		a := all[s.dir]
		if a == nil {
			a = &attachment{}
			all[s.dir] = a
			order = append(order, s.dir)
		}
		switch strings.ToUpper(property) {
		case "3707001F": // PidTagAttachLongFilename
			a.name = utf16String(s.data)
		case "3707001E":
			a.name = strings.TrimRight(string(s.data), "\x00")
		case "3704001F", "3704001E": // PidTagAttachFilename: 8.3
			if a.name == "" {
				a.name = strings.ReplaceAll(string(s.data), "\x00", "")
			}
		case "37010102": // PidTagAttachDataBinary
			a.data = s.data
		case "10130102": // PidTagHtml
			r.visit(Object{Data: s.data, Text: true})
			r.pageLinks("outlook", s.data)
		case "1013001F":
			r.pageLinks("outlook", plain(append([]byte("\xff\xfe"), s.data...)))
		case "10090102": // PidTagRtfCompressed
			rtf, ok := rtfpack.Unpack(s.data)
			if !ok {
				r.Remark(archive.Damaged, "%s: the RTF body does not unpack", r.Name)
			}
			r.give(Object{Data: rtf})
		}
	}
	for _, dir := range order {
		if a := all[dir]; a.data != nil {
			r.visit(Object{Name: a.name, Data: a.data})
		}
	}
}

package scan

import (
	"fmt"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/sniff"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// inside opens what can be opened.
func (l *look) inside(it item) {
	name := ""
	if len(it.names) > 0 {
		name = it.names[0]
	}
	opener := l.opener(it, name)
	if opener == nil {
		return
	}
	if len(l.trail) >= l.budget.Depth {
		l.found(sniff.Unscannable, fmt.Sprintf("%d archives inside each other", l.budget.Depth))
		return
	}
	l.trail = append(l.trail, name)
	office := isOffice(name)
	for _, r := range opener(func(m archive.Member) { l.member(m, office) }) {
		l.found(remarked(r.Trouble), r.Evidence)
	}
	l.trail = l.trail[:len(l.trail)-1]
}

type opener func(archive.Visit) []archive.Remark

// opener chooses by the octets, not by the name; only letters have no octets to be
// known by.
func (l *look) opener(it item, name string) opener {
	switch kind := sniff.Of(it.data); {
	case kind == sniff.Zip:
		return func(v archive.Visit) []archive.Remark { return l.budget.Zip(it.data, v) }
	case kind == sniff.Gzip:
		return func(v archive.Visit) []archive.Remark { return l.budget.Gzip(name, it.data, v) }
	case kind == sniff.Bzip2:
		return func(v archive.Visit) []archive.Remark { return l.budget.Bzip2(name, it.data, v) }
	case kind == sniff.Tar:
		return func(v archive.Visit) []archive.Remark { return l.budget.Tar(it.data, v) }
	case kind != sniff.Sealed && archive.HasZipEnd(it.data):
		return func(v archive.Visit) []archive.Remark { return doubtless(l.budget.Zip(it.data, v)) }
	case slices.Contains([]string{"eml", "mht", "mhtml"}, sniff.Extension(name)):
		return func(v archive.Visit) []archive.Remark { return letter(it.data, v) }
	}
	return nil
}

// doubtless drops the doubts about a file that only ends like a zip: a document with
// zips embedded in it has members that its last directory does not list.
func doubtless(rs []archive.Remark) []archive.Remark {
	return slices.DeleteFunc(rs, func(r archive.Remark) bool {
		return r.Trouble == archive.Conflict || r.Trouble == archive.Damaged
	})
}

func (l *look) member(m archive.Member, office bool) {
	l.item(item{names: []string{m.Name}, office: office, data: m.Data})
}

// letter opens a letter that was attached as a file, or saved in an archive.
func letter(data []byte, visit archive.Visit) []archive.Remark {
	var remarks []archive.Remark
	mimetree.Parse(data, mimetree.DefaultLimits()).Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			if mimetree.Limit(a.Code) {
				remarks = append(remarks, archive.Remark{Trouble: archive.Limit, Evidence: a.Code})
			}
		}
		if p.Decoded != nil && len(p.Children) == 0 {
			visit(archive.Member{Name: p.Filename, Data: p.Decoded})
		}
	})
	return remarks
}

func remarked(t archive.Trouble) string {
	switch t {
	case archive.Encrypted:
		return sniff.Encrypted
	case archive.Conflict:
		return Conflict
	}
	return sniff.Unscannable
}

func isOffice(name string) bool {
	return slices.Contains(strings.Fields("docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm potx ppsx odt ods odp"), sniff.Extension(name))
}

package scan

import (
	"fmt"
	"slices"
	"strings"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/document"
	"congthu/cmd/congthu-scan/sniff"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// inside opens what can be opened, in each way that some program would.
func (l *look) inside(it item) {
	name := ""
	if len(it.names) > 0 {
		name = it.names[0]
	}
	for _, open := range l.openers(it, name) {
		if len(l.trail) >= l.budget.Depth {
			l.found(sniff.Unscannable, fmt.Sprintf("unscannable:depth: over %d archives inside each other", l.budget.Depth))
			return
		}
		l.opened = true
		l.into(name)
		office := isOffice(name)
		for _, r := range open(func(m archive.Member) { l.member(m, office) }) {
			l.remarked(r)
		}
		l.outOf()
	}
}

type opener func(archive.Visit) []archive.Remark

// openers chooses by the octets, not by the name; only letters, and LZMA files with odd
// properties, have no octets to be known by.
func (l *look) openers(it item, name string) []opener {
	kind := sniff.Of(it.data)
	if kind == sniff.Unknown && sniff.Extension(name) == "lzma" {
		kind = sniff.LZMA
	}
	if open := l.byKind(kind, name, it.data); open != nil {
		return []opener{open}
	}
	if it.body || kind == sniff.Sealed {
		return nil
	}
	var all []opener
	if archive.HasZipEnd(it.data) {
		all = append(all, func(v archive.Visit) []archive.Remark { return doubtless(l.budget.Zip(it.data, v)) })
	}
	for _, h := range archive.FindHidden(it.data) {
		open := l.byKind(hiddenKind(h.Format), name, it.data[h.At:])
		all = append(all, func(v archive.Visit) []archive.Remark { return doubtless(open(v)) })
	}
	if slices.Contains([]string{"eml", "mht", "mhtml"}, sniff.Extension(name)) {
		all = append(all, func(archive.Visit) []archive.Remark { return l.letter(it.data) })
	}
	return all
}

// byKind returns the way into a kind of archive; nil for what is none.
func (l *look) byKind(kind sniff.Kind, name string, data []byte) opener {
	if open := l.container(kind); open != nil {
		return func(v archive.Visit) []archive.Remark { return open(data, v) }
	}
	if open := carrierOf(kind); open != nil {
		return func(archive.Visit) []archive.Remark { return open(l.budget, data, l.carried) }
	}
	if open := l.stream(kind); open != nil {
		return func(v archive.Visit) []archive.Remark { return open(name, data, v) }
	}
	return nil
}

func (l *look) container(kind sniff.Kind) func([]byte, archive.Visit) []archive.Remark {
	switch kind {
	case sniff.Zip:
		return l.budget.Zip
	case sniff.Rar:
		return l.budget.Rar
	case sniff.Seven:
		return l.budget.SevenZip
	case sniff.Tar:
		return l.budget.Tar
	case sniff.Cab:
		return l.budget.Cab
	case sniff.ISO:
		return l.budget.ISO
	case sniff.Ar:
		return l.budget.Ar
	case sniff.Cpio:
		return l.budget.Cpio
	}
	return nil
}

func (l *look) stream(kind sniff.Kind) func(string, []byte, archive.Visit) []archive.Remark {
	switch kind {
	case sniff.Gzip:
		return l.budget.Gzip
	case sniff.Bzip2:
		return l.budget.Bzip2
	case sniff.XZ:
		return l.budget.XZ
	case sniff.LZMA:
		return l.budget.LZMA
	case sniff.Zstd:
		return l.budget.Zstd
	case sniff.LZ4:
		return l.budget.LZ4
	case sniff.LZW:
		return l.budget.Compress
	}
	return nil
}

func hiddenKind(format string) sniff.Kind {
	switch format {
	case "rar":
		return sniff.Rar
	case "7z":
		return sniff.Seven
	}
	return sniff.Cab
}

// doubtless drops the doubts about a file that only holds an archive somewhere: a
// document with zips embedded in it has members that its last directory does not list.
func doubtless(rs []archive.Remark) []archive.Remark {
	return slices.DeleteFunc(rs, func(r archive.Remark) bool {
		return r.Trouble == archive.Conflict || r.Trouble == archive.Damaged
	})
}

func (l *look) member(m archive.Member, office bool) {
	if m.Special != "" {
		l.found(Special, m.Name+": "+m.Special)
	}
	l.item(item{names: []string{m.Name}, office: office, data: m.Data})
}

// letter opens a letter that was attached as a file, or saved in an archive.
func (l *look) letter(data []byte) []archive.Remark {
	var remarks []archive.Remark
	see := func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			switch {
			case mimetree.Limit(a.Code):
				remarks = append(remarks, archive.Remark{Trouble: archive.Limit, Evidence: a.Code})
			case mimetree.Conflict(a.Code):
				remarks = append(remarks, archive.Remark{Trouble: archive.Conflict, Evidence: a.Code})
			}
		}
		if p.Decoded != nil && len(p.Children) == 0 {
			l.item(item{names: mimetree.Filenames(p), data: p.Decoded})
		}
		if p.IsText() && p.MediaType != "text/html" { // a page is read as a document
			for _, url := range document.URLs([]byte(p.Text)) {
				l.link("", scanproto.Link{URL: url, How: "text"})
			}
		}
	}
	root := mimetree.Parse(data, mimetree.DefaultLimits())
	root.Walk(see)
	for _, p := range root.Others {
		see(p)
	}
	return remarks
}

// remarked reports what an archive's reader remarked. What was not looked at names the
// reason in a word, "unscannable:ratio".
func (l *look) remarked(r archive.Remark) {
	switch r.Trouble {
	case archive.Encrypted:
		l.found(sniff.Encrypted, r.Evidence)
	case archive.Conflict:
		l.found(Conflict, r.Evidence)
	case archive.Unlocked:
		l.found(PasswordGiven, r.Evidence)
	case archive.Limit:
		l.found(sniff.Unscannable, "unscannable:"+r.Evidence)
	case archive.Method:
		l.found(sniff.Unscannable, "unscannable:method: "+r.Evidence)
	case archive.Volumes:
		l.found(sniff.Unscannable, "unscannable:volumes: "+r.Evidence)
	default:
		l.found(sniff.Unscannable, "unscannable:damaged: "+r.Evidence)
	}
}

func isOffice(name string) bool {
	return slices.Contains(strings.Fields("docx docm dotx dotm xlsx xlsm xltx xltm xlsb xlam pptx pptm potx potm ppsx ppsm ppam odt ods odp ott ots otp odg"), sniff.Extension(name))
}

package policy

import (
	"cmp"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// Block is what becomes of a message in which there is a file of some types. For each
// type that is there the first block that applies decides, so one that delivers is an
// exception from those below it, for the types that it names and no others: a program
// that is called .rar is still a program.
type Block struct {
	Types     []string // "rar": by the octets or by a name; ".rar": by a name
	Domains   []string // of our side: recipients inward, the sender outward; none: all
	Direction string   // "inward", "outward" or "" for both
	Outside   bool     // only what comes from those who may not relay
	Action    Action
	Strip     bool // with Deliver: without the file
	Reply     msg.Reply
	Place     string
}

// Names tells whether some block speaks of the type of a file.
func (p *Policy) Names(fileType string) bool {
	return slices.ContainsFunc(p.Blocks, func(b Block) bool { return b.names(fileType) })
}

func (b Block) names(fileType string) bool {
	return slices.Contains(b.Types, fileType) || slices.Contains(b.Types, strings.TrimPrefix(fileType, "."))
}

// ours is whose rules hold for a copy.
func ours(in Input, to msg.Path, outward bool) string {
	if outward {
		return in.Message.Envelope.From.Domain
	}
	return to.Domain
}

func (b Block) applies(f msg.Weighed, in Input, domain, dir string) bool {
	switch {
	case f.Type == "" || !b.names(f.Type):
		return false
	case b.Direction != "" && b.Direction != dir:
		return false
	case b.Outside && in.Message.Session.Outbound:
		return false
	}
	return len(b.Domains) == 0 || slices.ContainsFunc(b.Domains, func(p string) bool { return match(strings.ToLower(p), domain) >= 0 })
}

// block takes the gravest of what the types of files ask for. What is to go without a
// file and cannot, because it is signed or may be read in two ways, is held whole.
func (p *Policy) block(d msg.Decision, in Input, domain, dir string) msg.Decision {
	var strip []msg.Finding
	var place string // of the first that strips
	for _, f := range d.Why.Counted {
		i := slices.IndexFunc(p.Blocks, func(b Block) bool { return b.applies(f, in, domain, dir) })
		if i < 0 {
			continue
		}
		b := p.Blocks[i]
		if b.Strip {
			strip, place = append(strip, f.Finding), cmp.Or(place, b.Place)
		}
		d = worse(d, b.Action, f.Symbol, b.Place, b.reply(f.Type))
	}
	if len(strip) == 0 || d.Action != msg.Deliver {
		return d
	}
	if in.Removable == nil || !in.Removable(strip) {
		return worse(d, msg.Quarantine, strip[0].Symbol, place, msg.Reply{})
	}
	d.Strip, d.Reason, d.Rule = strip, strip[0].Symbol, place
	return d
}

// reply says which type it was, unless the administrator has said something.
func (b Block) reply(fileType string) msg.Reply {
	if b.Action != msg.Reject || b.Reply != (msg.Reply{}) {
		return b.Reply
	}
	return msg.Reply{Code: 550, Detail: "7.1", Text: "Khong nhan loai tep nay / This type of file is not accepted: " + strings.TrimPrefix(fileType, ".")}
}

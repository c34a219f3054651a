package rules

import (
	"regexp"
	"slices"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/scanproto"
	"congthu/internal/tomlfile"
)

type block struct {
	Types     []string `toml:"types"`
	Domains   []string `toml:"domains"`
	Direction string   `toml:"direction"`
	From      string   `toml:"from"`
	Action    string   `toml:"action"`
	Reply     string   `toml:"reply"`
}

func (r *policyReader) block(b block, i int) policy.Block {
	if len(b.Types) == 0 {
		r.complain(lang.T("mục block chưa có types", "this block names no types"), lang.T("thêm types = [\"exe\", \"script\"]", "add types = [\"exe\", \"script\"]"), "block", i)
	}
	for j, t := range b.Types {
		r.fileType(t, "block", i, "types", j)
	}
	r.direction(b.Direction, "block", i, "direction")
	if b.From != "" && b.From != "outside" {
		r.complain(lang.T("from chỉ có thể là outside", "from can only be outside"), lang.T("xoá dòng này để áp dụng với mọi nơi gửi", "delete the line to mean every sender"), "block", i, "from")
	}
	out := policy.Block{Place: place(r.file, "block", i), Types: b.Types, Domains: b.Domains, Direction: b.Direction, Outside: b.From != ""}
	if out.Strip = b.Action == "strip"; out.Strip {
		out.Action = msg.Deliver
	} else {
		out.Action = r.blockAction(b.Action, "block", i, "action")
	}
	out.Reply = r.reply(b.Reply, out.Action, "block", i, "reply")
	return out
}

func (r *policyReader) blockAction(word string, key ...any) policy.Action {
	switch word {
	case "deliver", "quarantine", "reject":
		return r.action(word, key...)
	}
	r.complain(lang.T("không có hành động '"+word+"' cho loại tệp", "there is no action '"+word+"' for types of files"), lang.T("dùng deliver, strip, quarantine hoặc reject", "use deliver, strip, quarantine or reject"), key...)
	return msg.Quarantine
}

var extensionForm = regexp.MustCompile(`^\.[a-z0-9][a-z0-9-]{0,15}$`)

// fileType: a word that nobody knows would block nothing, silently.
func (r *policyReader) fileType(t string, key ...any) {
	known := scanproto.Types()
	if slices.Contains(known, t) || extensionForm.MatchString(t) {
		return
	}
	hint := tomlfile.DidYouMean(t, known, lang.T("phần mở rộng lạ thì viết có dấu chấm, như \".dwg\"", "an unusual extension is written with its dot, such as \".dwg\""))
	r.complain(lang.T("không có loại tệp '"+t+"'", "there is no type of file '"+t+"'"), hint, key...)
}

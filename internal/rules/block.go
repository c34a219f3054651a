package rules

import (
	"regexp"
	"slices"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/scanproto"
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
	hint := lang.T("phần mở rộng lạ thì viết có dấu chấm, như \".dwg\"", "an unusual extension is written with its dot, such as \".dwg\"")
	if near := nearest(t, known); near != "" {
		hint = lang.T("có phải '"+near+"'? ", "did you mean '"+near+"'? ").Also(hint)
	}
	r.complain(lang.T("không có loại tệp '"+t+"'", "there is no type of file '"+t+"'"), hint, key...)
}

// nearest returns the word that the least changes lead to, "" when all are far off.
func nearest(word string, words []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+len(word)/3
	for _, w := range words {
		if n := distance(word, w); n <= least && (best == "" || n < least) {
			best, least = w, n
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace between two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := last
			if a[i] != b[j] {
				changed++
			}
			last = row[j+1]
			row[j+1] = min(changed, last+1, row[j]+1)
		}
	}
	return row[len(b)]
}

package rules

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/tomlfile"
)

type policyFile struct {
	Inward  threshold         `toml:"inward"`
	Outward threshold         `toml:"outward"`
	Agency  []agency          `toml:"agency"`
	Blind   map[string]string `toml:"blind"`
	Force   []force           `toml:"force"`
	Block   []block           `toml:"block"`
	Encrypt encrypt           `toml:"encrypt"`
	Decrypt decrypt           `toml:"decrypt"`
}

type threshold struct {
	Required float64 `toml:"required"`
	Spam     string  `toml:"spam"`
	RejectAt float64 `toml:"reject_at"`
}

type agency struct {
	Domains  []string `toml:"domains"`
	Required float64  `toml:"required"`
	Spam     string   `toml:"spam"`
	RejectAt float64  `toml:"reject_at"`
}

type force struct {
	Symbols   []string `toml:"symbols"`
	Action    string   `toml:"action"`
	Direction string   `toml:"direction"`
	Reply     string   `toml:"reply"`
}

// policyReader resolves a policyFile and collects every complaint about it.
type policyReader struct {
	file       *tomlfile.File
	symbols    map[string]policy.Weight
	inspectors []string
	problems   tomlfile.Problems
}

func loadPolicy(dir string, w policy.Weights, inspectors []string) (*policy.Policy, error) {
	var f policyFile
	file, err := tomlfile.Read(filepath.Join(dir, "policy.toml"), &f)
	if err != nil {
		return nil, err
	}
	r := &policyReader{file: file, symbols: w.Symbols, inspectors: inspectors}
	p := &policy.Policy{
		Weights: w,
		Inward:  r.threshold(f.Inward, "inward"),
		Outward: r.threshold(f.Outward, "outward"),
		Blind:   r.blind(f.Blind),
		BlindAt: map[string]string{},
		Encrypt: r.encrypt(f.Encrypt),
		Decrypt: r.decrypt(f.Decrypt),
	}
	for name := range f.Blind {
		p.BlindAt[name] = place(file, "blind", name)
	}
	for i, a := range f.Agency {
		p.Agencies = append(p.Agencies, r.agency(a, i))
	}
	for i, x := range f.Block {
		p.Blocks = append(p.Blocks, r.block(x, i))
	}
	for i, x := range f.Force {
		p.Forces = append(p.Forces, r.force(x, i))
	}
	return p, sorted(r.problems).Err()
}

func (r *policyReader) complain(what, hint lang.Text, key ...any) {
	r.problems = append(r.problems, r.file.At(what, hint, key...))
}

func (r *policyReader) threshold(t threshold, key ...any) policy.Threshold {
	spam := r.action(t.Spam, append(key, "spam")...)
	if t.RejectAt > 0 && t.RejectAt < t.Required {
		r.complain(lang.T("reject_at thấp hơn required", "reject_at is below required"), lang.T("đặt reject_at cao hơn required, hoặc 0", "set reject_at above required, or to 0"), append(key, "reject_at")...)
	}
	return policy.Threshold{Required: t.Required, Spam: spam, RejectAt: t.RejectAt, Place: place(r.file, append(key, "required")...)}
}

func (r *policyReader) agency(a agency, i int) policy.Agency {
	if len(a.Domains) == 0 {
		r.complain(lang.T("mục agency chưa có domains", "this agency names no domains"), lang.T("thêm domains = [\"…\"]", "add domains = [\"…\"]"), "agency", i)
	}
	return policy.Agency{Domains: a.Domains, Threshold: r.threshold(threshold{a.Required, a.Spam, a.RejectAt}, "agency", i)}
}

func (r *policyReader) action(word string, key ...any) policy.Action {
	switch word {
	case "deliver":
		return msg.Deliver
	case "quarantine":
		return msg.Quarantine
	case "reject":
		return msg.Reject
	case "defer":
		return msg.Defer
	}
	r.complain(lang.T("không có hành động '"+word+"'", "there is no action '"+word+"'"), lang.T("dùng deliver, quarantine, reject hoặc defer", "use deliver, quarantine, reject or defer"), key...)
	return msg.Defer
}

func (r *policyReader) blind(in map[string]string) map[string]policy.Action {
	out := map[string]policy.Action{}
	for name, word := range in {
		if !slices.Contains(r.inspectors, name) {
			r.complain(lang.T("không có bộ kiểm tra '"+name+"'", "there is no inspector '"+name+"'"), lang.T("có: ", "there are: ").Plus(strings.Join(r.inspectors, ", ")), "blind", name)
		}
		out[name] = r.action(word, "blind", name)
	}
	return out
}

func (r *policyReader) force(f force, i int) policy.Force {
	for j, s := range f.Symbols {
		if _, ok := r.symbols[s]; !ok {
			r.complain(lang.T("không có dấu hiệu "+s+" trong weights.toml", "the symbol "+s+" is not in weights.toml"), lang.T("sửa tên dấu hiệu", "correct the symbol"), "force", i, "symbols", j)
		}
	}
	r.direction(f.Direction, "force", i, "direction")
	out := policy.Force{Place: place(r.file, "force", i), Symbols: f.Symbols, Direction: f.Direction, Action: r.action(f.Action, "force", i, "action")}
	out.Reply = r.reply(f.Reply, out.Action, "force", i, "reply")
	return out
}

func (r *policyReader) direction(d string, key ...any) {
	if d != "" && d != "inward" && d != "outward" {
		r.complain(lang.T("direction là inward hoặc outward", "direction is inward or outward"), tomlfile.DidYouMean(d, []string{"inward", "outward"}, lang.T("xoá dòng này để áp dụng cả hai chiều", "delete the line to mean both")), key...)
	}
}

var replyForm = regexp.MustCompile(`^([45])([0-9]{2}) ([45])\.([0-9]{1,3}\.[0-9]{1,3}) ([ -~]{1,400})$`)

// reply reads "550 5.7.1 text". The class digits must agree with each other and with
// the action, so that no rule file can make a refusal temporary by a slip.
func (r *policyReader) reply(text string, a policy.Action, key ...any) msg.Reply {
	if text == "" {
		return msg.Reply{}
	}
	m := replyForm.FindStringSubmatch(text)
	want := map[policy.Action]string{msg.Reject: "5", msg.Defer: "4"}[a]
	if m == nil || m[1] != m[3] || m[1] != want {
		r.complain(lang.T("câu trả lời SMTP không hợp lệ hoặc không khớp hành động", "the SMTP reply is malformed or does not fit the action"), lang.T("viết không dấu, như \"550 5.7.1 …\" cho reject, \"451 4.7.1 …\" cho defer", "write ASCII such as \"550 5.7.1 …\" for reject, \"451 4.7.1 …\" for defer"), key...)
		return msg.Reply{}
	}
	code, _ := strconv.Atoi(m[1] + m[2]) // three digits by the pattern
	return msg.Reply{Code: code, Detail: m[4], Text: m[5]}
}

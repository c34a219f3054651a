package rules

import (
	"regexp"
	"slices"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/tomlfile"
)

type encrypt struct {
	WhenKey  bool          `toml:"when_key"`
	Must     []string      `toml:"must"`
	NoKey    string        `toml:"no_key"`
	Unusable string        `toml:"unusable"`
	Subject  string        `toml:"subject"`
	Tags     []string      `toml:"tags"`
	Header   string        `toml:"header"`
	Rule     []encryptRule `toml:"rule"`
}

type encryptRule struct {
	Direction string   `toml:"direction"`
	From      []string `toml:"from"`
	To        []string `toml:"to"`
	Encrypt   string   `toml:"encrypt"`
	Sign      bool     `toml:"sign"`
}

// fieldForm is a name that may stand in a header (RFC 5322 section 3.6.8).
var fieldForm = regexp.MustCompile(`^[!-9;-~]{1,60}$`)

func (r *policyReader) encrypt(e encrypt) policy.Encrypt {
	out := policy.Encrypt{WhenKey: e.WhenKey, Must: e.Must, Tags: e.Tags, Header: e.Header, Place: place(r.file, "encrypt", "must")}
	out.NoKey = r.oneOf(e.NoKey, []string{"reject", "hold"}, "encrypt", "no_key")
	out.Unusable = r.oneOf(e.Unusable, []string{"hold", "reject", "clear"}, "encrypt", "unusable")
	switch e.Subject {
	case "", "keep":
	case "hide":
		out.HideSubject = true
	default:
		r.complain(lang.T("subject là keep hoặc hide", "subject is keep or hide"), tomlfile.DidYouMean(e.Subject, []string{"keep", "hide"}, lang.T("keep: tiêu đề vẫn đọc được; hide: người ngoài chỉ thấy [...]", "keep: it stays readable; hide: outsiders see [...]")), "encrypt", "subject")
	}
	if e.Header != "" && !fieldForm.MatchString(e.Header) {
		r.complain(lang.T("header không phải tên trường thư", "header is not the name of a header field"), lang.T("viết như X-Congthu-Encrypt", "write it like X-Congthu-Encrypt"), "encrypt", "header")
	}
	for i, t := range e.Tags {
		if len(t) < 3 {
			r.complain(lang.T("dấu hiệu trong tiêu đề quá ngắn", "the word in the subject is too short"), lang.T("viết như [mahoa]", "write it like [encrypt]"), "encrypt", "tags", i)
		}
	}
	for i, x := range e.Rule {
		out.Rules = append(out.Rules, r.encryptRule(x, i))
	}
	return out
}

// oneOf reads what becomes of a letter that cannot be encrypted; the first word is the
// default.
func (r *policyReader) oneOf(word string, words []string, key ...any) policy.Action {
	if word == "" {
		word = words[0]
	}
	if !slices.Contains(words, word) {
		r.complain(lang.T("không có hành động '"+word+"' ở đây", "there is no action '"+word+"' here"), tomlfile.DidYouMean(word, words, lang.T("dùng: ", "use: ").Plus(strings.Join(words, ", "))), key...)
		return msg.Quarantine
	}
	return map[string]policy.Action{"reject": msg.Reject, "hold": msg.Quarantine, "clear": msg.Deliver}[word]
}

func (r *policyReader) encryptRule(x encryptRule, i int) policy.EncryptRule {
	r.direction(x.Direction, "encrypt", "rule", i, "direction")
	mode := policy.Mode(x.Encrypt)
	modes := []string{string(policy.Never), string(policy.Opportunistic), string(policy.Required)}
	switch {
	case x.Encrypt == "" && x.Sign:
	case !slices.Contains(modes, x.Encrypt):
		r.complain(lang.T("encrypt = '"+x.Encrypt+"' không dùng được", "encrypt = '"+x.Encrypt+"' is not possible"), tomlfile.DidYouMean(x.Encrypt, modes, lang.T("dùng never, opportunistic hoặc required", "use never, opportunistic or required")), "encrypt", "rule", i, "encrypt")
		mode = policy.Required
	}
	for side, list := range map[string][]string{"from": x.From, "to": x.To} {
		r.recipients(list, "encrypt", "rule", i, side)
	}
	return policy.EncryptRule{Direction: x.Direction, From: x.From, To: x.To, Mode: mode, Sign: x.Sign}
}

// recipients checks a list of addresses, domains and *.domains.
func (r *policyReader) recipients(list []string, key ...any) {
	for j, p := range list {
		if strings.TrimSpace(p) != p || p == "" || strings.Count(p, "@") > 1 || strings.HasPrefix(p, "@") {
			r.complain(lang.T("'"+p+"' không phải địa chỉ hay tên miền", "'"+p+"' is no address and no domain"), lang.T("viết như a@tinh.gov.vn, tinh.gov.vn hoặc *.tinh.gov.vn", "write a@tinh.gov.vn, tinh.gov.vn or *.tinh.gov.vn"), append(slices.Clone(key), j)...)
		}
	}
}

package rules

import (
	"congthu/internal/lang"
	"congthu/internal/policy"
)

type decrypt struct {
	Deliver string        `toml:"deliver"`
	Rule    []decryptRule `toml:"rule"`
}

type decryptRule struct {
	To      []string `toml:"to"`
	Deliver string   `toml:"deliver"`
}

func (r *policyReader) decrypt(x decrypt) policy.Decrypt {
	out := policy.Decrypt{Deliver: r.delivers(x.Deliver, "decrypt", "deliver")}
	for i, rule := range x.Rule {
		r.recipients(rule.To, "decrypt", "rule", i, "to")
		out.Rules = append(out.Rules, policy.DecryptRule{To: rule.To, Deliver: r.delivers(rule.Deliver, "decrypt", "rule", i, "deliver")})
	}
	return out
}

// delivers reads in which form a letter is delivered.
func (r *policyReader) delivers(word string, key ...any) bool {
	switch word {
	case "", "as-received":
	case "decrypted":
		return true
	default:
		r.complain(lang.T("deliver là as-received hoặc decrypted", "deliver is as-received or decrypted"), lang.T("as-received: giao nguyên bản mã hoá; decrypted: giao bản đã giải mã", "as-received: the encrypted letter as it came; decrypted: what was inside"), key...)
	}
	return false
}

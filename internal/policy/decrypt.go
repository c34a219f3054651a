package policy

import "congthu/internal/msg"

// Decrypt says who gets letters as they were before they were encrypted. The first rule that
// fits a recipient decides.
type Decrypt struct {
	Deliver bool // where no rule fits
	Rules   []DecryptRule
}

// DecryptRule is what holds for some recipients.
type DecryptRule struct {
	To      []string // addresses, domains or *.domains; none: all
	Deliver bool
}

// Delivers tells whether a recipient gets them so.
func (x Decrypt) Delivers(to msg.Path) bool {
	for _, r := range x.Rules {
		if anyOf(r.To, to) {
			return r.Deliver
		}
	}
	return x.Deliver
}

// Opens tells whether a copy that goes inward is delivered decrypted. Only a key of the recipient's own
// domain opens it for him: a letter that somebody has caught and sends on to himself stays
// closed. And what has to be encrypted for a recipient is not laid open on the way to him.
func (p *Policy) Opens(in Input, to msg.Path) bool {
	if in.Opened == nil || !p.Decrypt.Delivers(to) || !in.Opened(to) {
		return false
	}
	switch mode, _ := p.Encrypt.rules(in, to, direction(false)); mode {
	case Required:
		return false
	case Opportunistic:
		return in.Keys[to.Key()].Fingerprint == ""
	}
	return true
}

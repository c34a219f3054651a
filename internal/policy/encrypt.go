package policy

import (
	"slices"
	"strings"

	"congthu/internal/msg"
)

// Mode says how much encryption the letters to somebody need.
type Mode string

// The modes, from the least to the most.
const (
	Never         Mode = "never"
	Opportunistic Mode = "opportunistic" // when a key is pinned
	Required      Mode = "required"      // or the letter does not leave
)

// Encrypt says who must, may or must not get encrypted copies, and which letters the
// gateway signs. The first rule that fits a copy decides, then Must, then WhenKey; a wish of
// the sender's makes any of them Required.
//
// A pinned key that has become unusable (expired, revoked) is not the same as no key: an
// administrator has said that this recipient gets encrypted mail, and whoever lets a key
// expire must not find the letters in the clear. So Unusable holds by default, and Deliver
// has to be asked for. It does not count where encryption is required.
type Encrypt struct {
	WhenKey     bool     // Opportunistic where no rule fits; else Never
	Must        []string // recipient domains for which it is Required where no rule fits
	Rules       []EncryptRule
	NoKey       Action // Required, and there is no usable key: Reject or Quarantine
	Unusable    Action // Opportunistic, and the pinned key is unusable: Quarantine, Reject, or Deliver in the clear
	HideSubject bool
	Tags        []string // words in the subject by which our own senders ask for encryption
	Header      string   // a field by which they do; "": none
	Place       string   // of the setting, for explain
}

// EncryptRule is what holds for some letters.
type EncryptRule struct {
	Direction string   // "inward", "outward" or "" for both
	From, To  []string // addresses, domains or *.domains; none: all
	Mode      Mode     // "": as if the rule did not fit, it is about signing
	Sign      bool     // by the key of the author's domain
}

// Key is what is known of a recipient's key.
type Key struct {
	Fingerprint string
	Trouble     string // the symbol of why it cannot be used; "": it can
	Note        string // evidence for it
}

// Symbols of this stage.
const (
	NoKey     = "ENCRYPT_NO_KEY"
	OnlyPart  = "ENCRYPT_PARTLY"
	SignedMsg = "ENCRYPT_SIGNED"
	NotSigned = "PGP_NOT_SIGNED"
	SignKey   = "PGP_SIGN_KEY"
)

// Symbols are those that Decide itself may report.
func Symbols() []string { return []string{NoKey, OnlyPart, SignedMsg, NotSigned, SignKey} }

// Encryption tells whether a decision was brought about by this stage: such a letter waits
// for a key, and its sender may be told so.
func Encryption(reason string) bool {
	return strings.HasPrefix(reason, "ENCRYPT_") || strings.HasPrefix(reason, "PGP_KEY_")
}

// Matters tells whether it makes a difference to this stage how a message is protected;
// of in, the wishes of the sender have to be there.
func (e Encrypt) Matters(in Input) bool { return len(e.Must) > 0 || len(e.Rules) > 0 || e.asked(in) }

// asked tells whether one of our own senders wants the letter encrypted. Strangers have no
// say in what may leave.
func (e Encrypt) asked(in Input) bool {
	if !in.Message.Session.Outbound {
		return false
	}
	subject := strings.ToLower(in.Subject)
	tagged := slices.ContainsFunc(e.Tags, func(t string) bool { return t != "" && strings.Contains(subject, strings.ToLower(t)) })
	return tagged || e.Header != "" && slices.ContainsFunc(in.Asks, yes)
}

func yes(v string) bool {
	return slices.Contains([]string{"yes", "true", "1", "co", "có"}, strings.ToLower(strings.TrimSpace(v)))
}

// rules returns the mode of one copy and whether it is to be signed.
func (e Encrypt) rules(in Input, to msg.Path, dir string) (Mode, bool) {
	mode, sign := Mode(""), false
	for _, r := range e.Rules {
		if !r.fits(in.Message.Envelope.From, to, dir) {
			continue
		}
		sign = sign || r.Sign
		if mode == "" {
			mode = r.Mode
		}
	}
	switch {
	case e.asked(in):
		mode = Required
	case mode != "":
	case slices.ContainsFunc(e.Must, func(p string) bool { return match(strings.ToLower(p), to.Domain) >= 0 }):
		mode = Required
	case e.WhenKey:
		mode = Opportunistic
	default:
		mode = Never
	}
	return mode, sign
}

// Hushes tells whether a copy's subject is for its reader alone: the copy goes encrypted with
// the subject hidden, or does not go for want of a key.
func (e Encrypt) Hushes(in Input, to msg.Path, outward bool) bool {
	mode, _ := e.rules(in, to, direction(outward))
	return e.HideSubject && (mode == Required || mode == Opportunistic && in.Keys[to.Key()].Fingerprint != "")
}

func (r EncryptRule) fits(from, to msg.Path, dir string) bool {
	return (r.Direction == "" || r.Direction == dir) && anyOf(r.From, from) && anyOf(r.To, to)
}

func anyOf(patterns []string, p msg.Path) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if i := strings.LastIndexByte(pattern, '@'); i >= 0 {
			return pattern[:i] == strings.ToLower(p.Local) && spelled(pattern[i+1:]) == spelled(p.Domain)
		}
		return match(pattern, p.Domain) >= 0
	})
}

// Apply chooses encryption and signature for one recipient. What is protected end to end
// already is never touched; what must be encrypted and cannot be does not leave.
func (e Encrypt) Apply(d msg.Decision, in Input, to msg.Path, outward bool) msg.Decision {
	mode, sign := e.rules(in, to, direction(outward))
	if in.Protected != "" {
		return e.protected(d, in, mode)
	}
	if sign {
		d = e.sign(d, in)
	}
	if mode == Never {
		return d
	}
	key := in.Keys[to.Key()]
	switch {
	case key.Fingerprint != "" && key.Trouble == "":
		d.EncryptTo = []string{key.Fingerprint}
	case mode == Required && key.Trouble != "":
		d = e.withhold(note(d, key.Trouble, key.Note), e.NoKey, key.Trouble)
	case mode == Required:
		d = e.withhold(note(d, NoKey, to.Key()), e.NoKey, NoKey)
	case key.Fingerprint != "" && e.Unusable != msg.Deliver:
		d = e.withhold(note(d, key.Trouble, key.Note), e.Unusable, key.Trouble)
	case key.Trouble != "": // it goes in the clear, and says why; what is only proposed is no key yet
		d = note(d, key.Trouble, key.Note)
	}
	if in.Signable != nil && d.Sign != "" && len(d.EncryptTo) == 0 && d.Action == msg.Deliver && !in.Signable(d) {
		d.Sign = ""
		d = note(d, NotSigned, "")
	}
	return d
}

// protected decides about a letter that is not altered. Only what is encrypted in fact, all
// of it, fulfils a requirement.
func (e Encrypt) protected(d msg.Decision, in Input, mode Mode) msg.Decision {
	switch {
	case mode != Required || in.Sealed:
		return d
	case strings.HasSuffix(in.Protected, "-signed"):
		return e.withhold(note(d, SignedMsg, in.Protected), e.NoKey, SignedMsg)
	}
	return e.withhold(note(d, OnlyPart, in.Protected), e.NoKey, OnlyPart)
}

// sign chooses the key: that of the author's domain, for letters of our own senders. The
// gateway never vouches for what a stranger has written. A key that is there and does not
// sign (it has expired, its passphrase is lost) is for an administrator: the letter is held,
// for the sender could try as often as it likes.
func (e Encrypt) sign(d msg.Decision, in Input) msg.Decision {
	if !in.Message.Session.Outbound {
		return d
	}
	have, err := false, error(nil)
	if in.Author != "" && in.Signer != nil {
		have, err = in.Signer(in.Author)
	}
	switch {
	case !have:
		return note(d, NotSigned, in.Author)
	case err != nil:
		d = worse(note(d, SignKey, in.Author+": "+err.Error()), msg.Quarantine, SignKey, e.Place, msg.Reply{})
	}
	d.Sign = in.Author
	return d
}

// withhold holds or refuses; anything else that a policy might say is taken for a hold.
func (e Encrypt) withhold(d msg.Decision, a Action, reason string) msg.Decision {
	if a == msg.Reject {
		return refuse(d, reason, e.Place, refusal(reason))
	}
	return worse(d, msg.Quarantine, reason, e.Place, msg.Reply{})
}

func refusal(reason string) msg.Reply {
	r := msg.Reply{Code: 550, Detail: "7.10", Text: "Phai ma hoa nhung khoa cua nguoi nhan khong dung duoc / Encryption required, but the recipient's key cannot be used"}
	switch reason {
	case SignedMsg:
		r.Text = "Phai ma hoa nhung thu da ky so, xin ma hoa tu may gui / Encryption required, and a signed message is not altered here: encrypt at the sender"
	case OnlyPart:
		r.Text = "Phai ma hoa nhung thu chi ma hoa mot phan, xin ma hoa ca thu / Encryption required, and only a part of this message is encrypted: encrypt all of it"
	case NoKey:
		r.Text = "Phai ma hoa nhung chua co khoa cua nguoi nhan / Encryption required, but no key is known for the recipient"
	}
	return r
}

// note adds a finding of this stage to the reasons of one copy; it counts nothing.
func note(d msg.Decision, symbol, evidence string) msg.Decision {
	d.Why.Counted = append(slices.Clip(d.Why.Counted), msg.Weighed{Finding: msg.Finding{Symbol: symbol, Evidence: evidence}})
	return d
}

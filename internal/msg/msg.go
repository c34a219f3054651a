// Package msg holds the nouns of the gateway: what a message is, what is found
// in it, what is decided about it and what is answered. It uses the standard
// library only and does no I/O, so every other package may speak in its words.
//
// The path of a message is: accept -> authenticate -> inspect -> scan ->
// decide -> encrypt -> deliver | hold.
package msg

import (
	"context"
	"net/netip"
	"time"
)

// Message is one accepted DATA: what the client said about it and its octets.
// It is fixed once accepted; the stages read it and return facts. Only the
// pipeline fills Rules (first of all), Root and Text (after parsing) and Auth (after
// authenticating).
//
// Raw is held in memory: smtpd bounds the sum over all sessions, and every
// reader (DKIM, MIME, YARA, the next hop) wants the same octets.
type Message struct {
	ID       string    // unique, safe in headers and file names, spoken over the phone
	Received time.Time // when DATA was complete
	Session  Session
	Envelope Envelope
	Raw      []byte // as received after dot-unstuffing: CRLF lines, never a bare CR, LF or NUL
	Root     *Part  // nil until parsed
	Text     *Text  // nil until parsed
	Auth     []AuthResult
	Opened   []*Message // what was encrypted in it, each as a letter of its own
	Inside   *Inside    // of one of Opened: where it was
	Rules    string     // hash of the rule set that judges it; "" before that is settled
}

// Session is what is known about the SMTP client.
type Session struct {
	Remote   netip.AddrPort // the client, or what XCLIENT or PROXY said it is
	Helo     string         // argument of EHLO or HELO, as sent
	ESMTP    bool
	TLS      string // "" or the protocol and cipher, such as "TLS1.3 TLS_AES_128_GCM_SHA256"
	Listener string // the listener's address as configured
	Outbound bool   // the client may relay outward: Identity says why
	Identity Identity
}

// Inside says of a letter that was encrypted in another where it was.
type Inside struct {
	At    string // how the paths of its parts begin when they are told of the letter around it
	Whole bool   // it was all of that letter, and may be delivered in its place
	By    string // fingerprint of the key that opened it
	Sign  string // what came of its signature: good, bad, unknown; "": it has none
}

// Envelope is the SMTP envelope (RFC 5321 section 2.3.1).
type Envelope struct {
	From     Path   // the zero Path is the null sender <>
	To       []Path // in the order of the accepted RCPT commands
	SMTPUTF8 bool   // MAIL asked for SMTPUTF8 (RFC 6531)
	EightBit bool   // MAIL said BODY=8BITMIME (RFC 6152)
}

// AuthResult is one method of Authentication-Results, in the words of RFC 8601:
// Method "spf", Status "pass", Property "smtp.mailfrom", Value "a@example.vn".
type AuthResult struct {
	Method, Status, Property, Value, Reason string
}

// Finding is a fact about a message. It carries no weight: the weight and the
// sentences that explain it are the administrator's, in rules/weights.toml.
type Finding struct {
	Symbol   string `json:"symbol"`             // such as LINK_TEXT_DIFFERS
	Evidence string `json:"evidence,omitempty"` // what was seen, shortened; untrusted text
	Part     string `json:"part,omitempty"`     // Path of the part; "" is the message
	Percent  int    `json:"percent,omitempty"`  // how much of the symbol's weight a rule asks for, 1 to 100; 0: all of it
	VI       string `json:"vi,omitempty"`       // the sentence of the rule itself, untrusted;
	EN       string `json:"en,omitempty"`       // "": that of the symbol
	Type     string `json:"type,omitempty"`     // of a file that there is: "rar" by its octets, ".rar" by its name
}

// Inspector looks at a message and reports facts. An error means "could not
// look", which is never the same as "found nothing".
type Inspector interface {
	Name() string
	Inspect(context.Context, *Message) ([]Finding, []AuthResult, error)
}

// Explainer is an inspector that can say more about what it reports than fits into
// Evidence, such as a classifier its strongest features. It is asked by explain, after
// Inspect, and never on the path of a letter, so it may take longer.
type Explainer interface {
	Explain(context.Context, *Message) ([]Note, error)
}

// Note is one line of explanation under a symbol, the most telling first. A text that
// is empty in one language is shown in the other. It may hold words of the message:
// whoever prints it escapes it.
type Note struct {
	Symbol string `json:"symbol"`
	VI     string `json:"vi"`
	EN     string `json:"en"`
}

// Outcome is what came of running one inspector.
type Outcome struct {
	Inspector string
	Findings  []Finding
	Auth      []AuthResult
	Err       error // could not look; its text is for the log only
	Took      time.Duration
}

// Weighed is a finding with the score it was counted at, after group caps.
type Weighed struct {
	Finding
	Score float64 `json:"score"`
}

// Verdict is the sum of what was found and of what could not be seen.
type Verdict struct {
	Score    float64
	Required float64   // the score from which the message is called spam
	Counted  []Weighed // in the order found
	Blind    []string  // required inspectors that could not look
}

// Spam tells whether the verdict reaches its own required score.
func (v Verdict) Spam() bool { return v.Required > 0 && v.Score >= v.Required }

// Action is what becomes of a message for some recipients.
type Action uint8

// The zero value is the safe one: the sender keeps the message.
const (
	Defer Action = iota
	Deliver
	Quarantine
	Reject
)

// String returns the lower-case English word that is used in logs and JSON.
func (a Action) String() string {
	switch a {
	case Deliver:
		return "deliver"
	case Quarantine:
		return "quarantine"
	case Reject:
		return "reject"
	}
	return "defer"
}

// Decision is the fate that some recipients of a message share.
type Decision struct {
	Action    Action
	To        []Path
	NextHop   string    // for Deliver: host:port or "mx"
	EncryptTo []string  // fingerprints; the copy for To must be encrypted to these or not leave
	Sign      string    // domain whose OpenPGP key signs the copy; "": none
	Open      bool      // for Deliver: the copy is what was encrypted, not the letter as it came
	Strip     []Finding // for Deliver: the copy goes without the parts of these; the original is held as well
	Reply     Reply     // what the sender is told
	Reason    string    // the symbol that decided, such as SCORE or DMARC_REJECT
	Rule      string    // where that stands, such as "policy.toml:57"; "": nothing but the delivery itself
	Why       Verdict
}

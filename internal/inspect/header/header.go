// Package header looks at who a message claims to be from and at how its header and
// its MIME structure are made.
//
// It reports facts; what they weigh is in rules/weights.toml. A message that was not
// parsed is an error, since nothing was looked at.
package header

import (
	"context"
	"errors"
	"strings"
	"time"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// Brand is a bank, an agency or a service whose name phishers use.
type Brand struct {
	Name    string
	Words   []string // other names a display name may carry, such as "VCB"
	Domains []string // from which the brand really writes; subdomains included
}

// Options tell the inspector whom it protects.
type Options struct {
	Local    func(domain string) bool // our own domains; nil means none
	Domains  []string                 // the same, as far as they can be listed: "a.vn", "*.a.vn"
	Brands   []Brand
	Agencies []Agency
}

// The symbols. Each stands for one fact.
const (
	FromMissing      = "HEADER_FROM_MISSING"
	FromMany         = "HEADER_FROM_MANY"
	FromAmbiguous    = "HEADER_FROM_AMBIGUOUS"
	DateMissing      = "HEADER_DATE_MISSING"
	DateFuture       = "HEADER_DATE_FUTURE"
	DateOld          = "HEADER_DATE_OLD"
	MessageIDMissing = "HEADER_MSGID_MISSING"
	SubjectEmpty     = "HEADER_SUBJECT_EMPTY"
	ToMissing        = "HEADER_TO_MISSING"
	Duplicate        = "HEADER_DUPLICATE"
	NameIsAddress    = "FROM_NAME_IS_ADDRESS"
	NameBrand        = "FROM_NAME_BRAND"
	NameAgency       = "FROM_NAME_AGENCY"
	LocalFromOutside = "FROM_LOCAL_FROM_OUTSIDE"
	ReplyToDiffers   = "REPLY_TO_DIFFERS"
	SenderDiffers    = "SENDER_DIFFERS"
	EnvelopeDiffers  = "FROM_ENVELOPE_DIFFERS"
	DomainLookalike  = "FROM_DOMAIN_LOOKALIKE"
	GovLookalike     = "FROM_DOMAIN_GOV_LOOKALIKE"
	Raw8Bit          = "HEADER_8BIT_RAW"
	AdLabel          = "SUBJECT_AD_LABEL"
	MIMEAmbiguous    = "MIME_AMBIGUOUS"
	MIMELimit        = "MIME_LIMIT"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string {
	return []string{
		FromMissing, FromMany, FromAmbiguous, DateMissing, DateFuture, DateOld, MessageIDMissing, SubjectEmpty, ToMissing,
		Duplicate, NameIsAddress, NameBrand, NameAgency, LocalFromOutside,
		ReplyToDiffers, SenderDiffers, EnvelopeDiffers, DomainLookalike, GovLookalike, Raw8Bit,
		AdLabel, MIMEAmbiguous, MIMELimit,
	}
}

type inspector struct {
	local    func(domain string) bool
	own      []lookalike.Domain
	brands   []brand
	agencies []brand
}

// New returns the inspector named "header".
func New(o Options) msg.Inspector {
	i := &inspector{local: o.Local}
	if i.local == nil {
		i.local = func(string) bool { return false }
	}
	for _, d := range o.Domains {
		i.own = append(i.own, lookalike.New(d))
	}
	for _, b := range o.Brands {
		i.brands = append(i.brands, newBrand(b))
	}
	for _, a := range o.Agencies {
		i.agencies = append(i.agencies, newBrand(Brand(a)))
	}
	return i
}

// Name implements msg.Inspector.
func (*inspector) Name() string { return "header" }

// Inspect implements msg.Inspector.
func (i *inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if m.Root == nil {
		return nil, nil, errors.New("the message was not parsed")
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	r := report{root: m.Root}
	r.presence()
	r.date(m.Received)
	r.duplicates()
	r.rawOctets(m.Envelope.SMTPUTF8)
	r.adLabel()
	r.structure()
	i.author(&r, m)
	return r.found, nil, nil
}

// report collects the findings about one message.
type report struct {
	root  *msg.Part
	found []msg.Finding
}

const evidenceRunes = 200

func (r *report) add(symbol, evidence string) { r.addAt(symbol, evidence, "") }

func (r *report) addAt(symbol, evidence, part string) {
	r.found = append(r.found, msg.Finding{Symbol: symbol, Evidence: shorten(evidence), Part: part})
}

func shorten(s string) string {
	if len(s) > 4*evidenceRunes {
		s = s[:4*evidenceRunes]
	}
	runes := []rune(strings.ToValidUTF8(s, "\ufffd"))
	if len(runes) > evidenceRunes {
		return string(runes[:evidenceRunes-1]) + "…"
	}
	return string(runes)
}

// maxStructure bounds the findings about the structure: a message with a thousand
// broken parts is judged like one with a hundred.
const maxStructure = 100

// structure reports the ambiguities that make two readers see two messages, and the
// limits behind which nobody looked. Limits come first: the bound must not hide them.
func (r *report) structure() {
	r.structureOf(MIMELimit, mimetree.Limit)
	r.structureOf(MIMEAmbiguous, mimetree.Conflict)
}

func (r *report) structureOf(symbol string, wanted func(code string) bool) {
	n := 0
	r.root.Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			if n < maxStructure && wanted(a.Code) {
				r.addAt(symbol, a.Code, p.Path)
				n++
			}
		}
	})
}

// adLabel reports the label that advertising must carry first in its subject (Decree
// 91/2020/NĐ-CP). It is a fact without blame.
func (r *report) adLabel() {
	subject := strings.ToUpper(strings.TrimSpace(lookalike.Compatible(mimetree.DecodeWords(r.root.Get("Subject")))))
	for _, label := range []string{"[QC]", "[AD]"} {
		if strings.HasPrefix(subject, label) {
			r.add(AdLabel, label)
		}
	}
}

// Beyond these the Date was not written when the message was sent; queues hold mail
// for five days (RFC 5321 section 4.5.4.1), zones are off by hours.
const (
	maxFuture = 24 * time.Hour
	maxAge    = 15 * 24 * time.Hour
)

// date compares Date with the time of receipt.
func (r *report) date(received time.Time) {
	value := r.root.Get("Date")
	if value == "" {
		r.add(DateMissing, "")
		return
	}
	date, ok := parseDate(value)
	switch {
	case !ok:
		r.add(DateMissing, value) // there is none that can be read
	case received.IsZero():
	case date.After(received.Add(maxFuture)):
		r.add(DateFuture, value)
	case date.Before(received.Add(-maxAge)):
		r.add(DateOld, value)
	}
}

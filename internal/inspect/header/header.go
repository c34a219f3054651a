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
	Hostname string // of the gateway, as it stands in its Received

	Freemail    []string // domains of which anybody may have a mailbox
	AgencyWords []string // abbreviations of agencies that stand in mailbox names: "vpcp", "ubnd 25" (percent of the weight)
	Mailers     []string // programs that write to the whole world, as X-Mailer names them
}

// The symbols. Each stands for one fact.
const (
	FromMissing        = "HEADER_FROM_MISSING"
	FromMany           = "HEADER_FROM_MANY"
	FromAmbiguous      = "HEADER_FROM_AMBIGUOUS"
	DateMissing        = "HEADER_DATE_MISSING"
	DateInvalid        = "HEADER_DATE_INVALID"
	DateFuture         = "HEADER_DATE_FUTURE"
	DateOld            = "HEADER_DATE_OLD"
	ReceivedForged     = "HEADER_RECEIVED_FORGED"
	ReceivedTime       = "HEADER_RECEIVED_TIME"
	HeloOurs           = "HELO_OURS"
	MessageIDMissing   = "HEADER_MSGID_MISSING"
	MessageIDMalformed = "HEADER_MSGID_MALFORMED"
	MessageIDForeign   = "HEADER_MSGID_FOREIGN"
	SubjectEmpty       = "HEADER_SUBJECT_EMPTY"
	SubjectFakeReply   = "SUBJECT_FAKE_REPLY"
	SubjectTrick       = "SUBJECT_TRICK"
	SubjectShouts      = "SUBJECT_SHOUTS"
	SubjectPadded      = "SUBJECT_PADDED"
	ToMissing          = "HEADER_TO_MISSING"
	ToSelf             = "HEADER_TO_SELF"
	BccOnly            = "HEADER_BCC_ONLY"
	List               = "HEADER_LIST"
	Bulk               = "HEADER_BULK"
	Automatic          = "HEADER_AUTOMATIC"
	MailerBulk         = "HEADER_MAILER_BULK"
	MailerForged       = "HEADER_MAILER_FORGED"
	Duplicate          = "HEADER_DUPLICATE"
	NameIsAddress      = "FROM_NAME_IS_ADDRESS"
	NameBrand          = "FROM_NAME_BRAND"
	NameAgency         = "FROM_NAME_AGENCY"
	Freemail           = "FROM_FREEMAIL"
	FreemailAgency     = "FROM_FREEMAIL_AGENCY"
	LocalFromOutside   = "FROM_LOCAL_FROM_OUTSIDE"
	ReplyToDiffers     = "REPLY_TO_DIFFERS"
	ReplyToFreemail    = "REPLY_TO_FREEMAIL"
	SenderDiffers      = "SENDER_DIFFERS"
	EnvelopeDiffers    = "FROM_ENVELOPE_DIFFERS"
	DomainLookalike    = "FROM_DOMAIN_LOOKALIKE"
	GovLookalike       = "FROM_DOMAIN_GOV_LOOKALIKE"
	Raw8Bit            = "HEADER_8BIT_RAW"
	CharsetHides       = "HEADER_CHARSET_HIDES"
	MIMEAmbiguous      = "MIME_AMBIGUOUS"
	MIMELimit          = "MIME_LIMIT"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string {
	return []string{
		FromMissing, FromMany, FromAmbiguous, DateMissing, DateInvalid, DateFuture, DateOld, ReceivedForged, ReceivedTime, HeloOurs,
		MessageIDMissing, MessageIDMalformed, MessageIDForeign, SubjectEmpty, SubjectFakeReply, SubjectTrick, SubjectShouts, SubjectPadded,
		ToMissing, ToSelf, BccOnly, List, Bulk, Automatic, MailerBulk, MailerForged, Duplicate,
		NameIsAddress, NameBrand, NameAgency, Freemail, FreemailAgency, LocalFromOutside,
		ReplyToDiffers, ReplyToFreemail, SenderDiffers, EnvelopeDiffers, DomainLookalike, GovLookalike, Raw8Bit, CharsetHides,
		MIMEAmbiguous, MIMELimit,
	}
}

type inspector struct {
	local    func(domain string) bool
	own      []lookalike.Domain
	brands   []brand
	agencies []brand
	hostname string

	free        map[string]bool
	agencyWords []agencyWord
	mailers     []string
}

// New returns the inspector named "header".
func New(o Options) msg.Inspector {
	i := &inspector{local: o.Local, hostname: strings.ToLower(o.Hostname), free: map[string]bool{}}
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
	for _, d := range o.Freemail {
		i.free[d] = true
	}
	for _, w := range o.AgencyWords {
		i.agencyWords = append(i.agencyWords, newAgencyWord(w))
	}
	for _, m := range o.Mailers {
		i.mailers = append(i.mailers, strings.ToLower(m))
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
	r.subject(m.Text)
	r.date(m.Received)
	r.duplicates()
	r.rawOctets(m.Envelope.SMTPUTF8)
	r.charsets()
	r.marks()
	i.mailer(&r)
	i.greeting(&r, m)
	i.received(&r, m)
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

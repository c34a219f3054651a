// Package link looks at where the links of a message really go, and whether that is
// where they seem to go: those of its text and HTML, and those that others found in
// documents and pictures.
//
// It reports facts and follows nothing: a gateway that opened links would confirm
// addresses, click on "unsubscribe" and tell the sender that it looked.
package link

import (
	"context"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/lookalike"
	"congthu/internal/msg"
)

// Symbols that are reported.
const (
	TextDiffers   = "LINK_TEXT_DIFFERS"
	TextGov       = "LINK_TEXT_GOV"
	TextBrand     = "LINK_TEXT_BRAND"
	IPHost        = "LINK_IP_HOST"
	Userinfo      = "LINK_USERINFO"
	Punycode      = "LINK_PUNYCODE_LOOKALIKE"
	Shortener     = "LINK_SHORTENER"
	FreeHost      = "LINK_FREE_HOST"
	BrandAlike    = "LINK_BRAND_LOOKALIKE"
	DomainAlike   = "LINK_DOMAIN_LOOKALIKE"
	GovAlike      = "LINK_GOV_LOOKALIKE"
	DataURI       = "LINK_DATA_URI"
	JavaScript    = "LINK_JAVASCRIPT"
	ManyHosts     = "LINK_MANY_HOSTS"
	Form          = "LINK_FORM"
	PasswordField = "LINK_PASSWORD_FIELD"
	Credential    = "LINK_CREDENTIAL"
	CredentialBad = "LINK_CREDENTIAL_HIDDEN"
	OpenRedirect  = "LINK_OPEN_REDIRECT"
	BaseHref      = "LINK_BASE_HREF"
	OddScheme     = "LINK_ODD_SCHEME"
	Obfuscated    = "LINK_OBFUSCATED"
	Executable    = "LINK_EXECUTABLE"
	App           = "LINK_APP"
	NonHTTPPort   = "LINK_NON_HTTP_PORT"
	QR            = "LINK_QR"
	TooMany       = "LINK_TOO_MANY"
	Recipient     = "LINK_NAMES_RECIPIENT"
)

// Symbols lists every symbol that this inspector can report.
func Symbols() []string {
	return []string{
		TextDiffers, TextGov, TextBrand, IPHost, Userinfo, Punycode, Shortener, FreeHost, BrandAlike, DomainAlike, GovAlike,
		DataURI, JavaScript, ManyHosts, Form, PasswordField, Credential, CredentialBad, OpenRedirect, BaseHref, OddScheme,
		Obfuscated, Executable, App, NonHTTPPort, QR, TooMany, Recipient,
	}
}

// Options is what the administrator's lists say.
type Options struct {
	Local      func(domain string) bool // domains of ours
	Domains    []string                 // ours and the agencies', as far as they can be listed: look-alikes are reported
	Brands     []Brand
	Shorteners []string
	FreeHosts  []string // where anybody may put up a page: "web.app", "docs.google.com/forms"
}

// Inspector is the inspector "link".
type Inspector struct {
	o          Options
	shorteners map[string]bool
	free       map[string]string // host -> path that the page begins with, "" for any
	guarded    []lookalike.Domain
	words      *askers
}

// New returns the inspector "link".
func New(o Options) *Inspector {
	in := &Inspector{o: o, shorteners: map[string]bool{}, free: map[string]string{}, words: newAskers()}
	if o.Local == nil {
		in.o.Local = func(string) bool { return false }
	}
	in.o.Brands = nil
	for _, b := range o.Brands {
		in.o.Brands = append(in.o.Brands, b.inHosts())
	}
	for _, s := range o.Shorteners {
		in.shorteners[s] = true
	}
	for _, s := range o.FreeHosts {
		host, path, _ := strings.Cut(s, "/")
		in.free[host] = path
	}
	for _, d := range o.Domains {
		d = strings.TrimPrefix(d, "*.")
		if lookalike.Registrable(d) != "" && strings.Contains(d, ".") { // "gov.vn" is a zone of many
			in.guarded = append(in.guarded, lookalike.New(d))
		}
	}
	return in
}

// Name returns "link".
func (*Inspector) Name() string { return "link" }

// Inspect looks at the links of every text part, and of web pages that are attached
// under another type.
func (in *Inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	r := in.report()
	r.author, r.message, r.recipients = proven(m), m.Text, written(m.Envelope.To)
	var err error
	m.Root.Walk(func(p *msg.Part) {
		if err = ctx.Err(); err == nil {
			r.part = p.Path
			r.look(p)
		}
	})
	r.part = ""
	r.disguised()
	if len(r.hosts) >= manyHostsFrom {
		r.add(ManyHosts, "")
	}
	return r.findings, nil, err
}

// Found is a link that stands in no text part.
type Found struct {
	URL    string // as it stands there
	Text   string // what the reader sees of it, "" when that is not known
	Part   string // the part in which it was found
	Source string // where, such as "qr", "pdf", "ooxml"
}

// Judge reports on links that others found: in documents, in QR codes.
func (in *Inspector) Judge(ctx context.Context, links []Found) []msg.Finding {
	r := in.report()
	for _, l := range links {
		if ctx.Err() != nil {
			break
		}
		r.part, r.source = l.Part, l.Source
		kind := "a"
		if l.Text == "" {
			kind = "found"
		}
		r.anchor(anchor{kind: kind, href: address(l.URL), text: l.Text})
	}
	return r.findings
}

// address gives what a QR code or a document shows without a scheme the one that a
// browser would take: "www.a.vn/x" is a link there.
func address(s string) string {
	s = strings.TrimSpace(s)
	if host, _, _ := strings.Cut(s, "/"); !strings.Contains(s, ":") && strings.Contains(host, ".") && !strings.ContainsAny(host, " \t@") {
		return "http://" + s
	}
	return s
}

func (in *Inspector) report() *report {
	return &report{in: in, seen: map[string]bool{}, hosts: map[string]bool{}}
}

// report gathers what is found of one message.
type report struct {
	in         *Inspector
	part       string
	source     string // of links that others found
	author     string // the domain that is proven to have written, "" for none
	count      int
	text       string // of the part
	page       bool   // the part is a page under a foreign name
	message    *msg.Text
	recipients []string // as links carry them, see written
	asks       int      // 0: not looked, 1: the message asks for nothing, 2: it may
	asked      int      // links whose neighbourhood was read
	foreign    bool     // there is a link to somebody else's host
	hidden     string   // one that does not show whose it is
	own        []string // texts of all parts
	near       bool     // words that ask were found near a link
	seen       map[string]bool
	hosts      map[string]bool
	findings   []msg.Finding
}

// add reports a symbol once a part.
func (r *report) add(symbol, evidence string) { r.share(symbol, evidence, 0) }

// share reports a symbol that counts for a percentage of its weight.
func (r *report) share(symbol, evidence string, percent int) {
	if key := symbol + " " + r.part; !r.seen[key] {
		r.seen[key] = true
		if r.source != "" {
			evidence = r.source + ": " + evidence
		}
		r.findings = append(r.findings, msg.Finding{Symbol: symbol, Evidence: lang.Safe(evidence, 200), Part: r.part, Percent: percent})
	}
}

// proven returns the author's domain that DMARC passed, or "".
func proven(m *msg.Message) string {
	for _, a := range m.Auth {
		if a.Method == "dmarc" && a.Status == "pass" {
			return strings.ToLower(a.Value)
		}
	}
	return ""
}

// Package link looks at where the links of a message really go, and whether that is
// where they seem to go.
package link

import (
	"context"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Symbols that are reported.
const (
	TextDiffers   = "LINK_TEXT_DIFFERS"
	IPHost        = "LINK_IP_HOST"
	Userinfo      = "LINK_USERINFO"
	Punycode      = "LINK_PUNYCODE_LOOKALIKE"
	Shortener     = "LINK_SHORTENER"
	BrandAlike    = "LINK_BRAND_LOOKALIKE"
	DataURI       = "LINK_DATA_URI"
	JavaScript    = "LINK_JAVASCRIPT"
	ManyHosts     = "LINK_MANY_HOSTS"
	Form          = "LINK_FORM"
	OpenRedirect  = "LINK_OPEN_REDIRECT"
	BaseHref      = "LINK_BASE_HREF"
	OddScheme     = "LINK_ODD_SCHEME"
	Executable    = "LINK_EXECUTABLE"
	NonHTTPPort   = "LINK_NON_HTTP_PORT"
	TooMany       = "LINK_TOO_MANY"
	manyHostsFrom = 25
)

// Symbols lists every symbol that this inspector can report.
func Symbols() []string {
	return []string{TextDiffers, IPHost, Userinfo, Punycode, Shortener, BrandAlike, DataURI, JavaScript, ManyHosts, Form, OpenRedirect, BaseHref, OddScheme, Executable, NonHTTPPort, TooMany}
}

// Options is what the administrator's lists say.
type Options struct {
	Local      func(domain string) bool // domains of ours
	Brands     []Brand
	Shorteners []string
}

type inspector struct {
	o          Options
	shorteners map[string]bool
}

// New returns the inspector "link".
func New(o Options) msg.Inspector {
	in := &inspector{o: o, shorteners: map[string]bool{}}
	for _, s := range o.Shorteners {
		in.shorteners[s] = true
	}
	return in
}

// Name returns "link".
func (*inspector) Name() string { return "link" }

// Inspect looks at the links of every text part.
func (in *inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	r := &report{in: in, seen: map[string]bool{}, hosts: map[string]bool{}}
	var err error
	m.Root.Walk(func(p *msg.Part) {
		if err = ctx.Err(); err == nil && p.IsText() {
			r.part = p.Path
			r.look(p)
		}
	})
	if len(r.hosts) >= manyHostsFrom {
		r.add(ManyHosts, "")
	}
	return r.findings, nil, err
}

type report struct {
	in       *inspector
	part     string
	count    int
	seen     map[string]bool
	hosts    map[string]bool
	findings []msg.Finding
}

// add reports a symbol once a part.
func (r *report) add(symbol, evidence string) {
	if key := symbol + " " + r.part; !r.seen[key] {
		r.seen[key] = true
		r.findings = append(r.findings, msg.Finding{Symbol: symbol, Evidence: lang.Safe(evidence, 200), Part: r.part})
	}
}

func (r *report) look(p *msg.Part) {
	if p.MediaType == "text/html" {
		links, whole := anchorsOf(p.Text)
		for _, a := range links {
			r.anchor(a)
		}
		if !whole {
			r.add(TooMany, "")
		}
		return
	}
	for _, u := range textURL.FindAllString(p.Text, maxLinks+1) {
		r.anchor(anchor{kind: "text", href: u})
	}
}

func (r *report) anchor(a anchor) {
	if r.count++; r.count > maxLinks {
		r.add(TooMany, "")
		return
	}
	t, absolute := parse(a.href)
	if !absolute {
		return
	}
	switch t.scheme {
	case "http", "https", "ftp":
		r.web(a, t)
	case "mailto", "tel", "cid", "mid", "sms", "xmpp":
	case "data":
		r.add(DataURI, t.raw)
	case "javascript", "vbscript":
		r.add(JavaScript, t.raw)
	default:
		r.add(OddScheme, t.raw)
	}
}

// web looks at one link to a host.
func (r *report) web(a anchor, t target) {
	if t.host == "" {
		return
	}
	r.hosts[t.host] = true
	if t.userinfo {
		r.add(Userinfo, t.raw)
	}
	if isIP(t.host) {
		r.add(IPHost, t.raw)
	}
	if t.port != "" && t.port != "80" && t.port != "443" && t.port != "8080" && t.port != "8443" {
		r.add(NonHTTPPort, t.raw)
	}
	if r.in.shorteners[t.host] || r.in.shorteners[organisation(t.host)] {
		r.add(Shortener, t.raw)
	}
	if executable(t.path) {
		r.add(Executable, t.raw)
	}
	if redirects(t) {
		r.add(OpenRedirect, t.raw)
	}
	r.names(t)
	r.kind(a, t)
}

func (r *report) kind(a anchor, t target) {
	switch a.kind {
	case "form":
		if r.in.o.Local == nil || !r.in.o.Local(t.host) {
			r.add(Form, t.raw)
		}
	case "base":
		r.add(BaseHref, t.raw)
	case "a":
		host := shown(a.text)
		if host != "" && organisation(host) != organisation(t.host) {
			r.add(TextDiffers, a.text+" -> "+t.host)
		}
	}
}

// names compares the host with brands.
func (r *report) names(t target) {
	org := organisation(t.host)
	for _, label := range strings.Split(t.host, ".") {
		if strings.HasPrefix(label, "xn--") && confusable(label) {
			r.add(Punycode, t.host)
		}
	}
	for _, b := range r.in.o.Brands {
		if b.owns(t.host) {
			return
		}
	}
	if r.in.o.Local != nil && (r.in.o.Local(t.host) || r.in.o.Local(org)) {
		return
	}
	for _, b := range r.in.o.Brands {
		if w := b.claimedBy(t.host); w != "" {
			r.add(BrandAlike, t.host+" ("+b.Name+")")
			return
		}
	}
}

func (b Brand) owns(host string) bool {
	for _, d := range b.Domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

// claimedBy returns the brand word that stands in the host as a word of its own or
// fused, hyphens aside. Short words count only as a whole label or between hyphens.
func (b Brand) claimedBy(host string) string {
	for _, label := range strings.FieldsFunc(host, func(r rune) bool { return r == '.' }) {
		fused := strings.ReplaceAll(label, "-", "")
		for _, w := range b.Words {
			w = strings.ToLower(strings.ReplaceAll(w, " ", ""))
			if len(w) >= 5 && strings.Contains(fused, w) {
				return w
			}
			for _, piece := range strings.Split(label, "-") {
				if piece == w {
					return w
				}
			}
		}
	}
	return ""
}

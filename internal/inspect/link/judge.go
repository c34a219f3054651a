package link

import (
	"net/netip"
	"slices"
	"strings"

	"congthu/internal/lookalike"
)

// maxNamed bounds how many hosts of one message are compared with names that are
// protected; a message with more is reported for that.
const (
	manyHostsFrom = 25
	maxNamed      = 200
)

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
	case "mailto", "tel", "cid", "mid", "sms", "xmpp", "about", "geo", "webcal", "news", "callto":
	case "data":
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(t.raw[len("data:"):])), "image/") {
			r.add(DataURI, t.raw)
		}
	case "javascript", "vbscript":
		r.add(JavaScript, t.raw)
	default:
		if r.source != "qr" { // there it may be a network's name, a visiting card, a payment
			r.add(OddScheme, t.raw)
		}
	}
}

// web looks at one link to a host.
func (r *report) web(a anchor, t target) {
	if t.host == "" {
		return
	}
	if t.hidden {
		r.add(Obfuscated, t.raw)
	}
	if t.userinfo {
		r.add(Userinfo, t.raw)
	}
	r.port(t)
	hides := r.place(t)
	r.file(t)
	hides = r.redirect(t) || hides
	hides = r.host(t.host) || hides
	r.kind(a, t)
	r.namesRecipient(t)
	if r.strange(t.host) {
		r.foreign = true
		r.asking(a, t, hides)
		if r.source == "qr" {
			r.add(QR, t.raw)
		}
	}
}

// port reports addresses for names and unusual ports.
func (r *report) port(t target) {
	if isIP(t.host) {
		percent := 0
		if a, err := netip.ParseAddr(t.host); err == nil && a.IsPrivate() {
			percent = 30 // nobody outside can answer there
		}
		r.share(IPHost, t.raw, percent)
	}
	switch t.port {
	case "", "80", "443", "8080", "8443":
	default:
		r.add(NonHTTPPort, t.raw)
	}
}

// place reports services that hide where a link goes or let anybody put up a page.
func (r *report) place(t target) (hides bool) {
	if r.in.shorteners[t.host] || r.in.shorteners[lookalike.Organisation(t.host)] {
		r.add(Shortener, t.raw)
		hides = true
	}
	if r.in.freeHost(t) {
		r.add(FreeHost, t.raw)
		hides = true
	}
	return hides || isIP(t.host) || t.userinfo || t.hidden
}

// freeHost tells whether the host, or one above it, is of the list.
func (in *Inspector) freeHost(t target) bool {
	for host := t.host; host != ""; _, host, _ = strings.Cut(host, ".") {
		if path, ok := in.free[host]; ok && strings.HasPrefix(strings.TrimPrefix(t.path, "/"), path) {
			return true
		}
	}
	return false
}

// file reports programs, and applications that come past the shops.
func (r *report) file(t target) {
	switch executable(t.path) {
	case App:
		r.add(App, t.raw)
	case Executable:
		r.add(Executable, t.raw)
	}
}

// redirect reports a link that goes on to another organisation, and looks at where.
func (r *report) redirect(t target) bool {
	next, ok := t.next()
	if !ok || lookalike.Related(next.host, t.host) {
		return false
	}
	r.add(OpenRedirect, t.raw)
	r.host(next.host)
	if r.in.shorteners[next.host] {
		r.add(Shortener, t.raw)
	}
	if isIP(next.host) {
		r.add(IPHost, t.raw)
	}
	return true
}

func (r *report) kind(a anchor, t target) {
	switch a.kind {
	case "form":
		if r.strange(t.host) {
			r.add(Form, t.raw)
		}
	case "base":
		r.add(BaseHref, t.raw)
	case "a":
		r.shows(a, t)
	}
}

// shows compares what a link shows with where it goes.
func (r *report) shows(a anchor, t target) {
	host := shown(a.text)
	if host == "" || lookalike.Related(host, t.host) {
		return
	}
	evidence := a.text + " -> " + t.host
	if shownGov := lookalike.Within(host, lookalike.Government) || r.in.o.Local(host); shownGov && r.strange(t.host) {
		r.add(TextGov, evidence)
	}
	for i := range r.in.o.Brands {
		if b := &r.in.o.Brands[i]; b.owns(host) && !b.owns(t.host) && r.strange(t.host) {
			r.add(TextBrand, evidence)
		}
	}
	r.add(TextDiffers, evidence)
}

// strange tells whether the host is neither ours, nor the government's, nor the proven
// author's own.
func (r *report) strange(host string) bool {
	return !r.in.o.Local(host) && !r.in.o.Local(lookalike.Organisation(host)) &&
		!lookalike.Within(host, lookalike.Government) && (r.author == "" || !lookalike.Related(host, r.author))
}

// host compares a host with the names that are protected, once.
func (r *report) host(host string) (alike bool) {
	if r.hosts[host] || len(r.hosts) >= maxNamed || isIP(host) {
		return false
	}
	r.hosts[host] = true
	for _, label := range strings.Split(host, ".") {
		if strings.HasPrefix(label, "xn--") && confusable(label) {
			r.add(Punycode, host)
			alike = true
		}
	}
	if r.in.o.Local(host) || r.in.o.Local(lookalike.Organisation(host)) || r.in.owned(host) {
		return alike
	}
	return r.names(host) || alike
}

// owned tells whether the host is a brand's or an agency's.
func (in *Inspector) owned(host string) bool {
	for i := range in.o.Brands {
		if in.o.Brands[i].owns(host) {
			return true
		}
	}
	for i := range in.guarded {
		if lookalike.Within(host, in.guarded[i].Name) {
			return true
		}
	}
	return false
}

// names reports a foreign host that reads like a name that is protected.
func (r *report) names(host string) bool {
	shownAs := lookalike.Unicode(host)
	plain, bare := lookalike.Fold(shownAs), lookalike.Skeleton(shownAs)
	if gov := lookalike.Gov(host, plain); gov != "" {
		r.add(GovAlike, shownAs+" ~ "+gov)
		return true
	}
	for i := range r.in.guarded {
		if d := &r.in.guarded[i]; d.Mimics(bare) || !lookalike.Within(host, lookalike.Government) && d.Reads(plain) {
			r.add(DomainAlike, shownAs+" ~ "+d.Name)
			return true
		}
	}
	for i := range r.in.o.Brands {
		if b := &r.in.o.Brands[i]; b.claimedBy(host) {
			r.add(BrandAlike, host+" ("+b.Name+")")
			return true
		}
	}
	return false
}

func (b *Brand) owns(host string) bool {
	for _, d := range b.Domains {
		if lookalike.Within(host, d) {
			return true
		}
	}
	return false
}

// claimedBy tells whether a brand word stands in the host as a word of its own or fused,
// hyphens aside. Short words count only as a whole label or between hyphens.
func (b *Brand) claimedBy(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		fused := strings.ReplaceAll(label, "-", "")
		for _, w := range b.Words {
			if len(w) >= 5 && strings.Contains(fused, w) || label == w || strings.Contains(label, "-") && slices.Contains(strings.Split(label, "-"), w) {
				return true
			}
		}
	}
	return false
}

// inHosts is a brand with its words as they stand in hosts.
func (b Brand) inHosts() Brand {
	words := make([]string, len(b.Words))
	for i, w := range b.Words {
		words[i] = strings.ToLower(strings.ReplaceAll(w, " ", ""))
	}
	b.Words = words
	return b
}

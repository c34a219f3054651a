// Package scan looks at everything in a message: each object with the YARA rules, at
// its name and its true type, and into it when it is an archive or a letter of its
// own, as deep as the limits go.
package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/picture"
	"congthu/cmd/congthu-scan/sniff"
	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/scanproto"
)

// The symbols of this package.
const (
	Conflict      = "ATTACH_ARCHIVE_CONFLICT" // an archive tells two stories
	Special       = "ATTACH_ARCHIVE_SPECIAL"  // a member is a link or a device
	PasswordGiven = "ATTACH_PASSWORD_GIVEN"   // an archive was opened with a password of the letter
)

// Matcher is what scans octets with the administrator's rules.
type Matcher interface {
	Scan(o yarascan.Object, timeout time.Duration) ([]yarascan.Match, error)
}

// Seen is what a look has seen: facts, which types of files there are, and where they
// lead to.
type Seen struct {
	Findings []scanproto.Finding
	Types    []scanproto.Typed
	Links    []scanproto.Link
}

// Look returns what is found in the request's objects. An error means that something
// was not looked at: the findings so far are true, but not all.
func Look(ctx context.Context, m Matcher, limits archive.Limits, r *scanproto.Request) ([]scanproto.Finding, error) {
	seen, err := new(Watchdog).Look(ctx, m, limits, r, func(Seen) {})
	return seen.Findings, err
}

// look is one request. mu guards what is read when its goroutine is stuck.
type look struct {
	mu       sync.Mutex
	opened   bool            // an archive was
	ctx      context.Context //nolint:containedctx // a look is one request
	match    Matcher
	budget   *archive.Budget
	part     string
	trail    []string // names of the containers around the object
	findings []scanproto.Finding
	types    []scanproto.Typed
	links    []scanproto.Link
	seen     map[string]bool
	err      error

	pictures   picture.Budget
	hosts      map[string]int // links of each
	linkOctets int
}

// item is an object on its way: an object of the request or a member of an archive.
type item struct {
	names  []string
	body   bool // the letter's text
	office bool // a member of an Office file
	data   []byte
}

func (l *look) object(o scanproto.Object) {
	if o.Message {
		l.yara(o.Data) // its parts follow, decoded
		return
	}
	l.item(item{names: o.Names, body: len(o.Names) == 0 && strings.HasPrefix(o.MediaType, "text/"), data: o.Data})
}

func (l *look) item(it item) {
	if l.err == nil {
		l.err = l.ctx.Err()
	}
	if l.err != nil {
		return
	}
	l.rules(it)
	l.typed(it)
	l.document(it) // first: of a shortcut it says more than the name does
	for _, f := range sniff.Look(sniff.File{Names: it.names, Body: it.body || it.office, Data: it.data}) {
		if !(it.office && belongs(f.Symbol)) {
			l.found(f.Symbol, f.Evidence)
		}
	}
	l.picture(strings.Join(it.names[:min(len(it.names), 1)], ""), it.data)
	l.inside(it)
}

// belongs tells what is ordinary inside an Office file: drawings in SVG, pages as XML,
// previews under another type's name. What runs has symbols of its own.
func belongs(symbol string) bool { return symbol == sniff.Page || symbol == sniff.TypeMismatch }

// typed notes the types of a file. The names inside an Office file are its own affair.
func (l *look) typed(it item) {
	file := sniff.File{Names: it.names, Body: it.body || it.office, Data: it.data}
	if it.office {
		file.Names = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range sniff.Types(file) {
		l.hasType(t, strings.Join(it.names[:min(len(it.names), 1)], ""))
	}
}

// hasType keeps a type once for each part, with the first file that is of it.
func (l *look) hasType(what, name string) {
	key := "type\x00" + what + "\x00" + l.part
	if what == "" || l.seen[key] {
		return
	}
	l.seen[key] = true
	const most = 120 // octets of a path: all types must fit into an answer
	l.types = append(l.types, scanproto.Typed{Type: what, Path: short(l.path(name), most), Part: l.part})
}

// path is where something is: the containers around it, outermost first.
func (l *look) path(name string) string {
	if name == "" {
		return strings.Join(l.trail, " > ")
	}
	return strings.Join(append(slices.Clone(l.trail), name), " > ")
}

// begin, into and outOf say where the look is: the watchdog may ask at any moment.
func (l *look) begin(part string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = part
}

func (l *look) into(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trail = append(l.trail, name)
}

func (l *look) outOf() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trail = l.trail[:len(l.trail)-1]
}

// found notes a fact once for each part and symbol: the first evidence is enough to
// act on, and an archive of a thousand scripts says it once.
func (l *look) found(symbol, evidence string) {
	key := symbol
	if symbol == sniff.Unscannable { // once for each reason
		which, _, _ := strings.Cut(strings.TrimPrefix(evidence, "unscannable:"), ":")
		key += "\x00" + which
	}
	l.note(key, scanproto.Finding{Symbol: symbol, Evidence: evidence})
}

// note takes a finding whose key is new in this part, and says where it was.
func (l *look) note(key string, f scanproto.Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key += "\x00" + l.part
	if l.seen[key] {
		return
	}
	l.seen[key] = true
	l.hasType(sniff.Group(f.Symbol), f.Evidence)
	f.Evidence, f.Part = short(l.path(f.Evidence), 300), l.part
	l.findings = append(l.findings, f)
}

// short keeps the end, where the fact stands, and valid UTF-8.
func short(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return "…" + s
}

// stuck is the result when a parser did not come back: the time is a limit like others.
func (l *look) stuck() Seen {
	l.found(sniff.Unscannable, "unscannable:time")
	l.mu.Lock()
	defer l.mu.Unlock()
	return Seen{slices.Clone(l.findings), slices.Clone(l.types), slices.Clone(l.links)}
}

// result sorts the gravest to where a cap cannot cut them off.
func (l *look) result() (Seen, error) {
	if l.opened && errors.Is(l.err, context.DeadlineExceeded) {
		l.found(sniff.Unscannable, "unscannable:time") // a limit, as the others
		l.err = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(l.findings, func(a, b scanproto.Finding) int { return grave(b.Symbol) - grave(a.Symbol) })
	if most := scanproto.MaxFindings; len(l.findings) > most {
		l.err = cmp.Or(l.err, fmt.Errorf("scan: %d findings", len(l.findings)))
		l.findings = l.findings[:most]
	}
	if most := scanproto.MaxTypes; len(l.types) > most {
		l.err = cmp.Or(l.err, fmt.Errorf("scan: %d types of files", len(l.types)))
		l.types = l.types[:most]
	}
	return Seen{l.findings, l.types, l.links}, l.err
}

// grave grades what decides by itself, above all else.
func grave(symbol string) int {
	switch symbol {
	case yarascan.Reject, yarascan.Malware:
		return 2
	case yarascan.Hold, yarascan.ExtraMalware:
		return 1
	}
	return 0
}

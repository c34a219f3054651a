package header

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"congthu/internal/lookalike"
	"congthu/internal/msg"
)

// maxHops bounds how many Received fields are read.
const maxHops = 30

// maxBackward is how far the clocks of two servers may differ in good faith: a wrong zone
// is off by up to fourteen hours, a queue only ever makes the difference positive.
const maxBackward = 15 * time.Hour

var byHost = regexp.MustCompile(`(?i)(?:^|\s)by\s+([a-z0-9._-]+)`)

// received looks at the trace that servers left (RFC 5321 section 4.4), newest first.
func (i *inspector) received(r *report, m *msg.Message) {
	hops := r.root.Fields("Received")
	hops = hops[:min(len(hops), maxHops)]
	if len(hops) > 0 && !m.Session.Outbound {
		i.ownTrace(r, hops[0].Value)
	}
	above := m.Received
	for _, h := range hops {
		at, ok := hopTime(h.Value)
		switch {
		case !ok:
		case !above.IsZero() && at.After(above.Add(maxBackward)):
			r.add(ReceivedTime, h.Value)
			return
		default:
			above = at
		}
	}
}

// ownTrace reports a newest Received that says we wrote it: a stranger's server stands
// between, and it writes its own name there. Further down our name is honest, in what
// comes back from a list.
func (i *inspector) ownTrace(r *report, newest string) {
	if by := byHost.FindStringSubmatch(newest); by != nil && i.hostname != "" && strings.EqualFold(strings.TrimRight(by[1], "."), i.hostname) {
		r.add(ReceivedForged, newest)
	}
}

// hopTime is the time of a Received field, which stands after its last semicolon.
func hopTime(value string) (time.Time, bool) {
	n := strings.LastIndexByte(value, ';')
	if n < 0 {
		return time.Time{}, false
	}
	return parseDate(value[n+1:])
}

// greeting reports a stranger that greets with a name of ours.
func (i *inspector) greeting(r *report, m *msg.Message) {
	helo := strings.ToLower(strings.TrimRight(m.Session.Helo, "."))
	if helo == "" || m.Session.Outbound || !strings.Contains(helo, ".") {
		return
	}
	if (helo == i.hostname || i.local(helo)) && !slices.ContainsFunc(m.Auth, func(a msg.AuthResult) bool { return authorised(a, helo) }) {
		r.add(HeloOurs, helo)
	}
}

// authorised tells whether SPF lets the client speak for the name that it greets with: an
// agency below our domains may have a server that is none of our networks.
func authorised(a msg.AuthResult, helo string) bool {
	domain := strings.ToLower(a.Value[strings.LastIndexByte(a.Value, '@')+1:])
	return a.Method == "spf" && a.Status == "pass" && lookalike.Related(domain, helo)
}

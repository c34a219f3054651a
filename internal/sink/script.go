package sink

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Script says where the sink misbehaves. One line each:
//
//	rcpt <bad@x.test> 550 5.1.1 no such mailbox   a reply instead of the usual one
//	end 451 4.3.0 try later x2                    only the first two times
//	data drop                                     the connection is closed without a reply
//	end stall 3s                                  the usual reply comes late
//	end keep-drop                                 the message is kept, then no reply: "unknown"
//	end keep-reset                                the same, and the connection is reset (RST)
//	body stall 3s                                 nothing is read for a while, in the middle of the message
//	end drip 50ms                                 the usual reply comes octet by octet
//	no PIPELINING                                 an extension that is not offered
//
// The phases are connect ehlo starttls mail rcpt data body end quit. Where several lines
// fit, the first one that is not used up counts.
type Script struct {
	mu    sync.Mutex
	lines []*line
	no    []string
}

type line struct {
	phase, match string
	act          act
	left         int // -1: always
}

// act is what the sink does in a phase; the zero act is the usual thing.
type act struct {
	reply string
	drop  bool
	reset bool // the connection ends with RST instead of FIN
	keep  bool
	stall time.Duration
	drip  time.Duration
}

var (
	lineForm  = regexp.MustCompile(`^(\w+)\s+(?:<([^>]*)>\s+)?(.+?)(?:\s+x(\d+))?$`)
	replyForm = regexp.MustCompile(`^[2-5][0-9]{2} `)
)

// ParseScript reads a script; # begins a comment line. An error names its line.
func ParseScript(text string) (*Script, error) {
	s := &Script{}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		if err := s.add(l); err != nil {
			return nil, fmt.Errorf("line %d: %w: %q", i+1, err, l)
		}
	}
	return s, nil
}

func (s *Script) add(text string) error {
	if name, ok := strings.CutPrefix(text, "no "); ok {
		s.no = append(s.no, strings.ToUpper(strings.TrimSpace(name)))
		return nil
	}
	m := lineForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("want a phase and what happens there")
	}
	l := &line{phase: m[1], match: m[2], left: -1}
	if !slices.Contains([]string{"connect", "ehlo", "starttls", "mail", "rcpt", "data", "body", "end", "quit"}, l.phase) {
		return fmt.Errorf("there is no phase %q", l.phase)
	}
	if m[4] != "" {
		l.left, _ = strconv.Atoi(m[4]) // digits by the pattern; too many are as good as 0
	}
	s.lines = append(s.lines, l)
	return l.act.parse(m[3])
}

func (a *act) parse(what string) error {
	var err error
	switch word, rest, _ := strings.Cut(what, " "); {
	case what == "drop":
		a.drop = true
	case what == "keep-drop":
		a.drop, a.keep = true, true
	case what == "reset":
		a.drop, a.reset = true, true
	case what == "keep-reset":
		a.drop, a.reset, a.keep = true, true, true
	case word == "stall":
		a.stall, err = time.ParseDuration(rest)
	case word == "drip":
		a.drip, err = time.ParseDuration(rest)
	case replyForm.MatchString(what):
		a.reply = what
	default:
		return fmt.Errorf("want a reply, drop, reset, keep-drop, keep-reset, stall or drip")
	}
	return err
}

// at returns what to do in a phase, and counts it.
func (s *Script) at(phase, arg string) act {
	if s == nil {
		return act{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		if l.phase == phase && l.left != 0 && (l.match == "" || strings.EqualFold(l.match, arg)) {
			l.left = max(l.left-1, -1)
			return l.act
		}
	}
	return act{}
}

func (s *Script) offers(extension string) bool {
	return s == nil || !slices.Contains(s.no, extension)
}

// Package scanproto holds the words that the daemon and congthu-scan speak with
// each other: one request, one answer, over a socket that nobody else has, and beside it
// the tray, memory that both see, where the octets lie that are to be looked at.
//
// Neither side trusts the other's lengths: the worker reads what strangers sent, so
// the daemon must expect any octets from it, and a worker must not be led to ask for
// memory that nobody sends. A frame is
//
//	"CTS2" | length of the text, 4 octets, big-endian | text in JSON
//
// and the objects of a request lie on the tray end to end, from its beginning.
package scanproto

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrFrame says that the other side sent what is no frame of this protocol.
var ErrFrame = errors.New("scanproto: not a frame")

// ErrTooLarge says that a frame is larger than its reader allows.
var ErrTooLarge = errors.New("scanproto: frame exceeds its limit")

const (
	// MaxRequestHead bounds the description of the objects, in octets.
	MaxRequestHead = 8 << 20
	// MaxRequestBody bounds the octets of all objects. A message of the largest
	// permitted size comes with its decoded parts, hence more than twice as much.
	MaxRequestBody = 512 << 20
	// MaxAnswer bounds an answer, in octets: all findings, types and links in their
	// longest form.
	MaxAnswer = 4 << 20
	// MaxFindings bounds the findings of one answer; a worker with more to say says so.
	MaxFindings = 500
	// MaxObjects bounds the objects of a request.
	MaxObjects = 10000
)

// Object is one thing to look at: the message itself or a decoded part of it.
type Object struct {
	Part      string   `json:"part"`            // path in the MIME tree; "" is the raw message
	MediaType string   `json:"type,omitempty"`  // as declared; untrusted
	Names     []string `json:"names,omitempty"` // every file name some reader may give it; untrusted
	Message   bool     `json:"message,omitempty"`
	Data      []byte   `json:"-"`
	Size      int64    `json:"size"` // octets of Data; set by WriteRequest
}

// Request asks for everything that can be found in the objects of one message.
type Request struct {
	ID        uint64   `json:"id"`         // given back in the answer
	TimeoutMS int64    `json:"timeout_ms"` // the worker gives up by itself after this long
	Objects   []Object `json:"objects"`
}

// Finding is one fact, in the words of msg.Finding.
type Finding struct {
	Symbol   string `json:"symbol"`
	Evidence string `json:"evidence,omitempty"`
	Part     string `json:"part,omitempty"`
	Percent  int    `json:"percent,omitempty"`
	VI       string `json:"vi,omitempty"`
	EN       string `json:"en,omitempty"`
	Type     string `json:"type,omitempty"` // not used here: see Typed
}

// Answer is what came of a request. The first answer of a worker, with the ID 0, says
// that it is ready, or what is wrong with its rules.
type Answer struct {
	ID       uint64    `json:"id"`
	Findings []Finding `json:"findings,omitempty"`
	Types    []Typed   `json:"types,omitempty"`
	Links    []Link    `json:"links,omitempty"`
	Error    string    `json:"error,omitempty"` // could not look; for the log only
	Ready    *Ready    `json:"ready,omitempty"`
	Retire   bool      `json:"retire,omitempty"` // a parser did not come back: the worker ends after this answer
}

// Ready describes a worker that has started.
type Ready struct {
	Rules    int       `json:"rules"`              // YARA rules in use
	Sandbox  []string  `json:"sandbox"`            // the fences that stand
	Problems []Problem `json:"problems,omitempty"` // mistakes in the rules: nothing was compiled
	Digest   string    `json:"digest,omitempty"`   // of the rule files
}

// The fences that may stand around a worker, as Ready.Sandbox names them.
const (
	Rlimits    = "rlimits"
	NoNewPrivs = "no_new_privs"
	Landlock   = "landlock abi " // the kernel's ABI follows
	Seccomp    = "seccomp"
	Network    = "network namespace" // put up by the daemon
)

// Missing returns the fences that do not stand, in the order above.
func Missing(standing []string) (out []string) {
	for _, f := range []string{Rlimits, NoNewPrivs, Landlock, Seccomp, Network} {
		if !slices.ContainsFunc(standing, func(s string) bool { return strings.HasPrefix(s, f) }) {
			out = append(out, strings.TrimSuffix(f, " abi "))
		}
	}
	return out
}

// Problem is one mistake in a YARA rule file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func (r *Request) check() error {
	if len(r.Objects) > MaxObjects {
		return fmt.Errorf("%w: %d objects", ErrTooLarge, len(r.Objects))
	}
	return nil
}

func (a *Answer) check() error {
	if len(a.Findings) > MaxFindings {
		return fmt.Errorf("%w: %d findings", ErrTooLarge, len(a.Findings))
	}
	if len(a.Types) > MaxTypes {
		return fmt.Errorf("%w: %d types", ErrTooLarge, len(a.Types))
	}
	return checkLinks(a.Links)
}

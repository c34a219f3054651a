// Package mtasts finds out whether a domain wants its mail only over TLS with a valid
// certificate (RFC 8461): a DNS record says that there is a policy, a file at the
// domain's own HTTPS server says what it is. A policy is remembered for as long as the
// domain asks, so that a middleman cannot make it disappear.
package mtasts

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Mode is what a domain wants done when its policy cannot be kept.
type Mode string

// The modes (RFC 8461 section 5). Testing and None change nothing about delivery.
const (
	Enforce Mode = "enforce"
	Testing Mode = "testing"
	None    Mode = "none"
)

// Bounds of a policy.
const (
	maxAge     = 31557600 * time.Second // RFC 8461 section 3.2
	maxPattern = 200                    // hosts named by one policy
)

// Policy is what a domain says about its mail servers.
type Policy struct {
	Mode   Mode
	MX     []string // lower case; "*.example.vn" is any one name directly below
	MaxAge time.Duration
}

// Allows tells whether the policy names a mail server.
func (p Policy) Allows(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, parent, _ := strings.Cut(host, ".")
	for _, mx := range p.MX {
		if mx == host || parent != "" && mx == "*."+parent {
			return true
		}
	}
	return false
}

var (
	errRecord = errors.New("mtasts: not one MTA-STS record")
	errPolicy = errors.New("mtasts: not an MTA-STS policy")
)

// parseRecord returns the id of the one record among the domain's texts (RFC 8461
// section 3.1). None at all is "".
func parseRecord(texts []string) (id string, err error) {
	var found []string
	for _, t := range texts {
		if version, _, _ := strings.Cut(t, ";"); strings.TrimRight(version, " \t") == "v=STSv1" {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return recordID(found[0])
	}
	return "", errRecord
}

func recordID(text string) (string, error) {
	for field := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(field, "=")
		if value = strings.TrimSpace(value); strings.TrimSpace(name) == "id" {
			if len(value) < 1 || len(value) > 32 || strings.Trim(value, alphanumeric) != "" {
				return "", errRecord
			}
			return value, nil
		}
	}
	return "", errRecord
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// ParsePolicy reads a policy file (RFC 8461 section 3.2). Of a field that may stand once
// the first counts; unknown fields are for later versions and skipped.
func ParsePolicy(text string) (Policy, error) {
	fields, mx := map[string]string{}, []string(nil)
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			if strings.TrimSpace(line) == "" {
				continue
			}
			return Policy{}, errPolicy
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if name == "mx" {
			mx = append(mx, strings.ToLower(strings.TrimSuffix(value, ".")))
			continue
		}
		if _, there := fields[name]; !there {
			fields[name] = value
		}
	}
	return assemble(fields, mx)
}

func assemble(fields map[string]string, mx []string) (Policy, error) {
	p := Policy{Mode: Mode(fields["mode"]), MX: mx}
	seconds, err := strconv.ParseUint(fields["max_age"], 10, 34) // at most ten digits
	if err != nil || fields["version"] != "STSv1" || len(mx) > maxPattern {
		return Policy{}, errPolicy
	}
	p.MaxAge = min(time.Duration(seconds)*time.Second, maxAge)
	switch p.Mode {
	case None:
		return p, nil
	case Enforce, Testing:
		if len(mx) == 0 {
			return Policy{}, errPolicy
		}
	default:
		return Policy{}, errPolicy
	}
	for _, m := range mx {
		if !pattern(m) {
			return Policy{}, errPolicy
		}
	}
	return p, nil
}

// pattern tells whether s is a name, or "*." and a name.
func pattern(s string) bool {
	s = strings.TrimPrefix(s, "*.")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(label, "-_"+alphanumeric) != "" {
			return false
		}
	}
	return true
}

package dmarc

import (
	"context"
	"errors"
	"net"
	"strings"
)

// maxLabels is how many labels are left after the first step of a walk, so that
// no name costs more than eight queries (RFC 9989 section 4.10).
const maxLabels = 7

// found is what the DNS holds at one name.
type found struct {
	domain string
	record *Record // nil: no valid record
	err    error   // could not look
}

// records looks up policy records, each name at most once in one evaluation.
type records struct {
	ctx  context.Context // of the one Evaluate
	r    Resolver
	seen map[string]found
}

func (rs *records) at(domain string) found {
	if f, ok := rs.seen[domain]; ok {
		return f
	}
	f := found{domain: domain}
	txts, err := rs.r.LookupTXT(rs.ctx, "_dmarc."+domain)
	if err != nil && !notFound(err) {
		f.err = err
	} else {
		f.record = single(txts)
	}
	rs.seen[domain] = f
	return f
}

// single picks the record among the TXT records of a name. Several policy
// records are none (section 4.10, steps 2 and 6).
func single(txts []string) *Record {
	var only *Record
	count := 0
	for _, txt := range txts {
		if !versioned(txt) {
			continue
		}
		count++
		if r, err := Parse(txt); err == nil {
			only = &r
		}
	}
	if count != 1 {
		return nil
	}
	return only
}

// walk climbs from a domain to the top and returns the valid records met, the
// longest name first. It ends early at a record that says what it is (psd=).
func (rs *records) walk(domain string) ([]found, error) {
	var out []found
	for _, name := range path(domain) {
		f := rs.at(name)
		if f.err != nil {
			return nil, f.err
		}
		if f.record == nil {
			continue
		}
		out = append(out, f)
		if f.record.PSD != "u" {
			break
		}
	}
	return out, nil
}

// path lists the names that a walk asks for.
func path(domain string) []string {
	out := []string{domain}
	labels := strings.Split(domain, ".")
	if len(labels) > maxLabels {
		labels = labels[len(labels)-maxLabels-1:]
	}
	for i := 1; i < len(labels); i++ {
		out = append(out, strings.Join(labels[i:], "."))
	}
	return out
}

// organisation selects the organisational domain from the records that a walk
// from domain has met (section 4.10.2).
func organisation(domain string, met []found) string {
	for _, f := range met {
		switch {
		case f.record.PSD == "n":
			return f.domain
		case f.record.PSD == "y" && f.domain != domain:
			return oneBelow(domain, f.domain)
		}
	}
	if len(met) > 0 {
		return met[len(met)-1].domain // the fewest labels
	}
	return domain
}

// oneBelow returns the ancestor of domain (or domain itself) that has one label
// more than parent.
func oneBelow(domain, parent string) string {
	head := strings.TrimSuffix(domain, "."+parent)
	return head[strings.LastIndexByte(head, '.')+1:] + "." + parent
}

func notFound(err error) bool {
	var de *net.DNSError
	return errors.As(err, &de) && de.IsNotFound
}

// noSuchName tells whether the error says that the name itself does not exist,
// rather than only the type asked for (RFC 8020).
func noSuchName(err error) bool {
	var nx interface{ NXDomain() bool }
	return errors.As(err, &nx) && nx.NXDomain()
}

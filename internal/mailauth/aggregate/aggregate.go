// Package aggregate is the document of a DMARC aggregate report (RFC 9990, and RFC 7489
// before it): its figures, its writer and a reader that takes it from strangers.
//
// Written is the format of RFC 9990, in its namespace: it has what our evaluation has
// (np, testing, the tree walk, the disposition "pass"), and readers of the older format
// (RFC 7489 appendix C) look at element names, which are the same. Both are read.
package aggregate

import "time"

// Report is one aggregate report.
type Report struct {
	Org     string    `json:"org"`
	Email   string    `json:"email"`
	Contact string    `json:"contact,omitempty"`
	ID      string    `json:"id"`
	Begin   time.Time `json:"begin"`
	End     time.Time `json:"end"` // the last second that is in it
	Errors  []string  `json:"errors,omitempty"`
	Policy  Policy    `json:"policy"`
	Records []Record  `json:"records"`
}

// Policy is the record that the owner had published.
type Policy struct {
	Domain  string `json:"domain"`
	P       string `json:"p"`
	SP      string `json:"sp,omitempty"`
	NP      string `json:"np,omitempty"`
	ADKIM   string `json:"adkim,omitempty"` // r, s
	ASPF    string `json:"aspf,omitempty"`
	Testing bool   `json:"testing,omitempty"`
}

// Record is how many messages of one kind were seen.
type Record struct {
	Row
	Messages int64 `json:"messages"`
}

// Row is what the messages of one record have in common.
type Row struct {
	Source       string   `json:"source"`      // the client's IP address
	Disposition  string   `json:"disposition"` // pass, none, quarantine, reject
	DKIM         string   `json:"dkim"`        // pass: a signature passed in alignment; else fail
	SPF          string   `json:"spf"`
	Reasons      []Reason `json:"reasons,omitempty"`
	HeaderFrom   string   `json:"header_from"`
	EnvelopeFrom string   `json:"envelope_from,omitempty"`
	Keys         []Key    `json:"keys,omitempty"`
	Sender       *Sender  `json:"sender,omitempty"`
}

// Reason is why something else was done than the owner asks for.
type Reason struct {
	Type    string `json:"type"` // local_policy, policy_test_mode, …
	Comment string `json:"comment,omitempty"`
}

// Key is the result of one DKIM signature, aligned or not.
type Key struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector,omitempty"`
	Result   string `json:"result"`
}

// Sender is the result of SPF, aligned or not.
type Sender struct {
	Domain string `json:"domain"`
	Scope  string `json:"scope,omitempty"` // mfrom, helo
	Result string `json:"result"`
}

// The words of a report.
const (
	Pass = "pass"
	Fail = "fail"
	None = "none"
)

// Passed is the word for an aligned result.
func Passed(ok bool) string {
	if ok {
		return Pass
	}
	return Fail
}

// Messages is the number of messages in all records.
func (r *Report) Messages() int64 {
	var n int64
	for _, x := range r.Records {
		n += x.Messages
	}
	return n
}

package aggregate

import "encoding/xml"

// The document, in the order of its elements and in the namespace of RFC 9990. Policy
// keeps the order of RFC 7489 appendix C, which RFC 9990 allows, for readers with the
// older schema.
type feedback struct {
	XMLName  xml.Name    `xml:"urn:ietf:params:xml:ns:dmarc-2.0 feedback"`
	Version  string      `xml:"version"`
	Metadata metadata    `xml:"report_metadata"`
	Policy   published   `xml:"policy_published"`
	Records  []xmlRecord `xml:"record"`
}

type metadata struct {
	Org       string   `xml:"org_name"`
	Email     string   `xml:"email"`
	Contact   string   `xml:"extra_contact_info,omitempty"`
	ID        string   `xml:"report_id"`
	Begin     int64    `xml:"date_range>begin"`
	End       int64    `xml:"date_range>end"`
	Errors    []string `xml:"error"`
	Generator string   `xml:"generator"`
}

type published struct {
	Domain    string `xml:"domain"`
	ADKIM     string `xml:"adkim"`
	ASPF      string `xml:"aspf"`
	P         string `xml:"p"`
	SP        string `xml:"sp,omitempty"`
	NP        string `xml:"np,omitempty"`
	Testing   string `xml:"testing"`
	Discovery string `xml:"discovery_method"`
}

type xmlRecord struct {
	Source      string      `xml:"row>source_ip"`
	Count       int64       `xml:"row>count"`
	Disposition string      `xml:"row>policy_evaluated>disposition"`
	DKIM        string      `xml:"row>policy_evaluated>dkim"`
	SPF         string      `xml:"row>policy_evaluated>spf"`
	Reasons     []xmlReason `xml:"row>policy_evaluated>reason"`
	Envelope    string      `xml:"identifiers>envelope_from"`
	Header      string      `xml:"identifiers>header_from"`
	Results     xmlResults  `xml:"auth_results"`
}

type xmlReason struct {
	Type    string `xml:"type"`
	Comment string `xml:"comment,omitempty"`
}

type xmlResults struct {
	Keys   []xmlKey   `xml:"dkim"`
	Sender *xmlSender `xml:"spf"`
}

type xmlKey struct {
	Domain   string `xml:"domain"`
	Selector string `xml:"selector"`
	Result   string `xml:"result"`
}

type xmlSender struct {
	Domain string `xml:"domain"`
	Scope  string `xml:"scope,omitempty"`
	Result string `xml:"result"`
}

// generator names the program in its reports.
const generator = "congthu"

// XML writes the report as a document of RFC 9990.
func (r *Report) XML() ([]byte, error) {
	f := feedback{
		Version: "1.0",
		Metadata: metadata{
			Org: r.Org, Email: r.Email, Contact: r.Contact, ID: r.ID, Errors: r.Errors, Generator: generator,
			Begin: r.Begin.Unix(), End: r.End.Unix(),
		},
		Policy: published{
			Domain: r.Policy.Domain, ADKIM: r.Policy.ADKIM, ASPF: r.Policy.ASPF,
			P: r.Policy.P, SP: r.Policy.SP, NP: r.Policy.NP, Testing: yes(r.Policy.Testing), Discovery: "treewalk",
		},
	}
	for _, x := range r.Records {
		f.Records = append(f.Records, x.document())
	}
	body, err := xml.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

func (x Record) document() xmlRecord {
	out := xmlRecord{
		Source: x.Source, Count: x.Messages, Disposition: x.Disposition, DKIM: x.DKIM, SPF: x.SPF,
		Envelope: x.EnvelopeFrom, Header: x.HeaderFrom,
	}
	for _, r := range x.Reasons {
		out.Reasons = append(out.Reasons, xmlReason(r))
	}
	for _, k := range x.Keys {
		out.Results.Keys = append(out.Results.Keys, xmlKey(k))
	}
	if x.Sender != nil {
		s := xmlSender(*x.Sender)
		out.Results.Sender = &s
	}
	return out
}

func yes(b bool) string {
	if b {
		return "y"
	}
	return "n"
}

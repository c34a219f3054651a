package aggregate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/lang"
)

// What is read of a report at most. Real ones have some thousand records.
const (
	MaxDocument = 10 << 20 // octets, unpacked
	maxRecords  = 50_000
	maxDepth    = 8
	maxText     = 1024 // of one element
	maxResults  = 100  // DKIM results of a record (RFC 9990 section 3.1.3)
	maxMessages = 1 << 40
)

// Malformed is why a document is not a report.
type Malformed struct{ What lang.Text }

// Error renders the complaint in English, for logs.
func (m *Malformed) Error() string { return "aggregate: " + m.What.EN }

// In renders the complaint in that language.
func (m *Malformed) In(l lang.Lang) string { return m.What.In(l) }

func malformed(vi, en string, args ...any) error {
	return &Malformed{lang.T(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))}
}

// Parse reads a report of RFC 7489 or RFC 9990. It reads a stream: nothing is built
// but the figures. A document type, an entity of its own, a character set other than
// UTF-8 and everything beyond the limits is refused; elements that are not known are
// skipped.
func Parse(doc []byte) (*Report, error) {
	if len(doc) > MaxDocument {
		return nil, malformed("văn bản lớn hơn %d octet", "the document is larger than %d octets", MaxDocument)
	}
	p := &parser{dec: xml.NewDecoder(bytes.NewReader(doc)), report: &Report{}}
	p.dec.CharsetReader = charset
	for {
		t, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.token(t)
		}
		if err != nil {
			return nil, p.located(err)
		}
	}
	if p.root == "" {
		return nil, malformed("văn bản rỗng", "the document is empty")
	}
	if err := p.report.Check(); err != nil {
		return nil, err
	}
	return p.report, nil
}

// charset passes what is UTF-8 in any case.
func charset(name string, in io.Reader) (io.Reader, error) {
	if strings.EqualFold(name, "us-ascii") || strings.EqualFold(name, "ascii") {
		return in, nil
	}
	return nil, malformed("bộ mã %q không phải UTF-8", "the character set %q is not UTF-8", clip(name))
}

type parser struct {
	dec    *xml.Decoder
	root   string // namespace and name of the first element
	space  string
	path   []string
	skip   int // depth inside of an element that is not read
	text   []byte
	report *Report
	record *Record
}

func (p *parser) located(err error) error {
	line, column := p.dec.InputPos()
	at := fmt.Sprintf("%d:%d: ", line, column)
	var m *Malformed
	var s *xml.SyntaxError
	switch {
	case errors.As(err, &m):
		return &Malformed{lang.T(at+m.What.VI, at+m.What.EN)}
	case errors.As(err, &s):
		return malformed(at+"XML: %s", at+"XML: %s", clip(s.Msg))
	}
	return malformed(at+"%s", at+"%s", clip(err.Error()))
}

func (p *parser) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return malformed("không cho phép khai báo DOCTYPE", "a document type is not allowed")
	case xml.ProcInst:
		if t.Target != "xml" {
			return malformed("không cho phép lệnh xử lý", "a processing instruction is not allowed")
		}
	case xml.StartElement:
		return p.start(t.Name)
	case xml.EndElement:
		return p.end()
	case xml.CharData:
		if p.skip == 0 && len(p.text)+len(t) <= maxText {
			p.text = append(p.text, t...)
		} else if p.skip == 0 && len(bytes.TrimSpace(t)) > 0 {
			return malformed("chữ trong một phần tử quá dài", "the text of an element is too long")
		}
	}
	return nil
}

func (p *parser) start(n xml.Name) error {
	switch {
	case len(p.path)+p.skip >= maxDepth*2:
		return malformed("phần tử lồng nhau quá sâu", "elements are nested too deeply")
	case p.skip > 0:
		p.skip++
		return nil
	case p.root == "":
		if n.Local != "feedback" {
			return malformed("văn bản không phải feedback mà là %q", "the document is no feedback but %q", clip(n.Local))
		}
		p.root, p.space = n.Local, n.Space
	case len(p.path) == 0:
		return malformed("có gì đó sau báo cáo", "something follows the report")
	case n.Space != p.space || len(p.path) >= maxDepth:
		p.skip = 1 // an extension
		return nil
	}
	p.path = append(p.path, n.Local)
	p.text = p.text[:0]
	return p.open()
}

// open makes room for what repeats.
func (p *parser) open() error {
	switch p.at() {
	case "record":
		if len(p.report.Records) >= maxRecords {
			return malformed("quá %d mục record", "more than %d records", maxRecords)
		}
		p.report.Records = append(p.report.Records, Record{})
		p.record = &p.report.Records[len(p.report.Records)-1]
	case "record/auth_results/dkim":
		if len(p.record.Keys) >= maxResults {
			return malformed("quá %d kết quả DKIM trong một mục", "more than %d DKIM results in a record", maxResults)
		}
		p.record.Keys = append(p.record.Keys, Key{})
	case "record/auth_results/spf":
		p.record.Sender = &Sender{} // RFC 7489 allowed several; the last one stands
	case "record/row/policy_evaluated/reason":
		if len(p.record.Reasons) >= maxResults {
			return malformed("quá %d lý do trong một mục", "more than %d reasons in a record", maxResults)
		}
		p.record.Reasons = append(p.record.Reasons, Reason{})
	case "report_metadata/error":
		if len(p.report.Errors) >= maxResults {
			return malformed("quá %d lỗi", "more than %d errors", maxResults)
		}
	}
	return nil
}

// at is the path below feedback.
func (p *parser) at() string { return strings.Join(p.path[1:], "/") }

func (p *parser) end() error {
	if p.skip > 0 {
		p.skip--
		return nil
	}
	at := p.at()
	p.path = p.path[:len(p.path)-1]
	text := strings.TrimSpace(string(p.text))
	p.text = p.text[:0]
	if strings.HasPrefix(at, "record/") {
		return p.record.set(strings.TrimPrefix(at, "record/"), text)
	}
	return p.report.set(at, text)
}

// set takes the text of an element about the whole report.
func (r *Report) set(at, text string) error {
	var err error
	switch at {
	case "report_metadata/org_name":
		r.Org = text
	case "report_metadata/email":
		r.Email = text
	case "report_metadata/extra_contact_info":
		r.Contact = text
	case "report_metadata/report_id":
		r.ID = text
	case "report_metadata/date_range/begin":
		r.Begin, err = second(text)
	case "report_metadata/date_range/end":
		r.End, err = second(text)
	case "report_metadata/error":
		r.Errors = append(r.Errors, text)
	default:
		r.Policy.set(at, text)
	}
	return err
}

func (p *Policy) set(at, text string) {
	switch at {
	case "policy_published/domain":
		p.Domain = strings.ToLower(strings.TrimSuffix(text, "."))
	case "policy_published/p":
		p.P = text
	case "policy_published/sp":
		p.SP = text
	case "policy_published/np":
		p.NP = text
	case "policy_published/adkim":
		p.ADKIM = text
	case "policy_published/aspf":
		p.ASPF = text
	case "policy_published/testing":
		p.Testing = text == "y"
	}
}

// set takes the text of an element of a record.
func (x *Record) set(at, text string) error {
	var err error
	switch at {
	case "row/source_ip":
		x.Source, err = address(text)
	case "row/count":
		x.Messages, err = count(text)
	case "row/policy_evaluated/disposition":
		x.Disposition = text
	case "row/policy_evaluated/dkim":
		x.DKIM = text
	case "row/policy_evaluated/spf":
		x.SPF = text
	case "identifiers/header_from":
		x.HeaderFrom = strings.ToLower(text)
	case "identifiers/envelope_from":
		x.EnvelopeFrom = strings.ToLower(text)
	default:
		x.setResult(at, text)
	}
	return err
}

func (x *Record) setResult(at, text string) {
	if rest, ok := strings.CutPrefix(at, "auth_results/dkim/"); ok {
		k := &x.Keys[len(x.Keys)-1]
		put(rest, text, map[string]*string{"domain": &k.Domain, "selector": &k.Selector, "result": &k.Result})
	}
	if rest, ok := strings.CutPrefix(at, "auth_results/spf/"); ok {
		s := x.Sender
		put(rest, text, map[string]*string{"domain": &s.Domain, "scope": &s.Scope, "result": &s.Result})
	}
	if rest, ok := strings.CutPrefix(at, "row/policy_evaluated/reason/"); ok {
		r := &x.Reasons[len(x.Reasons)-1]
		put(rest, text, map[string]*string{"type": &r.Type, "comment": &r.Comment})
	}
}

func put(name, text string, into map[string]*string) {
	if at := into[name]; at != nil {
		*at = text
	}
}

// second reads a time, which must lie where reports can: a wild one would sort the
// report before or after all others for ever.
func second(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1e9 || n > 1e10 {
		return time.Time{}, malformed("%q không phải thời điểm", "%q is no time", clip(text))
	}
	return time.Unix(n, 0).UTC(), nil
}

func address(text string) (string, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", malformed("%q không phải địa chỉ IP", "%q is no IP address", clip(text))
	}
	return a.Unmap().String(), nil
}

func count(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxMessages {
		return 0, malformed("%q không phải số thư", "%q is no number of messages", clip(text))
	}
	return n, nil
}

// Check asks for what a report is worth nothing without, and for the words of the
// format where figures hang on them.
func (r *Report) Check() error {
	switch {
	case r.Org == "" || r.ID == "":
		return malformed("báo cáo không ghi tổ chức hoặc mã", "the report names no organisation or no id")
	case r.Begin.IsZero() || r.End.Before(r.Begin):
		return malformed("báo cáo không ghi khoảng thời gian", "the report names no span of time")
	case r.Policy.Domain == "" || !strings.Contains(r.Policy.Domain, ".") || strings.ContainsAny(r.Policy.Domain, " /@"):
		return malformed("%q không phải tên miền", "%q is no domain", clip(r.Policy.Domain))
	}
	for i, x := range r.Records {
		words := slices.Contains([]string{Pass, None, "quarantine", "reject", ""}, x.Disposition) &&
			slices.Contains([]string{Pass, Fail, ""}, x.DKIM) && slices.Contains([]string{Pass, Fail, ""}, x.SPF)
		if !words || x.Source == "" || len(x.HeaderFrom) > 255 {
			return malformed("mục %d không nói rõ máy gửi nào và đã xử lý thế nào", "record %d says not what was done with which client", i+1)
		}
	}
	return nil
}

// clip shortens text from a stranger for a complaint.
func clip(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"congthu/internal/dmarcreport"
	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
)

// Reports is what the API needs of the DMARC reports.
type Reports interface {
	// Send reports a day ("2026-11-24"); a rehearsal sends nothing.
	Send(ctx context.Context, day string, rehearse bool) ([]dmarcreport.Sent, error)
	Import(ctx context.Context, r *aggregate.Report) (fresh bool, err error)
	Show(ctx context.Context, domain string, since time.Time) (*dmarcreport.Overview, error)
}

// Imported tells whether a report was new.
type Imported struct {
	Fresh bool `json:"new"`
}

func (s Services) reportSend(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list, err := s.Reports.Send(r.Context(), q.Get("day"), q.Get("rehearse") == "true")
	s.answer(w, orEmpty(list), err)
}

func (s Services) reportImport(w http.ResponseWriter, r *http.Request) {
	var rep aggregate.Report
	if err := json.NewDecoder(r.Body).Decode(&rep); err != nil {
		s.fail(w, &Problem{http.StatusBadRequest, lang.T("yêu cầu không phải JSON, hoặc quá lớn", "the request is not JSON, or too large")})
		return
	}
	fresh, err := s.Reports.Import(r.Context(), &rep)
	s.answer(w, Imported{fresh}, err)
}

func (s Services) reportShow(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, err := time.Parse(time.RFC3339, q.Get("since"))
	if err != nil {
		s.fail(w, &Problem{http.StatusBadRequest, lang.T("tham số không hợp lệ", "a parameter is malformed")})
		return
	}
	o, err := s.Reports.Show(r.Context(), q.Get("domain"), since)
	s.answer(w, o, err)
}

// SendReports sends the DMARC reports of a day, or says what it would send.
func (c *Client) SendReports(ctx context.Context, day string, rehearse bool) ([]dmarcreport.Sent, error) {
	q := url.Values{"day": {day}}
	if rehearse {
		q.Set("rehearse", "true")
	}
	return ask[[]dmarcreport.Sent](ctx, c, "POST", "/v1/report/dmarc/send?"+q.Encode(), nil)
}

// ImportReport stores a report of others about our domains.
func (c *Client) ImportReport(ctx context.Context, r *aggregate.Report) (Imported, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return Imported{}, err
	}
	return ask[Imported](ctx, c, "POST", "/v1/report/dmarc/received", bytes.NewReader(body))
}

// ShowReports sums up what others have reported since then; domain "" means all.
func (c *Client) ShowReports(ctx context.Context, domain string, since time.Time) (dmarcreport.Overview, error) {
	q := url.Values{"since": {since.UTC().Format(time.RFC3339)}, "domain": {domain}}
	return ask[dmarcreport.Overview](ctx, c, "GET", "/v1/report/dmarc/received?"+q.Encode(), nil)
}

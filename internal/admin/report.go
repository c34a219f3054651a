package admin

import (
	"context"
	"time"

	"congthu/internal/dmarcreport"
	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/token"
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

type (
	reportDay struct {
		Day      string `query:"day" required:"true"`
		Rehearse bool   `query:"rehearse"`
	}
	reportQuery struct {
		Domain string    `query:"domain"`
		Since  time.Time `query:"since" required:"true"`
	}
)

func (q reportDay) about() (object, detail string) {
	return q.Day, onOff(!q.Rehearse, "sent")
}

type receivedReport struct{ aggregate.Report }

func (r receivedReport) about() (object, detail string) {
	return lang.Safe(r.ID, 100), "from " + lang.Safe(r.Org, 100)
}

func (s Services) reportRoutes() []Route {
	return []Route{
		act("POST", "/v1/report/dmarc/send", token.Manage, "report.send", lang.T("gửi báo cáo DMARC của một ngày", "send the DMARC reports of a day"), on(func(ctx context.Context, _ token.Who, q reportDay, _ none) ([]dmarcreport.Sent, error) {
			return orEmpty(s.Reports.Send(ctx, q.Day, q.Rehearse))
		})),
		act("POST", "/v1/report/dmarc/received", token.Manage, "report.import", lang.T("nhập báo cáo DMARC nhận được", "store a report of others"), on(func(ctx context.Context, _ token.Who, _ none, r receivedReport) (Imported, error) {
			fresh, err := s.Reports.Import(ctx, &r.Report)
			return Imported{fresh}, err
		})),
		get("/v1/report/dmarc/received", token.Oversee, lang.T("ai gửi thư mang tên mình", "who sends in our name"), on(func(ctx context.Context, _ token.Who, q reportQuery, _ none) (*dmarcreport.Overview, error) {
			return s.Reports.Show(ctx, q.Domain, q.Since)
		})),
	}
}

// SendReports sends the DMARC reports of a day, or says what it would send.
func (c *Client) SendReports(ctx context.Context, day string, rehearse bool) ([]dmarcreport.Sent, error) {
	return ask[[]dmarcreport.Sent](ctx, c, "POST", "/v1/report/dmarc/send", reportDay{day, rehearse}, none{})
}

// ImportReport stores a report of others about our domains.
func (c *Client) ImportReport(ctx context.Context, r *aggregate.Report) (Imported, error) {
	return ask[Imported](ctx, c, "POST", "/v1/report/dmarc/received", none{}, r)
}

// ShowReports sums up what others have reported since then; domain "" means all.
func (c *Client) ShowReports(ctx context.Context, domain string, since time.Time) (dmarcreport.Overview, error) {
	return ask[dmarcreport.Overview](ctx, c, "GET", "/v1/report/dmarc/received", reportQuery{domain, since}, none{})
}

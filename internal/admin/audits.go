package admin

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// Audit is what the API needs of the record of who did what.
type Audit interface {
	List(ctx context.Context, f audit.Filter) ([]audit.Entry, error)
	Verify(ctx context.Context) (audit.Report, error)
	Export(ctx context.Context, w io.Writer) error
}

type auditQuery struct {
	Since  time.Time `query:"since"`
	Object string    `query:"object"`
	Actor  string    `query:"actor"`
	Act    string    `query:"act"`
	Limit  int       `query:"limit" min:"0" max:"100000"`
}

func (s Services) auditRoutes() []Route {
	return []Route{
		get("/v1/audit", token.Read, lang.T("ai đã làm gì; người duyệt chỉ thấy việc của cơ quan mình", "who did what; a reviewer sees what concerns its own agency"), on(func(ctx context.Context, w token.Who, q auditQuery, _ none) ([]audit.Entry, error) {
			f := audit.Filter{Since: q.Since, Object: q.Object, Actor: q.Actor, Act: q.Act, Limit: q.Limit}
			if !w.Everywhere() {
				f.Show = func(e audit.Entry) (audit.Entry, bool) { return shown(w, e) }
			}
			return orEmpty(s.Audit.List(ctx, f))
		})),
		get("/v1/audit/verify", token.Oversee, lang.T("kiểm tra chuỗi nhật ký", "verify the chain"), on(func(ctx context.Context, _ token.Who, _, _ none) (audit.Report, error) {
			return s.Audit.Verify(ctx)
		})),
		act("GET", "/v1/audit/export", token.Oversee, "audit.export", lang.T("xuất chuỗi nhật ký", "export the chain"), on(func(ctx context.Context, _ token.Who, _, _ none) (Stream, error) {
			return func(w io.Writer) error { return s.Audit.Export(ctx, w) }, nil
		})),
	}
}

// shown is an entry as a reviewer sees it: what concerns its own agency, and what it did
// itself. Of a letter that went to another agency as well, it sees that something was done,
// and nothing that names the other.
func shown(w token.Who, e audit.Entry) (audit.Entry, bool) {
	domains := strings.Fields(e.Agency)
	if len(domains) == 0 {
		return e, e.Actor == w.Name && e.Role == string(w.Role)
	}
	var own []string
	for _, d := range domains {
		if w.Sees(d) {
			own = append(own, d)
		}
	}
	if len(own) < len(domains) {
		e.Agency, e.Detail = strings.Join(own, " "), ""
	}
	return e, len(own) > 0
}

// Audit lists entries, the newest first.
func (c *Client) Audit(ctx context.Context, f audit.Filter) ([]audit.Entry, error) {
	q := auditQuery{f.Since, f.Object, f.Actor, f.Act, f.Limit}
	return ask[[]audit.Entry](ctx, c, "GET", "/v1/audit", q, none{})
}

// AuditVerify has the gateway verify its chain.
func (c *Client) AuditVerify(ctx context.Context) (audit.Report, error) {
	return ask[audit.Report](ctx, c, "GET", "/v1/audit/verify", none{}, none{})
}

// AuditExport writes the chain to w. An error says that it is not whole.
func (c *Client) AuditExport(ctx context.Context, w io.Writer) error {
	resp, err := c.send(ctx, "GET", "/v1/audit/export", none{}, none{})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return &Unreachable{c.where, fmt.Errorf("the answer is cut off: %w", err)}
	}
	return nil
}

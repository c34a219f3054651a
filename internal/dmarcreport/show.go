package dmarcreport

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"congthu/internal/mailauth/aggregate"
	"congthu/internal/store"
)

// Source is what others have reported of one client that sends in the name of one of
// our domains.
type Source struct {
	Domain      string `json:"domain"`
	Source      string `json:"source"` // IP address; "*" the many small ones of a large report
	Messages    int64  `json:"messages"`
	SPF         int64  `json:"spf_aligned"`
	DKIM        int64  `json:"dkim_aligned"`
	Authentic   int64  `json:"passed"` // by either
	Quarantined int64  `json:"quarantined"`
	Rejected    int64  `json:"rejected"`
	Reporters   int    `json:"reporters"`
}

// Overview is what others have reported.
type Overview struct {
	Reports int      `json:"reports"`
	Sources []Source `json:"sources"` // those that most often failed first
	More    int      `json:"more"`    // sources left out
}

// maxShown bounds what is shown.
const maxShown = 1000

// Show sums up the reports that end after since. domain "" means every one; else it and
// the names below it.
func Show(ctx context.Context, db *store.DB, domain string, since time.Time) (*Overview, error) {
	o := &Overview{Sources: []Source{}}
	at := map[[2]string]*tallied{}
	err := db.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT r.id, r.org, r.domain, s.source, s.disposition, s.dkim, s.spf, s.messages
			FROM dmarc_report r JOIN dmarc_source s ON s.report = r.id WHERE r.ends >= $1`, since.Unix())
		if err != nil {
			return err
		}
		defer rows.Close()
		reports := map[string]bool{}
		for rows.Next() {
			var id, org, disposition, dkim, spf string
			var s Source
			if err := rows.Scan(&id, &org, &s.Domain, &s.Source, &disposition, &dkim, &spf, &s.Messages); err != nil {
				return err
			}
			if domain != "" && s.Domain != domain && !strings.HasSuffix(s.Domain, "."+domain) {
				continue
			}
			reports[id] = true
			k := [2]string{s.Domain, s.Source}
			if at[k] == nil {
				at[k] = &tallied{Source: Source{Domain: s.Domain, Source: s.Source}, orgs: map[string]bool{}}
			}
			at[k].add(org, disposition, dkim, spf, s.Messages)
		}
		o.Reports = len(reports)
		return rows.Err()
	})
	for _, t := range at {
		t.Reporters = len(t.orgs)
		o.Sources = append(o.Sources, t.Source)
	}
	slices.SortFunc(o.Sources, worst)
	if n := len(o.Sources); n > maxShown {
		o.Sources, o.More = o.Sources[:maxShown], n-maxShown
	}
	return o, err
}

type tallied struct {
	Source
	orgs map[string]bool
}

func (t *tallied) add(org, disposition, dkim, spf string, n int64) {
	t.orgs[org] = true
	t.Messages += n
	if dkim == aggregate.Pass {
		t.DKIM += n
	}
	if spf == aggregate.Pass {
		t.SPF += n
	}
	if dkim == aggregate.Pass || spf == aggregate.Pass {
		t.Authentic += n
	}
	switch disposition {
	case "quarantine":
		t.Quarantined += n
	case "reject":
		t.Rejected += n
	}
}

// worst puts first who failed most: a forger, or a server of ours that was forgotten.
func worst(a, b Source) int {
	return cmp.Or(cmp.Compare(b.Messages-b.Authentic, a.Messages-a.Authentic), cmp.Compare(b.Messages, a.Messages),
		cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Source, b.Source))
}

package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"congthu/internal/lang"
	"congthu/internal/record"
)

// mostReasons is how many reasons the page of the day names.
const mostReasons = 15

// Day is the figures of a day as far as a caller may see them.
type Day struct {
	Since time.Time
	Held  int // now
	record.Day
}

type dayView struct {
	Since   time.Time
	Held    int
	Fates   []lang.Text
	Rows    []dayRow
	Total   dayRow
	Reasons []reasonRow
}

type dayRow struct {
	Domain string
	Counts record.Tally
	All    int
}

type reasonRow struct {
	Reason string
	Count  int
}

// fates are the words for record.Fates, in its order.
func fates() []lang.Text {
	return []lang.Text{
		lang.T("giao", "delivered"), lang.T("gỡ tệp rồi giao", "stripped, delivered"), lang.T("giữ lại", "held"),
		lang.T("từ chối", "refused"), lang.T("hẹn gửi lại", "put off"),
	}
}

func (c *Console) day(w http.ResponseWriter, r *http.Request, by caller) {
	d, err := c.o.Day(r.Context(), by.who)
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	v := dayView{Since: d.Since, Held: d.Held, Fates: fates(), Total: dayRow{Counts: d.Total, All: d.Total.All()}}
	for _, domain := range slices.Sorted(maps.Keys(d.Domains)) {
		v.Rows = append(v.Rows, dayRow{domain, d.Domains[domain], d.Domains[domain].All()})
	}
	for reason, n := range d.Reasons {
		v.Reasons = append(v.Reasons, reasonRow{reason, n})
	}
	slices.SortFunc(v.Reasons, func(a, b reasonRow) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Reason, b.Reason)) })
	v.Reasons = v.Reasons[:min(len(v.Reasons), mostReasons)]
	c.render(w, r, "day", http.StatusOK, by, v)
}

// stateWord is a state of the queue in words.
func stateWord(s string) lang.Text {
	switch s {
	case "waiting":
		return lang.T("đang chờ", "waiting")
	case "trying":
		return lang.T("đang giao", "trying")
	case "held":
		return lang.T("bị giữ lại", "held")
	case "dead":
		return lang.T("bỏ cuộc", "given up")
	case "corrupt":
		return lang.T("hỏng", "damaged")
	}
	return lang.T(s, s)
}

// queue shows what waits, as far as it is the caller's to see.
func (c *Console) queue(w http.ResponseWriter, r *http.Request, by caller) {
	entries, err := c.o.Queue(r.Context(), by.who)
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	c.render(w, r, "queue", http.StatusOK, by, entries)
}

package admin_test

import (
	"context"
	"time"

	"congthu/internal/dmarcreport"
	"congthu/internal/lessons"
	"congthu/internal/mailauth/aggregate"
)

// class stands for what the classifier is taught.
type class struct{ *services }

func (c class) Teach(_ context.Context, raw []byte, _ bool, actor, source string) (lessons.Lesson, error) {
	return lessons.Lesson{ID: string(raw)}, c.note("teach", actor, source)
}

func (c class) Undo(_ context.Context, id, actor string) error { return c.note("unteach", id, actor) }

func (c class) List(context.Context, int) ([]lessons.Lesson, error) { return nil, c.note("lessons") }

// post stands for the DMARC reports.
type post struct{ *services }

func (p post) Send(_ context.Context, day string, _ bool) ([]dmarcreport.Sent, error) {
	return nil, p.note("send", day)
}

func (p post) Import(_ context.Context, r *aggregate.Report) (bool, error) {
	return true, p.note("received", r.Org)
}

func (p post) Show(_ context.Context, domain string, _ time.Time) (*dmarcreport.Overview, error) {
	return &dmarcreport.Overview{}, p.note("overview", domain)
}

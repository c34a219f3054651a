package main

import (
	"context"
	"time"

	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/record"
)

// newRecorder is what keeps the findings of past letters.
func (g *gateway) newRecorder() *record.Recorder {
	r := record.New(record.Options{Store: g.db, Log: g.log, NewID: newID, Now: time.Now, Keep: g.cfg.Record.Keep.Std(), Letters: g.cfg.Record.Letters, Room: g.room})
	g.metrics.Gauge("record_dropped", "Letters that were not recorded for rules simulate, since the start.", func() float64 { return float64(r.Dropped()) })
	return r
}

// room tells whether the disk has more than what is kept for mail.
func (g *gateway) room() bool { return g.disk.check(context.Background()) == msg.Reply{} }

// event is what is recorded of a letter.
func (j *judge) event(m *msg.Message, w pipeline.Walk) record.Event {
	e := record.Event{Message: m, Outcomes: w.Outcomes, Decisions: w.Decisions, Answer: policy.Answer(w.Decisions), Reply: w.Reply, Took: w.Took}
	e.HasKey = func(p msg.Path) bool { return j.keys.Lookup(p.Key()).Usable() }
	if m.Root != nil {
		e.Sealed = protection(m)
	}
	return e
}

package trace

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counters of one gateway, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	messages *prometheus.CounterVec
	symbols  *prometheus.CounterVec
	blind    *prometheus.CounterVec
	smtp     *prometheus.CounterVec
	queue    *prometheus.CounterVec
	rules    *prometheus.CounterVec
	took     prometheus.Histogram
}

// NewMetrics makes the counters. depth is asked for the queue's depth when scraped.
func NewMetrics(depth func() float64) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "congthu", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		messages: counter("messages_total", "Messages by fate.", "fate"),
		symbols:  counter("symbols_total", "Symbols found.", "symbol"),
		blind:    counter("blind_total", "Inspectors that could not look.", "inspector"),
		smtp:     counter("smtp_events_total", "Events at the SMTP edge.", "event"),
		queue:    counter("queue_events_total", "Events of the durable queue.", "event"),
		rules:    counter("rules_events_total", "What was done with rule sets: reload, canary, promote, abort, rollback, fallback.", "event"),
		took:     prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "congthu", Name: "message_seconds", Help: "Time from the end of DATA to the reply.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}),
	}
	m.registry.MustRegister(m.messages, m.symbols, m.blind, m.smtp, m.queue, m.rules, m.took,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "congthu", Name: "queue_depth", Help: "Recipients waiting in the durable queue."}, depth),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a figure that is asked for when scraped.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "congthu", Name: name, Help: help}, read))
}

// Handler serves the counters in Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// SMTP counts an event at the edge.
func (m *Metrics) SMTP(event string) { m.smtp.WithLabelValues(event).Inc() }

// Queue counts an event of the queue.
func (m *Metrics) Queue(event string) { m.queue.WithLabelValues(event).Inc() }

// Rules counts what is done with rule sets.
func (m *Metrics) Rules(event string) { m.rules.WithLabelValues(event).Inc() }

func (m *Metrics) record(e Event) {
	if m == nil {
		return
	}
	m.messages.WithLabelValues(Fate(e.Decisions, e.Reply)).Inc()
	if e.DupRisk {
		m.Queue("dup_risk")
	}
	m.took.Observe(e.Took.Seconds())
	for _, s := range Symbols(e.Decisions) {
		m.symbols.WithLabelValues(s).Inc()
	}
	for _, o := range e.Outcomes {
		if o.Err != nil {
			m.blind.WithLabelValues(o.Inspector).Inc()
		}
	}
}

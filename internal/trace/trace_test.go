package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/trace"
)

func event() trace.Event {
	why := msg.Verdict{Score: 7.5, Required: 6, Counted: []msg.Weighed{{Finding: msg.Finding{Symbol: "A"}, Score: 7.5}, {Finding: msg.Finding{Symbol: "A"}}, {Finding: msg.Finding{Symbol: "B"}}}}
	return trace.Event{
		Message:   &msg.Message{ID: "X1", Session: msg.Session{Helo: "evil\nfate=deliver", Remote: netip.MustParseAddrPort("192.0.2.1:5")}, Envelope: msg.Envelope{From: msg.Path{Raw: "a\x1b[2J@b.test"}}},
		Decisions: []msg.Decision{{Action: msg.Quarantine, Reason: "SCORE", Why: why}},
		Outcomes:  []msg.Outcome{{Inspector: "attach", Err: errors.New("worker died\r\nx")}},
		Reply:     msg.Reply{Code: 250, Detail: "0.0", Text: "ok"},
	}
}

func TestRecordWritesOneSafeTrail(t *testing.T) {
	var out bytes.Buffer
	m := trace.NewMetrics(func() float64 { return 3 })
	m.Gauge("store_healthy", "x", func() float64 { return 0 })
	trace.New(slog.New(slog.NewJSONHandler(&out, nil)), m).Record(t.Context(), event())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("want the trail and one blind inspector, got %q", lines)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"id": "X1", "fate": "quarantine", "reason": "SCORE", "symbols": "A,B", "level": "WARN", "helo": `evil\x0afate=deliver`, "from": `a\x1b[2J@b.test`, "score": 7.5} {
		if line[k] != want {
			t.Errorf("%s = %v, want %v", k, line[k], want)
		}
	}
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	text, _ := io.ReadAll(rec.Body)
	for _, want := range []string{`congthu_messages_total{fate="quarantine"} 1`, `congthu_blind_total{inspector="attach"} 1`, `congthu_symbols_total{symbol="A"} 1`, "congthu_queue_depth 3"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("metrics lack %q", want)
		}
	}
}

// A letter that may arrive twice is logged and counted: it is the one thing that the
// protocol leaves no way out of.
func TestDupRiskIsToldAndCounted(t *testing.T) {
	var out bytes.Buffer
	m := trace.NewMetrics(func() float64 { return 0 })
	e := event()
	e.Outcomes, e.Queued, e.DupRisk, e.Hop = nil, true, true, msg.Reply{Text: "no reply to the final dot"}
	trace.New(slog.New(slog.NewJSONHandler(&out, nil)), m).Record(t.Context(), e)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["dup_risk"] != true || line["hop"] != "no reply: no reply to the final dot" {
		t.Errorf("%v", line)
	}
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if want := `congthu_queue_events_total{event="dup_risk"} 1`; !strings.Contains(rec.Body.String(), want) {
		t.Errorf("metrics lack %q", want)
	}
}

func TestFate(t *testing.T) {
	d := func(a msg.Action) msg.Decision { return msg.Decision{Action: a} }
	ok := msg.Reply{Code: 250}
	for _, c := range []struct {
		ds    []msg.Decision
		reply msg.Reply
		want  string
	}{
		{[]msg.Decision{d(msg.Deliver)}, ok, "deliver"},
		{[]msg.Decision{d(msg.Deliver), d(msg.Quarantine), d(msg.Deliver)}, ok, "deliver+quarantine"},
		{[]msg.Decision{d(msg.Deliver)}, msg.Reply{Code: 451}, "defer"},
		{[]msg.Decision{d(msg.Deliver)}, msg.Reply{Code: 550}, "reject"},
		{nil, msg.Reply{}, "defer"},
	} {
		if got := trace.Fate(c.ds, c.reply); got != c.want {
			t.Errorf("Fate(%v, %v) = %q, want %q", c.ds, c.reply, got, c.want)
		}
	}
}

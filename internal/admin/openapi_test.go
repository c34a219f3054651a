package admin_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"congthu/internal/admin"
	"congthu/internal/apitest"
	"congthu/internal/audit"
	"congthu/internal/token"
)

// document is the description as it is served, read as anybody would read it.
type document struct {
	apitest.Document
	t        *testing.T
	compiler *jsonschema.Compiler
}

const at = "http://gw.test/openapi.json"

func description(t *testing.T, h http.Handler) document {
	t.Helper()
	status, w := request(t, h, token.Who{Name: "a", Role: token.Auditor}, "GET", "/v1/openapi.json", "")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	all, err := apitest.Read(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(at, v); err != nil {
		t.Fatal(err)
	}
	return document{all, t, c}
}

// schema compiles the one that a pointer leads to (RFC 6901).
func (d document) schema(steps ...string) *jsonschema.Schema {
	d.t.Helper()
	pointer := "#"
	for _, s := range steps {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	s, err := d.compiler.Compile(at + pointer)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// request makes the request that an operation describes.
func (d document) request(o apitest.Operation) (path, body string) {
	d.t.Helper()
	path, body, err := d.Request(o, nil, false)
	if err != nil {
		d.t.Fatal(err)
	}
	return path, body
}

// Every route that is described answers the request that is described, with an answer that
// is as described; and every trouble is a Problem.
func TestEveryRouteIsAsDescribed(t *testing.T) {
	s := &services{}
	h := admin.Handler(everything(s))
	d := description(t, h)
	if d.All["openapi"] != "3.1.0" || len(d.Operations()) < 30 {
		t.Fatalf("%v, %d operations", d.All["openapi"], len(d.Operations()))
	}
	for _, o := range d.Operations() {
		path, body := d.request(o)
		s.fails = nil
		status, w := request(t, h, admin.Local("lan"), o.Method, path, body)
		if status != http.StatusOK {
			t.Errorf("%s %s %s: %d %s", o.Method, path, body, status, w.Body)
			continue
		}
		if o.Path == "/v1/audit/export" { // JSON lines, which no schema says
			continue
		}
		d.validates(w.Body.Bytes(), "paths", o.Path, strings.ToLower(o.Method), "responses", "200", "content", "application/json", "schema")
		for _, fails := range []error{errors.New("disk on fire"), errNone} {
			s.fails = fails
			if status, w = request(t, h, admin.Local("lan"), o.Method, path, body); status != http.StatusOK {
				d.validates(w.Body.Bytes(), "components", "schemas", "admin.Problem")
			}
		}
	}
}

func (d document) validates(answer []byte, steps ...string) {
	d.t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err == nil {
		err = d.schema(steps...).Validate(v)
	}
	if err != nil {
		d.t.Errorf("%v\n%.300s\n%v", steps, answer, err)
	}
}

// Who may do what is what the description says, for every route and every role; who may
// not touches nothing, and leaves nothing on record.
func TestEveryRouteNeedsItsRight(t *testing.T) {
	s := &services{}
	parts := everything(s)
	recorded := 0
	parts.Record = func(context.Context, audit.Entry) error { recorded++; return nil }
	h := admin.Handler(parts)
	d := description(t, h)
	callers := []token.Who{
		{}, {Name: "x", Role: "emperor"}, admin.Local("lan"), {Name: "a", Role: token.Auditor, Via: "192.0.2.1"}, {Name: "r", Role: token.Reviewer, Domains: []string{"a.test"}, Via: "192.0.2.1"},
	}
	counts := map[token.Role]int{}
	for _, o := range d.Operations() {
		path, body := d.request(o)
		for _, who := range callers {
			s.asked, recorded = nil, 0
			status, w := request(t, h, who, o.Method, path, body)
			want := http.StatusOK
			switch {
			case who.Role == "":
				want = http.StatusUnauthorized
			case !who.May(o.It["x-right"].(string)):
				want = http.StatusForbidden
			default:
				counts[who.Role]++
			}
			if status != want || want != http.StatusOK && (s.asked != nil || recorded != 0) {
				t.Errorf("%s %s as %q: %d, want %d, asked %q, recorded %d: %s", o.Method, path, who.Role, status, want, s.asked, recorded, w.Body)
			}
			_, acts := o.It["x-audit"]
			acts = acts && !strings.HasPrefix(path, "/v1/quarantine") // what is done with held mail internal/review puts on record
			if want == http.StatusOK && acts != (recorded > 0) {
				t.Errorf("%s %s: %d on record", o.Method, path, recorded)
			}
		}
	}
	if n := len(d.Operations()); counts[token.Administrator] != n || counts[token.Auditor] == 0 || counts[token.Auditor] >= n || counts[token.Reviewer] == 0 || counts[token.Reviewer] >= counts[token.Auditor] {
		t.Errorf("of %d: %v", n, counts)
	}
}

// What changes something is on record, and nothing but looking is without.
func TestWhatIsOnRecord(t *testing.T) {
	d := description(t, admin.Handler(everything(&services{})))
	for _, o := range d.Operations() {
		if _, acts := o.It["x-audit"]; o.Method != http.MethodGet && !acts {
			t.Errorf("%s %s changes something and is not on record", o.Method, o.Path)
		}
		if right := o.It["x-right"]; o.Method != http.MethodGet && right != token.Manage && right != token.Review {
			t.Errorf("%s %s changes something with the right %q", o.Method, o.Path, right)
		}
	}
}

// An act that cannot be put on record is not done; one that fails is on record as such.
func TestNoActWithoutAnEntry(t *testing.T) {
	s := &services{}
	parts := everything(s)
	var entries []audit.Entry
	var full error
	parts.Record = func(_ context.Context, e audit.Entry) error {
		entries = append(entries, e)
		return full
	}
	h := admin.Handler(parts)
	who := token.Who{Name: "lan", Role: token.Administrator, Via: "192.0.2.1"}
	full = errors.New("disk is full at /secret/place")
	if status, w := request(t, h, who, "POST", "/v1/queue/Q/hold", ""); status != http.StatusInternalServerError || s.asked != nil || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %q %s", status, s.asked, w.Body)
	}
	full, entries, s.fails = nil, nil, errNone
	if status, _ := request(t, h, who, "POST", "/v1/queue/Q/hold", ""); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
	want := audit.Entry{Actor: "lan", Role: "admin", Via: "192.0.2.1", Act: "queue.hold", Object: "Q"}
	failed := want
	failed.Detail = "failed: none"
	if !slices.Equal(entries, []audit.Entry{want, failed}) {
		t.Errorf("%+v", entries)
	}
}

package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// fill gives everything in a value something that is not zero, lists two of them.
func fill(v reflect.Value, depth int) {
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.Date(2026, 11, 28, 1, 2, 3, 4, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), depth)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), depth)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64, reflect.Float32:
		v.SetFloat(1.5)
	default:
		if v.CanInt() {
			v.SetInt(7)
		} else if v.CanUint() {
			v.SetUint(7)
		}
	}
}

// table is all routes, with parts that are there and do nothing.
func table() []Route {
	s := Services{}
	return slices.Concat(s.quarantineRoutes(), s.queueRoutes(), s.ruleRoutes(), s.keyRoutes(), s.accountRoutes(), s.lessonRoutes(), s.reportRoutes(), s.tokenRoutes(), s.auditRoutes(), s.healthRoutes())
}

// What encoding/json makes of the answer of each route is as its schema says, with
// everything in it and with nothing; and a member too many is not.
func TestSchemasAreOfTheTypes(t *testing.T) {
	text, err := json.Marshal(describe(table()))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("http://x/d", doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range table() {
		if r.answer == reflect.TypeFor[Stream]() {
			continue
		}
		pointer := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(strings.ReplaceAll(r.Path, "/", "~1"))
		schema, err := c.Compile("http://x/d#/paths/" + pointer + "/" + strings.ToLower(r.Method) + "/responses/200/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(r.answer).Elem()
		for range 2 {
			if err := schema.Validate(inJSON(t, v.Interface())); err != nil {
				t.Errorf("%s %s: %v", r.Method, r.Path, err)
			}
			fill(v, 3)
		}
		if more, ok := inJSON(t, v.Interface()).(map[string]any); ok {
			more["one_too_many"] = "x"
			if schema.Validate(more) == nil {
				t.Errorf("%s %s: the schema takes anything", r.Method, r.Path)
			}
		}
	}
}

func inJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A parameter comes out of a request as it went in.
func TestParamsThereAndBack(t *testing.T) {
	type all struct {
		ID    string        `path:"id"`
		Text  string        `query:"text"`
		List  []string      `query:"list"`
		N     int           `query:"n"`
		F     float64       `query:"f"`
		Yes   bool          `query:"yes"`
		Since time.Time     `query:"since"`
		Long  time.Duration `query:"long"`
	}
	in := all{"a/../b c%", "a&b=c;+\x00", []string{"x", "", "x&"}, -3, 2.5, true, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), time.Hour}
	var out all
	if err := thereAndBack(t, "/v1/x/{id}", in, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%+v\n%+v %v", in, out, err)
	}
}

func thereAndBack(t *testing.T, pattern string, in, out any) error {
	t.Helper()
	var err error
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { err = readParams(r, out) })
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", target(pattern, in), nil))
	return err
}

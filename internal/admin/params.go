package admin

import (
	"encoding"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/lang"
)

// param is a field of a parameter struct. Its tags say where it stands (path or query),
// and what is allowed: min and max of a number, enum, required.
type param struct {
	index          int
	in, name       string
	field          reflect.StructField
	required       bool
	enum           []string
	min, max       float64
	hasMin, hasMax bool
}

func paramsOf(t reflect.Type) []param {
	var out []param
	for i := range t.NumField() {
		f := t.Field(i)
		p := param{index: i, field: f, required: f.Tag.Get("required") == "true"}
		switch {
		case f.Tag.Get("path") != "":
			p.in, p.name, p.required = "path", f.Tag.Get("path"), true
		case f.Tag.Get("query") != "":
			p.in, p.name = "query", f.Tag.Get("query")
		default:
			continue
		}
		if e := f.Tag.Get("enum"); e != "" {
			p.enum = strings.Split(e, ",")
		}
		p.min, p.hasMin = number(f.Tag.Get("min"))
		p.max, p.hasMax = number(f.Tag.Get("max"))
		out = append(out, p)
	}
	return out
}

func number(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// readParams fills a parameter struct from a request. A parameter of the query that is
// not in it is refused: what is misspelt must not be passed over, for it may have been a
// limit.
func readParams(r *http.Request, into any) error {
	v := reflect.ValueOf(into).Elem()
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad("tham số không hợp lệ", "the parameters are malformed")
	}
	known := map[string]bool{}
	for _, p := range paramsOf(v.Type()) {
		values := q[p.name]
		if p.in == "path" {
			values = []string{r.PathValue(p.name)}
		} else {
			known[p.name] = true
		}
		if err := p.set(v.Field(p.index), values); err != nil {
			return err
		}
	}
	for name := range q {
		if !known[name] {
			return wrongParam(name)
		}
	}
	return nil
}

func wrongParam(name string) error {
	name = lang.Safe(name, 60)
	return bad("tham số "+name+" không hợp lệ; xem /v1/openapi.json", "the parameter "+name+" is wrong; see /v1/openapi.json")
}

func (p param) set(v reflect.Value, values []string) error {
	if v.Kind() == reflect.Slice {
		v.Set(reflect.ValueOf(slices.Clone(values)))
		if p.required && len(values) == 0 {
			return wrongParam(p.name)
		}
		return nil
	}
	switch {
	case len(values) == 0 && !p.required:
		return nil
	case len(values) != 1 || p.required && values[0] == "":
		return wrongParam(p.name)
	case p.enum != nil && !slices.Contains(p.enum, values[0]):
		return wrongParam(p.name)
	}
	if err := parse(v, values[0]); err != nil || !p.within(v) {
		return wrongParam(p.name)
	}
	return nil
}

func parse(v reflect.Value, s string) error {
	switch t := v.Addr().Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(s)
		*t = d
		return err
	case encoding.TextUnmarshaler: // time.Time
		return t.UnmarshalText([]byte(s))
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(s, 64)
		v.SetFloat(f)
		return err
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		v.SetBool(b)
		return err
	}
	v.SetString(s)
	return nil
}

// within tells whether a number is between its bounds; NaN is not.
func (p param) within(v reflect.Value) bool {
	var f float64
	switch {
	case v.Kind() == reflect.Float64:
		f = v.Float()
	case v.CanInt() && v.Type() != reflect.TypeFor[time.Duration]():
		f = float64(v.Int())
	default:
		return true
	}
	return f == f && (!p.hasMin || f >= p.min) && (!p.hasMax || f <= p.max)
}

// target is the path and query that a parameter struct makes of a pattern: the other
// side of readParams.
func target(pattern string, params any) string {
	v := reflect.ValueOf(params)
	q := url.Values{}
	for _, p := range paramsOf(v.Type()) {
		f := v.Field(p.index)
		if p.in == "path" {
			pattern = strings.Replace(pattern, "{"+p.name+"}", url.PathEscape(f.String()), 1)
			continue
		}
		if list, ok := f.Interface().([]string); ok {
			if len(list) > 0 {
				q[p.name] = list
			}
			continue
		}
		if !f.IsZero() || p.required {
			q.Set(p.name, text(f))
		}
	}
	if len(q) > 0 {
		return pattern + "?" + q.Encode()
	}
	return pattern
}

func text(v reflect.Value) string {
	switch t := v.Interface().(type) {
	case time.Time:
		return t.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return t.String()
	case bool:
		return strconv.FormatBool(t)
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	case int:
		return strconv.Itoa(t)
	case int64:
		return strconv.FormatInt(t, 10)
	}
	return v.String()
}

// Package apitest reads the description of the API as anybody would, and makes the requests
// that it describes: for tests that try every route, also those that come later.
package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Document is an OpenAPI description.
type Document struct{ All map[string]any }

// Read reads a description.
func Read(text []byte) (Document, error) {
	var d Document
	err := json.Unmarshal(text, &d.All)
	return d, err
}

// Operation is one method of one path.
type Operation struct {
	Method, Path string
	It           map[string]any
}

// Text is a member of the operation that is a string; "" where there is none.
func (o Operation) Text(name string) string {
	s, _ := o.It[name].(string)
	return s
}

// Operations lists all, by path and method.
func (d Document) Operations() []Operation {
	var out []Operation
	paths, _ := d.All["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods, _ := paths[path].(map[string]any)
		for _, m := range slices.Sorted(maps.Keys(methods)) {
			it, _ := methods[m].(map[string]any)
			out = append(out, Operation{strings.ToUpper(m), path, it})
		}
	}
	return out
}

// Request makes the request that an operation describes. as gives parameters and members
// of the body a value by their name; what it does not know is an example of its schema, or
// when bare is left out where it may be.
func (d Document) Request(o Operation, as map[string]string, bare bool) (path, body string, err error) {
	path, q := o.Path, url.Values{}
	params, _ := o.It["parameters"].([]any)
	for _, p := range params {
		p, _ := p.(map[string]any)
		name, _ := p["name"].(string)
		value, ok := as[name]
		if must, _ := p["required"].(bool); !ok && bare && !must {
			continue
		}
		if !ok {
			schema, _ := p["schema"].(map[string]any)
			value = plain(d.example("", schema, as))
		}
		if p["in"] == "path" {
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(value), 1)
		} else {
			q.Set(name, value)
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	in, _ := o.It["requestBody"].(map[string]any)
	kinds, _ := in["content"].(map[string]any)
	if _, raw := kinds["message/rfc822"]; raw {
		return path, "Subject: x\r\n\r\n", nil
	}
	kind, ok := kinds["application/json"].(map[string]any)
	if !ok {
		return path, "", nil
	}
	schema, _ := kind["schema"].(map[string]any)
	text, err := json.Marshal(d.example("", schema, as))
	return path, string(text), err
}

// plain is an example as a parameter: of a list its first.
func plain(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	return fmt.Sprint(v)
}

// example makes a value that a schema allows, for a member of that name.
func (d Document) example(name string, schema map[string]any, as map[string]string) any {
	if ref, ok := schema["$ref"].(string); ok {
		return d.example(name, d.resolve(ref), as)
	}
	if list, ok := schema["anyOf"].([]any); ok {
		first, _ := list[0].(map[string]any)
		return d.example(name, first, as)
	}
	if list, ok := schema["enum"].([]any); ok {
		return list[0]
	}
	kind := schema["type"]
	if list, ok := kind.([]any); ok {
		kind = list[0]
	}
	switch kind {
	case "string":
		if v, ok := as[name]; ok {
			return v
		}
		return exampleText(schema)
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "array":
		items, _ := schema["items"].(map[string]any)
		return []any{d.example(name, items, as)}
	case "object":
		out := map[string]any{}
		props, _ := schema["properties"].(map[string]any)
		for member, p := range props {
			p, _ := p.(map[string]any)
			out[member] = d.example(member, p, as)
		}
		return out
	}
	return nil
}

func (d Document) resolve(ref string) map[string]any {
	v := d.All
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		v, _ = v[step].(map[string]any)
	}
	return v
}

func exampleText(schema map[string]any) string {
	switch {
	case schema["format"] == "date-time":
		return "2026-11-28T01:02:03Z"
	case schema["contentEncoding"] == "base64":
		return "aGk="
	case schema["description"] == "1h30m":
		return "1h30m"
	}
	return "192.0.2.1" // text, and an address where one is wanted
}

package admin

import (
	"net/http"
	"reflect"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// describe is the OpenAPI 3.1 description of routes.
func describe(routes []Route) object {
	known := schemas{}
	known["admin.Problem"] = problemSchema(known)
	paths := object{}
	for _, r := range routes {
		item, ok := paths[r.Path].(object)
		if !ok {
			item = object{}
			paths[r.Path] = item
		}
		item[strings.ToLower(r.Method)] = r.operation(known)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "congthu", "version": "1",
			"description": "API của cổng thư: trên socket của máy, và trên TLS với token. / The gateway's API: on the machine's socket, and on TLS with a token.",
		},
		"paths": paths,
		"components": object{
			"schemas":         known,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
		"security": []any{object{"token": []string{}}},
	}
}

// problemSchema is any answer that is not 200. The mistakes in rule files come with it.
func problemSchema(known schemas) object {
	o := known.members(reflect.TypeFor[Problem]())
	o["properties"].(object)["problems"] = known.of(reflect.TypeFor[tomlfile.Problems]())
	return o
}

func (r Route) operation(known schemas) object {
	op := object{
		"operationId": r.Name(),
		"summary":     r.Summary.In(lang.EN), "x-summary-vi": r.Summary.In(lang.VI),
		"x-right":   r.Right,
		"responses": r.responses(known),
	}
	if r.Act != "" {
		op["x-audit"] = r.Act
	}
	if p := r.parameters(known); len(p) > 0 {
		op["parameters"] = p
	}
	switch r.body {
	case reflect.TypeFor[none]():
	case reflect.TypeFor[Raw]():
		op["requestBody"] = object{"required": true, "content": object{"message/rfc822": object{}}}
	default:
		op["requestBody"] = object{"required": true, "content": content("application/json", known.of(r.body))}
	}
	return op
}

// Name names a route in words: "get queue id hold".
func (r Route) Name() string {
	words := strings.FieldsFunc(strings.TrimPrefix(r.Path, "/v1"), func(c rune) bool { return strings.ContainsRune("/{}.", c) })
	return strings.Join(append([]string{strings.ToLower(r.Method)}, words...), "-")
}

func (r Route) parameters(known schemas) []any {
	var out []any
	for _, p := range paramsOf(r.params) {
		schema := known.of(p.field.Type)
		if p.field.Type == durationType {
			schema = object{"type": "string", "description": "1h30m"}
		}
		if p.field.Type.Kind() == reflect.Slice {
			schema = object{"type": "array", "items": object{"type": "string"}}
		}
		if p.enum != nil {
			schema["enum"] = p.enum
		}
		if p.hasMin {
			schema["minimum"] = p.min
		}
		if p.hasMax {
			schema["maximum"] = p.max
		}
		out = append(out, object{"name": p.name, "in": p.in, "required": p.required, "schema": schema})
	}
	return out
}

func (r Route) responses(known schemas) object {
	fails := object{"description": "không được, vì sao / not done, and why", "content": content("application/json", object{"$ref": "#/components/schemas/admin.Problem"})}
	answer := content("application/json", known.of(r.answer))
	if r.answer == reflect.TypeFor[Stream]() {
		answer = content("application/x-ndjson", object{"type": "string"})
	}
	return object{"200": object{"description": http.StatusText(http.StatusOK), "content": answer}, "default": fails}
}

func content(kind string, schema object) object { return object{kind: object{"schema": schema}} }

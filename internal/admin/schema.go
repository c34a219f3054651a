package admin

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// schemas makes JSON Schema (2020-12, as OpenAPI 3.1 wants it) of Go types, by the rules
// of encoding/json. Named structs stand in the components, so that they may recur.
type schemas map[string]any

type object = map[string]any

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	jsonType     = reflect.TypeFor[json.Marshaler]()
	textType     = reflect.TypeFor[encoding.TextMarshaler]()
)

func (s schemas) of(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == durationType:
		return object{"type": "integer", "description": "nanoseconds"}
	case t.Implements(jsonType):
		return object{}
	case t.Implements(textType):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return object{"anyOf": []any{s.of(t.Elem()), object{"type": "null"}}}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.Slice, reflect.Array:
		return s.list(t)
	case reflect.Struct:
		return s.named(t)
	case reflect.Interface:
		return object{}
	}
	return integer(t)
}

func integer(t reflect.Type) object {
	o := object{"type": "integer"}
	if strings.HasPrefix(t.Kind().String(), "uint") {
		o["minimum"] = 0
	}
	return o
}

// list: a slice that is nil is null in JSON, and octets are base64.
func (s schemas) list(t reflect.Type) object {
	if t.Elem().Kind() == reflect.Uint8 {
		return object{"type": []string{"string", "null"}, "contentEncoding": "base64"}
	}
	return object{"type": []string{"array", "null"}, "items": s.of(t.Elem())}
}

func (s schemas) named(t reflect.Type) object {
	name := componentName(t)
	if name == "" {
		return s.members(t)
	}
	if _, known := s[name]; !known {
		s[name] = nil // it may hold itself
		s[name] = s.members(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// componentName is the package and the name of a type, "" of one without.
func componentName(t reflect.Type) string {
	if t.Name() == "" || strings.Contains(t.Name(), "[") {
		return ""
	}
	return t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:] + "." + t.Name()
}

func (s schemas) members(t reflect.Type) object {
	props, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() || f.Anonymous && name == "" || hidden(t, f) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		props[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": props, "required": required, "additionalProperties": false}
}

// hidden tells whether a promoted field is one of a struct that is a member by a name.
func hidden(t reflect.Type, f reflect.StructField) bool {
	for i := 1; i < len(f.Index); i++ {
		outer := t.FieldByIndex(f.Index[:i])
		if name, _, _ := strings.Cut(outer.Tag.Get("json"), ","); name != "" {
			return true
		}
	}
	return false
}

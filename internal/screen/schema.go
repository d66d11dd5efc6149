package screen

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// schema is a JSON Schema (2020-12, as OpenAPI 3.1 has it).
type schema map[string]any

// schemas makes the schemas of Go types as encoding/json writes them, each named type
// once.
type schemas struct {
	named map[string]schema
	names map[reflect.Type]string
}

func newSchemas() *schemas { return &schemas{map[string]schema{}, map[reflect.Type]string{}} }

var (
	timeType      = reflect.TypeFor[time.Time]()
	durationType  = reflect.TypeFor[time.Duration]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
)

func (s *schemas) of(t reflect.Type) schema {
	switch {
	case t == timeType:
		return schema{"type": "string", "format": "date-time"}
	case t == rawType:
		return schema{}
	case t.Kind() != reflect.Pointer && (t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType)):
		return schema{"description": "as " + t.Name() + " writes itself"}
	case t.Kind() != reflect.Pointer && (t.Implements(textType) || reflect.PointerTo(t).Implements(textType)):
		return schema{"type": "string"}
	case t == durationType:
		return schema{"type": "integer", "description": "nanoseconds"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return orNull(s.of(t.Elem()))
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return schema{"type": "integer"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return schema{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return schema{"type": []string{"array", "null"}, "items": s.of(t.Elem())} // a nil slice is null
	case reflect.Array:
		return schema{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return schema{"type": []string{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		if t.Name() == "" {
			return s.fields(t)
		}
		return schema{"$ref": "#/components/schemas/" + s.name(t)}
	}
	return schema{}
}

// orNull is a schema that allows null too.
func orNull(in schema) schema {
	if kind, ok := in["type"].(string); ok {
		in["type"] = []string{kind, "null"}
		return in
	}
	if in["$ref"] != nil {
		return schema{"oneOf": []any{in, schema{"type": "null"}}}
	}
	return in
}

func (s *schemas) name(t reflect.Type) string {
	if n := s.names[t]; n != "" {
		return n
	}
	path := strings.Split(t.PkgPath(), "/")
	n := upper(path[len(path)-1]) + upper(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, t.Name()))
	for s.named[n] != nil {
		n += "_"
	}
	s.names[t] = n
	s.named[n] = schema{"type": "object"} // a type may hold itself
	s.named[n] = s.fields(t)
	return n
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (s *schemas) fields(t reflect.Type) schema {
	props, required := schema{}, []string{}
	s.add(t, props, &required)
	out := schema{"type": "object", "properties": props}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (s *schemas) add(t reflect.Type, props schema, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _ := f.Tag.Lookup("json")
		name, opts, _ := strings.Cut(tag, ",")
		if tag == "-" {
			continue
		}
		if f.Anonymous && name == "" {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && inner != timeType {
				s.add(inner, props, required)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		one := s.of(f.Type)
		if strings.Contains(opts, "string") {
			one = schema{"type": "string"}
		}
		if says := f.Tag.Get("about"); says != "" {
			one["description"] = says
		}
		props[name] = one
		if !strings.Contains(opts, "omitempty") && !strings.Contains(opts, "omitzero") {
			*required = append(*required, name)
		}
	}
}

package pagetest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Schema is the part of JSON Schema 2020-12 that our schemas use.
// A word it does not know fails the test, so that none is ignored by mistake.
type Schema struct {
	Schema      string            `json:"$schema"`
	ID          string            `json:"$id"`
	Title       string            `json:"title"`
	Ref         string            `json:"$ref"`
	Defs        map[string]Schema `json:"$defs"`
	Description string            `json:"description"`
	Type        string            `json:"type"`
	Format      string            `json:"format"`
	Const       any               `json:"const"`
	Enum        []string          `json:"enum"`
	Minimum     *float64          `json:"minimum"`
	MaxItems    *int              `json:"maxItems"`
	Items       *Schema           `json:"items"`
	Properties  map[string]Schema `json:"properties"`
	Required    []string          `json:"required"`
	OneOf       []Schema          `json:"oneOf"`
	Additional  json.RawMessage   `json:"additionalProperties"`
}

// LoadSchema reads a schema. id is what it says of its documents' "schema".
func LoadSchema(t testing.TB, file, id string) *Schema {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var s Schema
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	forms := append([]Schema{s}, s.OneOf...)
	for i := range forms {
		if len(s.OneOf) > 0 && i == 0 {
			continue
		}
		if got := fmt.Sprint(s.resolve(&forms[i]).Properties["schema"].Const); got != id {
			t.Errorf("the schema is for %s, want %s", got, id)
		}
	}
	if s.Schema != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("the schema is %s", s.Schema)
	}
	return &s
}

func (root *Schema) resolve(s *Schema) *Schema {
	if s.Ref == "" {
		return s
	}
	def, ok := root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	if !ok {
		panic("no definition " + s.Ref)
	}
	return &def
}

// check validates v and returns what is wrong, by path.
func (root *Schema) check(s *Schema, v any, path string) (faults []string) {
	if len(s.OneOf) > 0 {
		var least []string
		fits := 0
		for i := range s.OneOf {
			f := root.check(&s.OneOf[i], v, path)
			if len(f) == 0 {
				fits++
			}
			if i == 0 || len(f) < len(least) {
				least = f
			}
		}
		if fits > 1 {
			return []string{path + ": fits more than one form"}
		}
		return least
	}
	s = root.resolve(s)
	bad := func(format string, args ...any) { faults = append(faults, path+": "+fmt.Sprintf(format, args...)) }
	if s.Const != nil && v != s.Const {
		bad("is %v, want %v", v, s.Const)
	}
	switch s.Type {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			bad("is %T, want an object", v)
			return faults
		}
		for _, name := range s.Required {
			if _, ok := m[name]; !ok {
				bad("lacks %s", name)
			}
		}
		var more *Schema
		if len(s.Additional) > 0 && string(s.Additional) != "false" {
			more = new(Schema)
			if err := json.Unmarshal(s.Additional, more); err != nil {
				bad("additionalProperties: %v", err)
			}
		}
		for name, value := range m {
			p, ok := s.Properties[name]
			switch {
			case ok:
				faults = append(faults, root.check(&p, value, path+"."+name)...)
			case more != nil:
				faults = append(faults, root.check(more, value, path+"."+name)...)
			default:
				bad("has %s, which the schema does not know", name)
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			bad("is %T, want a list", v)
			return faults
		}
		if s.MaxItems != nil && len(list) > *s.MaxItems {
			bad("has %d items", len(list))
		}
		for i, item := range list {
			faults = append(faults, root.check(s.Items, item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			bad("is %T, want a string", v)
			return faults
		}
		if s.Enum != nil && !slices.Contains(s.Enum, text) {
			bad("is %q, want one of %v", text, s.Enum)
		}
		if s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil || !strings.HasSuffix(text, "Z") {
				bad("is %q, want a moment in UTC", text)
			}
		}
	case "integer", "number":
		n, ok := v.(float64)
		if !ok || s.Type == "integer" && n != float64(int64(n)) {
			bad("is %v, want a %s", v, s.Type)
		}
		if s.Minimum != nil && n < *s.Minimum {
			bad("is %v", n)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			bad("is %T, want true or false", v)
		}
	default:
		bad("the schema has no type")
	}
	return faults
}

// Check validates a JSON document and returns what is wrong, by path.
func (root *Schema) Check(t testing.TB, document, name string) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatal(err)
	}
	return root.check(root, v, name)
}

// MatchesTypes says that every field of the Go types is in the schema,
// described and of its type, and the other way round: a new field without a
// word about it fails here. forms are the Go types of the document, one for
// each form; words are definitions of plain words.
func (root *Schema) MatchesTypes(t testing.TB, words []string, forms ...reflect.Type) {
	t.Helper()
	seen := map[string]bool{}
	var walk func(typ reflect.Type, s *Schema, path string)
	walk = func(typ reflect.Type, s *Schema, path string) {
		ref := s.Ref
		if s.Description == "" && ref == "" {
			t.Errorf("%s is not described", path)
		}
		s = root.resolve(s)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		want := ""
		switch {
		case typ == reflect.TypeFor[time.Time]():
			want = "string"
			if s.Format != "date-time" {
				t.Errorf("%s: format %q", path, s.Format)
			}
		case typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
			want = "string"
		case typ.Kind() == reflect.String:
			want = "string"
		case typ.Kind() == reflect.Bool:
			want = "boolean"
		case typ.Kind() == reflect.Float64:
			want = "number"
		case typ.Kind() == reflect.Int || typ.Kind() == reflect.Int64:
			want = "integer"
		case typ.Kind() == reflect.Slice:
			want = "array"
		case typ.Kind() == reflect.Map || typ.Kind() == reflect.Struct:
			want = "object"
		default:
			t.Errorf("%s: type %s is not foreseen", path, typ)
		}
		if s.Type != want {
			t.Errorf("%s: type %q, want %q", path, s.Type, want)
			return
		}
		switch {
		case typ.Kind() == reflect.Slice:
			walk(typ.Elem(), s.Items, path+"[]")
		case want == "object" && typ.Kind() == reflect.Struct:
			if ref != "" {
				if seen[ref+typ.Name()] {
					return
				}
				seen[ref+typ.Name()] = true
			}
			if string(s.Additional) != "false" {
				t.Errorf("%s: additional properties are not closed", path)
			}
			left := maps.Clone(s.Properties)
			for _, f := range reflect.VisibleFields(typ) {
				if f.Anonymous || !f.IsExported() || f.Tag.Get("json") == "-" {
					continue
				}
				name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
				p, ok := s.Properties[name]
				if !ok {
					t.Errorf("%s.%s is in the Go type and not in the schema", path, name)
					continue
				}
				delete(left, name)
				if required := slices.Contains(s.Required, name); required == strings.Contains(opts, "omit") {
					t.Errorf("%s.%s: required is %v, the tag says %q", path, name, required, opts)
				}
				walk(f.Type, &p, path+"."+name)
			}
			for name := range left {
				t.Errorf("%s.%s is in the schema and not in the Go type", path, name)
			}
		}
	}
	for i, typ := range forms {
		s := root
		if len(root.OneOf) > 0 {
			s = &root.OneOf[i]
		}
		walk(typ, s, typ.Name())
	}
	for name := range root.Defs {
		if !strings.Contains(fmt.Sprint(seen), "#/$defs/"+name) && !slices.Contains(words, name) {
			t.Errorf("the definition %s is used by nobody", name)
		}
	}
}

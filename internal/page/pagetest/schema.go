package pagetest

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is one of our JSON schemas (2020-12), compiled.
type Schema struct {
	root *jsonschema.Schema
	defs map[string]*jsonschema.Schema
}

// vocabulary are the keywords that our schemas use: one that is not here is more
// likely misspelt than new, and a validator ignores it.
var vocabulary = []string{
	"$schema", "$id", "$ref", "$defs", "title", "description", "type", "format", "const", "enum", "minimum", "maxItems", "items", "properties", "required",
	"oneOf",
	"additionalProperties",
}

// LoadSchema compiles a schema. id is what it says of its documents' "schema".
func LoadSchema(t testing.TB, file, id string) *Schema {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	checkWords(t, raw, "schema")
	c := jsonschema.NewCompiler()
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: moment})
	c.AssertFormat()
	name, err := filepath.Abs(file)
	if err == nil {
		err = c.AddResource(name, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &Schema{}
	if s.root, err = c.Compile(name); err != nil {
		t.Fatal(err)
	}
	for _, form := range s.forms() {
		p := form.Properties["schema"]
		if p == nil || p.Const == nil || *p.Const != any(id) {
			t.Errorf("the schema is for another document than %s", id)
		}
	}
	if top := raw.(map[string]any); top["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("the schema is %v", top["$schema"])
	} else if defs, ok := top["$defs"].(map[string]any); ok {
		s.defs = map[string]*jsonschema.Schema{}
		for def := range defs {
			if s.defs[def], err = c.Compile(name + "#/$defs/" + def); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// moment is date-time as we write it: in UTC.
func moment(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, text); err != nil || !strings.HasSuffix(text, "Z") {
		return errors.New("is no moment in UTC")
	}
	return nil
}

// checkWords fails at a keyword that is not of the vocabulary.
func checkWords(t testing.TB, v any, path string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for word, inner := range v {
			if !slices.Contains(vocabulary, word) {
				t.Errorf("%s has the word %q, which is not of the vocabulary", path, word)
			}
			switch word {
			case "properties", "$defs":
				for name, s := range inner.(map[string]any) {
					checkWords(t, s, path+"."+name)
				}
			case "items", "additionalProperties", "oneOf":
				checkWords(t, inner, path+"."+word)
			}
		}
	case []any:
		for i, s := range v {
			checkWords(t, s, fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

// forms are what a document may be.
func (s *Schema) forms() []*jsonschema.Schema {
	if len(s.root.OneOf) == 0 {
		return []*jsonschema.Schema{s.root}
	}
	var list []*jsonschema.Schema
	for _, f := range s.root.OneOf {
		list = append(list, resolve(f))
	}
	return list
}

func resolve(s *jsonschema.Schema) *jsonschema.Schema {
	for s.Ref != nil {
		s = s.Ref
	}
	return s
}

// Check validates a JSON document and returns what is wrong, by path.
func (s *Schema) Check(t testing.TB, document, name string) (faults []string) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	err = s.root.Validate(v)
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		t.Fatal(err)
	}
	for _, unit := range wrong.BasicOutput().Errors {
		if unit.Error != nil {
			faults = append(faults, name+unit.InstanceLocation+": "+unit.Error.String())
		}
	}
	return append(faults, name+" does not fit")
}

// Enum are the words that a property of a definition may be, or the definition
// itself where no property is named.
func (s *Schema) Enum(t testing.TB, def, property string) (words []string) {
	t.Helper()
	d := s.defs[def]
	if d != nil && property != "" {
		d = d.Properties[property]
	}
	if d == nil || resolve(d).Enum == nil {
		t.Fatalf("%s.%s has no fixed words", def, property)
	}
	for _, v := range resolve(d).Enum.Values {
		words = append(words, v.(string))
	}
	return words
}

// MatchesTypes says that every field of the Go types is in the schema,
// described and of its type, and the other way round: a new field without a
// word about it fails here. forms are the Go types of the document, one for
// each form; words are definitions of plain words.
func (s *Schema) MatchesTypes(t testing.TB, words []string, forms ...reflect.Type) {
	t.Helper()
	m := matcher{t: t, seen: map[string]bool{}}
	for i, typ := range forms {
		m.walk(typ, s.forms()[i], typ.Name(), true)
	}
	for name := range s.defs {
		if !strings.Contains(fmt.Sprint(m.seen), "#/$defs/"+name+" ") && !slices.Contains(words, name) {
			t.Errorf("the definition %s is used by nobody", name)
		}
	}
}

type matcher struct {
	t    testing.TB
	seen map[string]bool // definitions, with the types they were held against
}

// walk holds a type against a schema, which is described here or where it is
// defined.
func (m *matcher) walk(typ reflect.Type, s *jsonschema.Schema, path string, described bool) {
	m.t.Helper()
	named := s.Ref != nil
	if !described && s.Description == "" && !named {
		m.t.Errorf("%s is not described", path)
	}
	s = resolve(s)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := typeOf(typ)
	if typ == reflect.TypeFor[time.Time]() && (s.Format == nil || s.Format.Name != "date-time") {
		m.t.Errorf("%s: it is no date-time", path)
	}
	got := ""
	if s.Types != nil {
		got = strings.Join(s.Types.ToStrings(), ",")
	}
	if got != want || want == "" {
		m.t.Errorf("%s: type %q, want %q for %s", path, got, want, typ)
		return
	}
	switch {
	case typ.Kind() == reflect.Slice:
		m.walk(typ.Elem(), s.Items2020, path+"[]", false)
	case want == "object" && typ.Kind() == reflect.Struct:
		if key := s.Location[strings.Index(s.Location, "#"):] + " " + typ.Name(); !m.seen[key] {
			m.seen[key] = true
			m.object(typ, s, path)
		}
	}
}

func (m *matcher) object(typ reflect.Type, s *jsonschema.Schema, path string) {
	m.t.Helper()
	if closed, ok := s.AdditionalProperties.(bool); !ok || closed {
		m.t.Errorf("%s: additional properties are not closed", path)
	}
	left := maps.Clone(s.Properties)
	for _, f := range reflect.VisibleFields(typ) {
		if f.Anonymous || !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ok := s.Properties[name]
		if !ok {
			m.t.Errorf("%s.%s is in the Go type and not in the schema", path, name)
			continue
		}
		delete(left, name)
		if required := slices.Contains(s.Required, name); required == strings.Contains(opts, "omit") {
			m.t.Errorf("%s.%s: required is %v, the tag says %q", path, name, required, opts)
		}
		m.walk(f.Type, p, path+"."+name, false)
	}
	for name := range left {
		m.t.Errorf("%s.%s is in the schema and not in the Go type", path, name)
	}
}

// typeOf is the JSON type of a Go type's values, or "".
func typeOf(typ reflect.Type) string {
	switch k := typ.Kind(); {
	case typ == reflect.TypeFor[time.Time](), typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()), k == reflect.String:
		return "string"
	case k == reflect.Bool:
		return "boolean"
	case k == reflect.Float64:
		return "number"
	case k == reflect.Int, k == reflect.Int64:
		return "integer"
	case k == reflect.Slice:
		return "array"
	case k == reflect.Map, k == reflect.Struct:
		return "object"
	}
	return ""
}

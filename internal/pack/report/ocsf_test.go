package report

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/assess/render/rendertest"
)

// ocsf is OCSF's own schema, as far as it is here: classes and objects with their
// attributes, and the dictionary that types them.
type ocsf struct {
	t    *testing.T
	dir  string
	dict map[string]attribute
	base map[string]string // what a type is made of
}

type attribute struct {
	Type        string                     `json:"type"`
	IsArray     bool                       `json:"is_array"`
	Requirement string                     `json:"requirement"`
	Enum        map[string]json.RawMessage `json:"enum"`
	Profile     *string                    `json:"profile"`
}

type object struct {
	Extends    string                     `json:"extends"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	Constraint map[string][]string        `json:"constraints"`
}

func loadOCSF(t *testing.T) *ocsf {
	t.Helper()
	o := &ocsf{t: t, dir: shared(t, "ocsf"), base: map[string]string{}}
	var d struct {
		Attributes map[string]attribute
		Types      struct {
			Attributes map[string]struct {
				Type string `json:"type"`
			}
		}
	}
	o.read(filepath.Join("1.8.0", "dictionary.json"), &d)
	o.dict = d.Attributes
	for name, typ := range d.Types.Attributes {
		o.base[name] = typ.Type
	}
	return o
}

func (o *ocsf) read(name string, v any) {
	o.t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, name))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// object reads an object by name, with what it extends; ok is false where it is not among
// the files that are here, and then nothing is said of its members.
func (o *ocsf) object(name string) (object, bool) {
	for _, dir := range []string{"1.8.0/objects", "1.9.0-dev/objects", "1.8.0/events/findings", "1.8.0/events"} {
		p := filepath.Join(dir, name+".json")
		if _, err := os.Stat(filepath.Join(o.dir, p)); err != nil {
			continue
		}
		var x object
		o.read(p, &x)
		if x.Extends != "" && x.Extends != "object" {
			up, _ := o.object(x.Extends)
			for k, v := range up.Attributes {
				if x.Attributes[k] == nil {
					x.Attributes[k] = v
				}
			}
		}
		return x, true
	}
	return object{}, false
}

// attr is an attribute of an object: the dictionary's, with what the object says of it.
func (o *ocsf) attr(name string, raw json.RawMessage) attribute {
	a := o.dict[name]
	var own attribute
	if err := json.Unmarshal(raw, &own); err != nil {
		o.t.Fatal(name, err)
	}
	own.Type, own.IsArray = a.Type, a.IsArray
	enum := maps.Clone(a.Enum)
	if enum == nil {
		enum = own.Enum
	} else {
		maps.Copy(enum, own.Enum)
	}
	own.Enum = enum
	return own
}

// extra are attributes that no file here defines: of 1.9.0-dev's dictionary, and of the
// objects that the entity and resource objects extend.
var extra = map[string]string{
	"attestation_list": "attestation[]", "prev_event": "event_reference", "chain_uid": "string_t", "authority_uid": "string_t",
	"resource_details.uid": "string_t", "resource_details.type": "string_t", "product.name": "string_t",
}

// check holds a value to an object's definition.
func (o *ocsf) check(path, kind string, v map[string]any) (faults []string) {
	def, known := o.object(kind)
	if !known {
		return nil
	}
	for name, raw := range def.Attributes {
		if name == "$include" {
			continue
		}
		if a := o.attr(name, raw); a.Requirement == "required" && v[name] == nil {
			faults = append(faults, path+": "+name+" is required")
		}
	}
	if one := def.Constraint["at_least_one"]; len(one) > 0 && !slices.ContainsFunc(one, func(n string) bool { return v[n] != nil }) {
		faults = append(faults, path+": has none of "+strings.Join(one, ", "))
	}
	for name, x := range v {
		if name == "class_uid" || name == "category_uid" { // a class has its own; see TestOCSF
			continue
		}
		raw, has := def.Attributes[name]
		a := attribute{Type: o.dict[name].Type, IsArray: o.dict[name].IsArray}
		switch own := extra[name] + extra[kind+"."+name]; {
		case has:
			a = o.attr(name, raw)
			if a.Type == "" && own != "" {
				a.Type, a.IsArray = strings.TrimSuffix(own, "[]"), strings.HasSuffix(own, "[]")
			}
		case own != "":
			a = attribute{Type: strings.TrimSuffix(own, "[]"), IsArray: strings.HasSuffix(own, "[]")}
		default:
			faults = append(faults, path+": "+name+" is no attribute of "+kind)
			continue
		}
		faults = append(faults, o.value(path+"."+name, &a, x)...)
	}
	return faults
}

func (o *ocsf) value(path string, a *attribute, x any) (faults []string) {
	if a.IsArray {
		list, ok := x.([]any)
		if !ok {
			return []string{path + " is no list"}
		}
		one := *a
		one.IsArray = false
		for i, v := range list {
			faults = append(faults, o.value(fmt.Sprintf("%s[%d]", path, i), &one, v)...)
		}
		return faults
	}
	typ := a.Type
	for o.base[typ] != "" {
		typ = o.base[typ]
	}
	bad := false
	switch typ {
	case "string_t":
		_, is := x.(string)
		bad = !is
	case "integer_t", "long_t":
		n, is := x.(json.Number)
		_, err := n.Int64()
		bad = !is || err != nil
		if !bad && len(a.Enum) > 0 {
			if _, known := a.Enum[n.String()]; !known {
				faults = append(faults, path+": "+n.String()+" is none of its words")
			}
		}
	case "json_t":
	case "object":
		_, is := x.(map[string]any)
		bad = !is
	case "":
		return []string{path + " has no type in the dictionary"}
	default:
		m, is := x.(map[string]any)
		if !is {
			return []string{path + " is no object"}
		}
		return o.check(path, typ, m)
	}
	if bad {
		faults = append(faults, path+" is no "+typ)
	}
	return faults
}

func findings(t *testing.T, text []byte) (out []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(text) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var f map[string]any
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// TestOCSF holds every finding to OCSF's own class, objects and dictionary.
func TestOCSF(t *testing.T) {
	t.Parallel()
	o := loadOCSF(t)
	var categories struct {
		Attributes map[string]struct{ UID int }
	}
	var class struct{ UID int }
	o.read("1.8.0/categories.json", &categories)
	o.read("1.8.0/events/findings/compliance_finding.json", &class)
	category := categories.Attributes["findings"].UID
	number := category*1000 + class.UID
	hostile := input(Auditor)
	hostile.Report = rendertest.Hostile()
	for name, in := range map[string]Input{"auditor": input(Auditor), "insurer": input(Insurer), "hostile": hostile} {
		list := findings(t, written(t, in)["ocsf/compliance-findings.jsonl"])
		if len(list) < 8 {
			t.Errorf("%s: %d findings", name, len(list))
		}
		for _, f := range list {
			if faults := o.check(name, "compliance_finding", f); len(faults) > 0 {
				t.Errorf("%s: %v", name, faults)
			}
			if got := fmt.Sprintf("%v %v %v", f["category_uid"], f["class_uid"], f["type_uid"]); got != fmt.Sprintf("%d %d %d", category, number,
				number*100+1) {
				t.Errorf("%s: it is of category, class and type %s", name, got)
			}
		}
	}
	// The check is one: what OCSF does not allow is found.
	for name, change := range map[string]func(map[string]any){
		"required": func(f map[string]any) { delete(f, "metadata") }, "an attribute": func(f map[string]any) { f["verdict"] = "met" },
		"a word":     func(f map[string]any) { f["severity_id"] = json.Number("7") },
		"a type":     func(f map[string]any) { f["time"] = "today" },
		"the inside": func(f map[string]any) { delete(f["finding_info"].(map[string]any), "uid") },
		"one of them": func(f map[string]any) {
			a := f["attestation_list"].([]any)[0].(map[string]any)
			delete(a, "fingerprint")
			delete(a, "signatures")
		},
	} {
		f := findings(t, written(t, input(Auditor))["ocsf/compliance-findings.jsonl"])[0]
		if change(f); len(o.check(name, "compliance_finding", f)) != 1 {
			t.Errorf("%s: %v", name, o.check(name, "compliance_finding", f))
		}
	}
}

// TestRecordIntegrity: each finding is held to its fingerprint, its signature and the one
// before it, and any change of any of them is found.
func TestRecordIntegrity(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	holds := func(text []byte) error {
		before := ""
		for line := range bytes.Lines(text) {
			finger, signed, sig, err := CheckFinding(line, before)
			if err != nil {
				return err
			}
			if !ed25519.Verify(key, signed, sig) {
				return fmt.Errorf("the signature does not fit")
			}
			before = finger
		}
		return nil
	}
	in := input(Auditor)
	in.Report.Requirements[0].Reason = "<a> & \u2028 \\u2028 é"
	text := written(t, in)["ocsf/compliance-findings.jsonl"]
	if err := holds(text); err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(text))
	for name, changed := range map[string][]byte{
		"a verdict":    bytes.Replace(text, []byte(`"Fail"`), []byte(`"Pass"`), 1),
		"a count":      bytes.Replace(text, []byte(`"affected":7`), []byte(`"affected":0`), 1),
		"the chain":    bytes.Replace(text, []byte(`/812/`), []byte(`/811/`), 1),
		"one left out": bytes.Join(slices.Delete(slices.Clone(lines), 2, 3), nil),
		"the order":    bytes.Join([][]byte{lines[1], lines[0]}, nil),
		"twice":        bytes.Join([][]byte{lines[0], lines[0]}, nil),
		"the first":    bytes.Join(lines[1:], nil),
		"not signed":   bytes.Replace(text, []byte(`"signatures":[`), []byte(`"signatures":[],"uid2":[`), 1),
	} {
		if bytes.Equal(changed, text) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := holds(changed); err == nil {
			t.Errorf("%s was not found", name)
		}
	}
	in.Sign = nil
	for line := range bytes.Lines(written(t, in)["ocsf/compliance-findings.jsonl"]) {
		if _, _, sig, err := CheckFinding(line, ""); err != nil || sig != nil {
			t.Error(sig, err)
		}
		break
	}
}

// TestCanonical holds the form to RFC 8785's own example of texts, as far as it is ours.
func TestCanonical(t *testing.T) {
	t.Parallel()
	got, err := canonical(map[string]any{"b": "\u20ac$\u000f\nA'B\"\\\\\"/", "a": "<\u2028>\\u2029", "c": []any{true, 7}})
	want := "{\"a\":\"<\u2028>\\\\u2029\",\"b\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"c\":[true,7]}"
	if err != nil || string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzCheckFinding(f *testing.F) {
	for line := range bytes.Lines(written(f, input(Auditor))["ocsf/compliance-findings.jsonl"]) {
		f.Add(line)
	}
	f.Add([]byte(`{"attestation_list":[{}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		finger, _, sig, err := CheckFinding(line, "")
		if err != nil && (finger != "" || sig != nil) {
			t.Error("both an answer and an error")
		}
	})
}

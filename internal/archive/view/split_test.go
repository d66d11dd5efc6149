package view

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Whatever other lists a page has, before or behind, its own is taken apart as it
// stands, and each element of what is written is a line.
func TestSplitsItsOwnList(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		`{"value":[{"a":1},{"b":2}],"tips":["one","two","three"]}`:      `{"a":1}|{"b":2}`,
		`{"tips":["one","two"],"value":[{"a":1},{"b":2}]}`:              `{"a":1}|{"b":2}`,
		`{"items":[{"a":1}],"tips":[],"value":[{"b":2},3],"more":[[]]}`: `{"b":2}|3`,
		`{"value":[{"a":1},{"b":2}],"items":[{"c":3}]}`:                 `{"a":1}|{"b":2}`,
		"{\"value\":[{\"a\":\n1},{\"b\":2}]}":                           "{\"a\":\n1}|{\"b\":2}",
		`{"value":[ {"a":1} ,{"b":2} ]}`:                                `{"a":1}|{"b":2}`,
		`[{"a":1},{"b":2}]`:                                             `{"a":1}|{"b":2}`,
	} {
		var s splitter
		for range 3 {
			a := s.page([]byte(page))
			var got []string
			if _, err := s.of(&a, func(v []byte) error { got = append(got, string(v)); return nil }); err != nil {
				t.Fatal(err)
			}
			if strings.Join(got, "|") != want {
				t.Errorf("%s: %q", page, got)
			}
			if l := a.lines(); l != nil && string(l) != strings.ReplaceAll(want, "|", "\n")+"\n" {
				t.Errorf("%s: %q", page, l)
			}
		}
	}
}

// FuzzSplit holds the splitter to encoding/json: of valid JSON it gives the same
// values, and of anything it ends.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`[]`, `[1,"a",{"b":[null]},true]`, `{"a":1,"b":"\\\"}]","c":[{"d":"e"}]}`, ` { "a" : [ 1 , 2 ] } `, "[\"\\\\\"]", `{"a":`, `[1,]`, `{"a" 1}`, `["`,
		`{"value":[{"id":"x"}],"@odata.nextLink":"n"}`, strings.Repeat("[", 2000), `{"":""}`, `[{}{}]`, `nul`, `"\`,
	} {
		f.Add([]byte(s))
	}
	row := `{"id":"a","x":[{"id":"b"},{"id":"},{"}],"s":"\\\"},{"},`
	many := "[" + strings.Repeat(row, 80)
	f.Add([]byte(many + "{}]"))
	f.Add([]byte(many + `"},{"]`))
	f.Add([]byte(many + `{"a":[`))
	f.Add([]byte(`{"value":` + many + `1,{"x":2}],"@odata.nextLink":"n"}`))
	f.Add([]byte("[" + strings.Repeat(row, 4000) + "{}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got [][]byte
		var s splitter
		s.page(b)
		isObject := members(b, func(_, v []byte) bool { got = append(got, bytes.Clone(v)); return true })
		end, err := s.elements(b, func(v []byte) error { got = append(got, bytes.Clone(v)); return nil })
		if err != nil {
			t.Error(err)
		}
		ok := end >= 0
		if !json.Valid(b) {
			return
		}
		switch bytes.TrimLeft(b, " \n\r\t")[0] {
		case '[':
			var want []json.RawMessage
			if err := json.Unmarshal(b, &want); err != nil {
				return // nests too deep
			}
			if !ok && strings.Count(string(b), "[")+strings.Count(string(b), "{") < maxDepth {
				t.Errorf("%q is a list", b)
			}
			for i := range want {
				if ok && !bytes.Equal(got[i], want[i]) {
					t.Errorf("%q: %q, not %q", b, got[i], want[i])
				}
			}
		case '{':
			var want map[string]json.RawMessage
			if err := json.Unmarshal(b, &want); err != nil {
				return
			}
			if !isObject && strings.Count(string(b), "[")+strings.Count(string(b), "{") < maxDepth {
				t.Errorf("%q is an object", b)
			}
			for _, w := range want {
				if isObject && !slices.ContainsFunc(got, func(g []byte) bool { return bytes.Equal(g, w) }) {
					t.Errorf("%q: no %q", b, w)
				}
			}
		}
	})
}

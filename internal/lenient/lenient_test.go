package lenient_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/lenient"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	jan9 := time.Date(2007, 1, 9, 9, 41, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"01/09/2007 09:41:00":              jan9,
		"1/9/2007 09:41:00":                jan9,
		"01/09/2007 09:41:00 AM":           jan9,
		"1/9/2007 9:41:00 AM":              jan9,
		"1/9/2007 10:41:00 AM +01:00":      jan9,
		"2007-01-09T09:41:00":              jan9,
		"2007-01-09T09:41:00.22Z":          jan9.Add(220 * time.Millisecond),
		"2007-01-09T09:41:00.6816663Z":     jan9.Add(681666300),
		"2007-01-09T09:41:00.535404056Z":   jan9.Add(535404056),
		"2007-01-09T09:41:00.992099+00:00": jan9.Add(992099000),
		"2007-01-09T11:41:00+02:00":        jan9,
		"2007-01-09 09:41:00":              jan9,
		"2007-01-09 09:41:00.983201900":    jan9.Add(983201900),
		"4/28/2021, 2:08:45.221 PM":        time.Date(2021, 4, 28, 14, 8, 45, 221e6, time.UTC),
		"4/28/2021 14:08":                  time.Date(2021, 4, 28, 14, 8, 0, 0, time.UTC),
		"2020-05-20":                       time.Date(2020, 5, 20, 0, 0, 0, 0, time.UTC),
		"/Date(1769788627239)/":            time.UnixMilli(1769788627239).UTC(),
		"/Date(1769788627239+0200)/":       time.UnixMilli(1769788627239).UTC(),
		" 2007-01-09T09:41:00Z ":           jan9,
		"31/12/2020 10:00:00":              time.Date(2020, 12, 31, 10, 0, 0, 0, time.UTC),
	} {
		got, ok := lenient.ParseTime(s)
		if !ok || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) = %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "yesterday", "2007-13-40T00:00:00Z", "0001-01-01T00:00:00Z", "/Date(x)/", "/Date(99999999999999999999)/", "03/11/2020x",
		"03-11-2020 10:00:00", "1769788627239"} {
		if got, ok := lenient.ParseTime(s); ok {
			t.Errorf("ParseTime(%q) = %v, want refused", s, got)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	type all struct {
		B lenient.Bool
		I lenient.Int
		S lenient.String
		L lenient.Strings
		T lenient.Time
		O lenient.List[struct{ A int }]
	}
	read := func(s string) (v all) {
		t.Helper()
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return v
	}
	if v := read(`{"B":"TRUE","I":"12","S":5,"L":"a, b","T":"2020-05-20","O":{"A":1}}`); !v.B.True() || v.I.Value != 12 || v.S != "5" || len(v.L) != 2 ||
		v.L[1] != "b" || !v.T.Set || len(v.O.Items) != 1 {
		t.Errorf("text forms: %+v", v)
	}
	if v := read(`{"B":false,"I":12.0,"S":"x","L":["a",1,null,{}],"T":1769788627239,"O":"[{\"A\":1},{\"A\":\"x\"},null]"}`); !v.B.False() ||
		v.I.Value != 12 || len(v.L) != 2 || !v.T.Set || len(v.O.Items) != 1 || v.O.Dropped != 2 || !v.O.Set {
		t.Errorf("native forms: %+v", v)
	}
	for s, want := range map[string]lenient.Bool{`"Yes"`: {Value: true, Set: true}, `"1"`: {Value: true, Set: true}, `1`: {Value: true, Set: true},
		`"no"`: {Set: true}, `"maybe"`: {},
		`"WAHR"`: {Value: true, Set: true}, `"Falsch"`: {Set: true}, `"VRAI"`: {Value: true, Set: true}, `"FAUX"`: {Set: true}, `"ONWAAR"`: {Set: true},
		`"VERO"`: {Value: true, Set: true}, `"EPÄTOSI"`: {Set: true}, `"NEPRAVDA"`: {Set: true}, `"Igaz"`: {Value: true, Set: true}, `"HAMIS"`: {Set: true},
		`"Sí"`: {Value: true, Set: true}, `"はい"`: {Value: true, Set: true}, `"いいえ"`: {Set: true}, `"$True"`: {Value: true, Set: true},
		`"ja"`: {Value: true, Set: true}} {
		if v := read(`{"B":` + s + `}`); v.B != want {
			t.Errorf("%s reads as %+v", s, v.B)
		}
	}
	for _, s := range []string{`{"value":"\/Date(1769788627239)\/","DisplayHint":2,"DateTime":"Freitag, 30. Januar 2026"}`,
		`{"DateTime":"\/Date(1)\/","UtcDateTime":"\/Date(1769788627239)\/","Offset":{"Ticks":0},"Ticks":5}`} {
		if v := read(`{"T":` + s + `}`); !v.T.Equal(time.UnixMilli(1769788627239)) {
			t.Errorf("PowerShell's clock reads as %+v", v.T)
		}
	}
	if v := read(`{"B":{},"I":"twelve","S":{"a":1},"L":{"a":1},"T":{},"O":5}`); v.B.Set || v.I.Set || v.S != "" || v.L != nil || v.T.Set || v.O.Set {
		t.Errorf("wrong types must read as unknown: %+v", v)
	}
	if v := read(`{"B":null,"I":null,"S":null,"L":null,"T":null,"O":null}`); v.B.Set || v.I.Set || v.O.Set {
		t.Errorf("nulls must read as unknown: %+v", v)
	}
}

// FuzzValues: no value of any shape is an error or a panic, and what is read
// can be written again.
func FuzzValues(f *testing.F) {
	for _, s := range []string{`"TRUE"`, `12`, `"[1]"`, `{"a":[]}`, `null`, `"/Date(1)/"`, `[{"A":1}]`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		doc := append(append([]byte(`{"V":`), raw...), '}')
		check[lenient.Bool](t, doc)
		check[lenient.Int](t, doc)
		check[lenient.String](t, doc)
		check[lenient.Strings](t, doc)
		check[lenient.Time](t, doc)
		check[lenient.List[map[string]any]](t, doc)
	})
}

func check[T any](t *testing.T, doc []byte) {
	t.Helper()
	var v struct{ V T }
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%s into %T: %v", doc, v.V, err)
	}
	if _, err := json.Marshal(v); err != nil {
		t.Fatalf("%s from %T: %v", doc, v.V, err)
	}
}

func TestTypeName(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"System.Object[]": true, "System.String[]": true, "System.Collections.Hashtable": true,
		"System.Collections.Generic.Dictionary`2[System.String,System.Object]":                                                    true,
		"System.Collections.Generic.List`1[Microsoft.Open.MSGraph.Model.PasswordCredential]":                                      true,
		"Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRole":                                                             true,
		"Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRole Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRole": true,
		"Microsoft.Open.MSGraph.Model.ConditionalAccessConditionSet":                                                              true,
		"Microsoft.Online.Administration.StrongAuthenticationRequirement":                                                         true,
		"@{IncludeUsers=System.Object[]; ExcludeUsers=}":                                                                          true,
		"Microsoft Graph Command Line Tools":                                                                                      false,
		"Microsoft.Azure":                                                                                                         false,
		"System Account":                                                                                                          false,
		"System.Ben@contoso.example":                                                                                              false,
		"microsoft.graph.user":                                                                                                    false,
		"#microsoft.graph.user":                                                                                                   false, "All": false,
		"": false, "@{": false, "urn:user:registerdevice": false,
	} {
		if got := lenient.TypeName(s); got != want {
			t.Errorf("TypeName(%q) = %v", s, got)
		}
	}
}

// Members come in the order they are written, also those given twice, and with
// the names that encoding/json gives them.
func TestMembers(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{}`: "ok",
		` {"a" : 1 , "b":[{"a":2}],"a":"\u00e9"} x`:   `a=1 b=[{"a":2}] a="\u00e9" ok`,
		"{\"\\u0061\":null,\"\xff\":0,\"\\ud800\":1}": "a=null \uFFFD=0 \uFFFD=1 ok",
		`[1]`: "", `"{}"`: "", ``: "", `{"a":1`: "a=1", `{"a":1,}`: "a=1", `{"a":1 "b":2}`: "a=1",
	} {
		var got []string
		if lenient.Members([]byte(raw), func(name string, v json.RawMessage) { got = append(got, name+"="+string(v)) }) {
			got = append(got, "ok")
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", raw, s, want)
		}
	}
}

package kit

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestUnknownOption(t *testing.T) {
	for query, want := range map[string]string{"": "", "size=1": "", "SIZE=1&Filter=x": "", "filtre=x&size=1": "filtre", "zeta=1&alpha=2": "alpha", "=1": ""} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := UnknownOption(q, "size", "filter"); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

func TestUnknownHeader(t *testing.T) {
	api := Headers{Own: []string{"Ms-"}, Taken: []string{"MS-RequestId"}}
	for _, c := range []struct{ method, name, want string }{
		{"GET", "MS-RequestId", ""}, {"GET", "MS-Something", "Ms-Something"}, {"GET", "If-None-Match", ""}, {"PATCH", "If-None-Match", "If-None-Match"},
		{"PATCH", "If-Match", ""}, {"POST", "X-HTTP-Method-Override", "X-Http-Method-Override"}, {"POST", "User-Agent", ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Header.Set(c.name, "x")
		if got := api.Unknown(r, "if-match"); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.name, got, c.want)
		}
	}
}

func TestObject(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"a","inner":{"size":1}}`: "", `{"NAME":"a"}`: "", `{}`: "",
		`{"nmae":"secret"}`:                      "the member 'nmae' is not known here",
		`{"inner":{"sise":1}}`:                   "the member 'sise' is not known here",
		`{"inner":{"size":"word"}}`:              "the member 'inner.size' has a wrong type",
		`[]`:                                     "a JSON object was expected",
		`{"name":"a","NAME":"b"}`:                "the member 'NAME' is there twice",
		`{"inner":{"size":1,"size":2}}`:          "the member 'size' is there twice",
		`{"name":"a"} {}`:                        "more stands behind the JSON object",
		`{"name":`:                               "it is not JSON",
		``:                                       "it is not JSON",
		`{"` + strings.Repeat("n", 100) + `":1}`: "the member '" + strings.Repeat("n", clipped) + "' is not known here",
	} {
		var in struct {
			Name  string `json:"name"`
			Inner struct {
				Size int `json:"size"`
			} `json:"inner"`
		}
		got := ""
		if err := Object([]byte(body), &in); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

package kit

import (
	"net/url"
	"testing"
)

func TestTwice(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}`: "", `{"a":1,"A":2}`: "A", `{"x":[{"a":"a","b":[],"b":{}}]}`: "b", `{"a":{"b":"a"},"a":1}`: "a",
		`["a","a"]`: "", `{"a":["a","a"],"b":"a"}`: "", `{"a":`: "", ``: "", `{"a":1} {"a":2}`: "",
	} {
		if got := Twice([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestRepeatedOption(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{"": "", "a=1&b=2": "", "b=1&a=1&a=2": "a", "size=1&SIZE=2": "SIZE", "list=1&list=2": ""} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := RepeatedOption(q, "List"); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

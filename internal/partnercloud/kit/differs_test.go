package kit

import "testing"

func TestDiffers(t *testing.T) {
	shown := map[string]any{"name": "Anna", "at": "2026-11-22T08:00:00.1234567Z", "kind": "AzurePlan", "n": 2, "on": true,
		"inner": map[string]any{"a": "x", "list": []any{1, 2}}}
	for _, c := range []struct {
		sent any
		want string
	}{
		{nil, ""}, {map[string]any{}, ""}, {shown, ""}, {map[string]any{"NAME": "anna", "kind": "azure_plan", "at": "2026-11-22T08:00:00.123Z"}, ""},
		{map[string]any{"name": "Bert"}, "name"}, {map[string]any{"inner": map[string]any{"a": "y"}}, "inner.a"},
		{map[string]any{"inner": map[string]any{"list": []any{1}}}, "inner.list"}, {map[string]any{"other": "x"}, "other"},
		{map[string]any{"other": "", "more": nil, "links": "x", "flag": false, "count": 0}, ""}, {map[string]any{"on": false}, "on"},
		{map[string]any{"n": 3.0}, "n"}, {map[string]any{"at": "2026-11-22T08:00:01Z"}, "at"},
	} {
		if got := Differs(c.sent, shown); got != c.want {
			t.Errorf("%v: %q, want %q", c.sent, got, c.want)
		}
	}
	if got := Differs(map[string]any{"name": "Anna"}, nil); got != "name" {
		t.Errorf("of what is being made: %q", got)
	}
}

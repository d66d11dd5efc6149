package odata

import (
	"strings"
	"testing"
	"time"
)

func row() any {
	return map[string]any{
		"name": "Anna", "n": 5.0, "on": true, "at": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "none": nil, "tags": []any{"a", "b"},
		"list":   []any{map[string]any{"id": "x", "n": 1.0}, map[string]any{"id": "y", "n": 2.0}},
		"status": map[string]any{"errorCode": 0.0, "deep": map[string]any{"er": "v"}}, "quote": "o'neil",
	}
}

func TestFilter(t *testing.T) {
	for text, want := range map[string]bool{
		"name eq 'anna'": true, "name ne 'anna'": false, "name eq 'Bert'": false, "n gt 4": true, "n gt 5": false, "n ge 5": true, "n lt 5": false,
		"n le 5.0": true, "n eq -5": false,
		"on": true, "on eq false": false, "not on": false, "not (n gt 10)": true, "none eq null": true, "none ne null": false, "name eq null": false,
		"name ne null": true, "none gt 1": false, "none eq 'x'": false, "none ne 'x'": true,
		"at ge 2026-01-02T03:04:05Z": true, "at gt 2026-01-02T03:04:05Z": false, "at lt '2026-01-03T00:00:00Z'": true, "at ge 2026-01-02": true,
		"at gt 2026-01-02T05:04:05+02:00": false,
		"startswith(name,'an')":           true, "startsWith(name, 'nn')": false, "endsWith(name,'NA')": true, "contains(name,'nn')": true,
		"tolower(name) eq 'anna'": true, "length(name) eq 4": true,
		"tags/any(t: t eq 'b')": true, "tags/any(t:t eq 'c')": false, "tags/all(t: t ne 'c')": true, "tags/all(t: t eq 'a')": false, "tags/any()": true,
		"none/any()": false, "none/all(x: x eq 1)": true,
		"list/any(l: l/id eq 'y' and l/n eq 2)": true, "list/any(l: l/id eq 'y' and l/n eq 1)": false, "list/$count eq 2": true,
		"status/errorCode eq 0": true, "status/deep/er eq 'v'": true, "status/no/such eq null": true,
		"name in ('x','Anna')": true, "name in ('x')": false, "n in (1,5)": true, "quote eq 'o''neil'": true, "a.b'Anna' eq name": true,
		"n eq 5 or n eq 6 and n eq 7": true, "(n eq 5 or n eq 6) and n eq 7": false,
		"n eq '5'": false, "n ne '5'": true, "true": true, "false or on": true, "name gt 'Abel'": true, "name eq 11111111-2222-4333-8444-555555555555": false,
		"list/any(l: tags/any(t: t eq l/id))": false, "list/any(l: tags/any(t: t ne l/id))": true,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(row()); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// Names count without case, and can be renamed to their spelling; text counts with
// case where that was asked for.
func TestNamesAndCase(t *testing.T) {
	f, err := ParseFilter("NAME eq 'Anna' and Status/ERRORCODE eq 0 and LIST/any(l: l/ID eq 'x')")
	if err != nil {
		t.Fatal(err)
	}
	f.Rename(strings.ToLower)
	if !f.Match(row()) || f.Paths()[0][0] != "name" || f.Paths()[2][0] != "list" {
		t.Errorf("not found without case: %v", f.Paths())
	}
	for text, want := range map[string]bool{"name eq 'anna'": false, "'anna' eq name": false, "name in ('anna')": false, "name eq 'Anna'": true,
		"name ne 'anna'": true, "name in ('x','Anna')": true, "startswith(name,'an')": true, "status/deep/er eq 'V'": true} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		f.Exact("name")
		if f.Match(row()) != want {
			t.Errorf("%s: %v, want %v", text, !want, want)
		}
	}
}

func TestBounds(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	for text, want := range map[string][2]time.Time{
		"at ge 2026-01-02T00:00:00Z and at le '2026-01-05T00:00:00Z'":       {day(2), day(5)},
		"at ge 2026-01-02 and (x eq 1 and at gt 2026-01-03)":                {day(3), {}},
		"at ge 2026-01-02 or at le 2026-01-05":                              {{}, {}}, // either may hold
		"not (at ge 2026-01-02)":                                            {{}, {}},
		"x/at ge 2026-01-02 and list/any(at: at ge 2026-01-02)":             {{}, {}},
		"at eq 2026-01-02 and at lt 2026-01-09 and at lt 2026-01-04T00:00Z": {day(2), day(2)},
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		from, to := f.Bounds("at")
		if !from.Equal(want[0]) || !to.Equal(want[1]) {
			t.Errorf("%s: %v to %v", text, from, to)
		}
	}
}

func TestQuery(t *testing.T) {
	q, err := Parse("$select=id,displayName&%24expand=members(%24select=id;$top=5),owners&$orderby=name+desc,n&$top=3&x=1&"+
		"$search=%22displayName:a%22+OR+%22mail:b%22&$count=TRUE", false)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Select) != 2 || len(q.Expand) != 2 || q.Expand[0].Name != "members" || len(q.Expand[0].Select) != 1 || len(q.OrderBy) != 2 ||
		!q.OrderBy[0].Desc || q.Top != 3 || len(q.Search) != 2 || !q.Count || q.Other.Get("x") != "1" {
		t.Errorf("%+v", q)
	}
	for _, bad := range []string{"$top=x", "$top=-1", "$select=", "$select=a(b)", "$expand=a(", "$orderby=a up", "$count=maybe", "$top=1&$top=2",
		"$filter=%zz", "$nope=1",
		"$format=xml", "$expand=manager($levels=0)", "$expand=a($nope=1)", "$search=x", "$skip=1.5", "$filter=" + strings.Repeat("x", maxQuery)} {
		if _, err := Parse(bad, false); err == nil {
			t.Errorf("%.40s was taken", bad)
		}
	}
	// Only beta takes options without the dollar sign.
	for _, beta := range []bool{false, true} {
		q, err := Parse("select=id&Filter=n+eq+1&top=3&other=1", beta)
		if err != nil || (len(q.Select) == 1) != beta || (q.Filter != nil) != beta || (q.Top == 3) != beta || q.Other.Has("top") == beta ||
			!q.Other.Has("other") {
			t.Errorf("beta %v: %+v, %v", beta, q, err)
		}
	}
	if q, err := Parse("$expand=manager($levels=max;$select=id),members($top=5)", false); err != nil || q.Expand[0].Levels != -1 ||
		len(q.Expand[1].Others) != 1 {
		t.Errorf("%+v, %v", q, err)
	}
	// The canonical form knows no order and no tokens.
	a, _ := Parse("$top=3&$select=id&$skiptoken=x", false)
	b, _ := Parse("$select=id&$top=3", false)
	if a.Canonical != b.Canonical {
		t.Errorf("%q and %q", a.Canonical, b.Canonical)
	}
}

// Whatever is parsed can be evaluated, and twice the same.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"name eq 'a' and not (n gt 5 or on)", "tags/any(t: t eq 'a')", "startswith(name,'x') or contains(name,'''')",
		"a/b/c in (1,'2',2026-01-01T00:00:00Z,null)", "list/all(l: l/n ge -1.5e3 and list/any(k: k/id eq l/id))",
		"at ge 2026-01-02T03:04:05.1234567Z", "((((((((((name", "x'", "11111111-2222-4333-8444-555555555555 eq id", "length(tolower(name)) le 3",
		"list/$count gt 0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := ParseFilter(text)
		if err != nil {
			if _, ours := err.(*Error); !ours {
				t.Fatalf("a foreign error: %v", err)
			}
			return
		}
		if first := x.Match(row()); first != x.Match(row()) {
			t.Fatal("two answers")
		}
		x.Match(map[string]any{})
		x.Bounds("at")
		x.Paths()
		x.Advanced()
		// not (f) is the opposite of f.
		if n, err := ParseFilter("not (" + text + ")"); err == nil && n.Match(row()) == x.Match(row()) {
			t.Fatalf("%q and its negation agree", text)
		}
	})
}

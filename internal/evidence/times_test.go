package evidence

import (
	"testing"
	"time"
)

func moment(s string) *time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &t
}

func TestDate(t *testing.T) {
	t.Parallel()
	read := *moment("2026-11-28")
	settings := func(newest, written string) Times {
		x := Times{Read: read, Root: "x"}
		if newest != "" {
			x.See(*moment(newest), false)
		}
		if written != "" {
			x.Written = moment(written)
		}
		return x
	}
	log := func(newest, written string) Times {
		x := settings("", written)
		x.See(*moment(newest), true)
		return x
	}
	for name, c := range map[string]struct {
		beside map[string]Times // path -> times
		path   string
		at     string
		by     By
	}{
		"an old folder copied today": {map[string]Times{"x/log": log("2021-04-28", "2026-11-28"), "x/p": settings("2020-01-01", "2026-11-28")},
			"x/p", "2021-04-28", ByFolder},
		"old settings beside a log of yesterday": {map[string]Times{"x/log": log("2026-11-27", "2026-11-28"), "x/p": settings("2025-10-01", "2026-11-28")},
			"x/p", "2026-11-27", ByFolder},
		"a file that was there before": {map[string]Times{"x/log": log("2026-11-27", "2026-11-28"), "x/p": settings("2025-10-01", "2026-10-01")},
			"x/p", "2026-10-01", ByFile},
		"a policy changed after the last sign-in": {map[string]Times{"x/log": log("2026-10-01", "2026-11-28"), "x/p": settings("2026-11-20", "2026-11-28")},
			"x/p", "2026-11-20", ByRecord},
		"settings alone":                  {map[string]Times{"x/p": settings("2020-01-01", "2026-11-28")}, "x/p", "2026-11-28", ByFile},
		"a file older than what it holds": {map[string]Times{"x/p": settings("2026-11-20", "2024-01-01")}, "x/p", "2026-11-20", ByRecord},
		"a clock of 1980":                 {map[string]Times{"x/p": settings("", "1980-01-01")}, "x/p", "", ByNothing},
		"standard input":                  {map[string]Times{"-": {Read: read}}, "-", "", ByNothing},
		"what the export says": {
			map[string]Times{"x/p": {Stated: moment("2024-05-04"), Written: moment("2026-11-28"), Root: "x"}}, "x/p", "2024-05-04", ByExport},
		"said for the folder": {
			map[string]Times{"x/m": {Stated: moment("2024-05-04"), Root: "x"}, "x/e/p": settings("", "2026-11-28")}, "x/e/p", "2024-05-04", ByFolder},
		"the nearest folder tells": {
			map[string]Times{"x/old/log": log("2021-04-28", ""), "x/new/log": log("2026-11-27", ""), "x/old/p": settings("", "2026-11-28")},
			"x/old/p", "2021-04-28", ByFolder},
		"not beyond what was named": {
			map[string]Times{"x/log": log("2021-04-28", ""), "y/p": {Written: moment("2026-11-28"), Root: "y"}}, "y/p", "2026-11-28", ByFile},
		"an entry of an archive": {
			map[string]Times{"x/a.zip!e/log": log("2021-04-28", ""), "x/a.zip!p": settings("", "2026-11-28")}, "x/a.zip!p", "2021-04-28", ByFolder},
	} {
		var inputs []Input
		which := -1
		for p, times := range c.beside {
			if p == c.path {
				which = len(inputs)
			}
			inputs = append(inputs, Input{Path: p, Times: times})
		}
		d := Date(inputs)[which]
		got := ""
		if !d.At.IsZero() {
			got = d.At.Format(time.DateOnly)
		}
		if got != c.at || d.By != c.by {
			t.Errorf("%s: %s by %s, want %s by %s", name, got, d.By, c.at, c.by)
		}
	}
}

func TestSee(t *testing.T) {
	t.Parallel()
	x := Times{Read: *moment("2026-11-28")}
	x.See(*moment("2099-01-01"), true) // a promise, or a lie, keeps nothing young
	x.See(time.Time{}, true)
	x.See(*moment("1601-01-01"), false)
	if x.Newest != nil {
		t.Error("dated by", x.Newest)
	}
	x.See(*moment("2026-11-20"), false)
	x.See(*moment("2026-11-01"), true) // the log's word goes before that of a setting
	x.See(*moment("2026-11-25"), false)
	if !x.Live || !x.Newest.Equal(*moment("2026-11-01")) {
		t.Errorf("%v %v", x.Newest, x.Live)
	}
}

// TestSpan: a log in a file a day is one list; two lists of different days are not.
func TestSpan(t *testing.T) {
	t.Parallel()
	one := func(path string, k Kind, at string) Input {
		return Input{Path: path, Kinds: map[Kind]int{k: 1}, Times: Times{Stated: moment(at)}}
	}
	daily := []Input{one("1", SignIn, "2026-11-01"), one("2", SignIn, "2026-11-20"), one("p", User, "2026-11-20")}
	if s, ok := SpanOf(daily, Date(daily)); !ok || !s.Oldest.Equal(s.Newest) {
		t.Errorf("%+v", s)
	}
	mixed := append(daily, one("q", Group, "2026-10-01"))
	if s, _ := SpanOf(mixed, Date(mixed)); s.OldestPath != "q" || s.Newest.Sub(s.Oldest) != 50*24*time.Hour {
		t.Errorf("%+v", s)
	}
}

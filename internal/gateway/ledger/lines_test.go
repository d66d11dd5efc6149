package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

const goodLine = `{"at":"2026-11-30T10:00:00Z","route":"panel","reason":"single-factor","mode":"report","refused":false,"kind":"user","tenant":"T1",` +
	`"caller":"BOB","account":"bob@contoso.example","client":"app2","agent":"Python","way":"bearer","times":3}`

func TestReadLines(t *testing.T) {
	t.Parallel()
	list, err := ReadLines(strings.NewReader(goodLine+"\n\n"+goodLine+"\n"), time.Time{}, time.Time{}, "")
	if err != nil || len(list) != 1 || list[0].N != 6 || list[0].Caller != "bob" || list[0].Tenant != "t1" {
		t.Fatalf("%+v %v", list, err)
	}
	if r := Make(list, nil, Filter{}); r.Findings[0].Times != 6 || r.Routes[0].Hit != 1 || r.Findings[0].Title == "" {
		t.Errorf("%+v", r)
	}
	for _, f := range []Filter{{Since: start.Add(time.Second)}, {Until: start.Add(-time.Second)}, {Route: "other"}} {
		if list, err := ReadLines(strings.NewReader(goodLine), f.Since, f.Until, f.Route); err != nil || len(list) != 0 {
			t.Errorf("%+v: %+v %v", f, list, err)
		}
	}
}

// Lines that are no decisions are refused, and named.
func TestHostileLines(t *testing.T) {
	t.Parallel()
	for what, line := range map[string]string{
		"no JSON":         `x`,
		"an array":        `[]`,
		"an unknown name": strings.Replace(goodLine, `"kind"`, `"token":"x","kind"`, 1),
		"no reason":       strings.Replace(goodLine, "single-factor", "", 1),
		"no such reason":  strings.Replace(goodLine, "single-factor", "nothing", 1),
		"no such mode":    strings.Replace(goodLine, `"report"`, `"loud"`, 1),
		"no such kind":    strings.Replace(goodLine, `"user"`, `"admin"`, 1),
		"less than none":  strings.Replace(goodLine, `"times":3`, `"times":-3`, 1),
		"too often":       strings.Replace(goodLine, `"times":3`, `"times":9000000000000000000`, 1),
		"no moment":       strings.Replace(goodLine, "2026", "0000", 1),
		"two objects":     goodLine + goodLine,
		"well, refused":   strings.Replace(strings.Replace(goodLine, "single-factor", "passed", 1), "false", "true", 1),
		"a long line":     strings.Replace(goodLine, "bob@", strings.Repeat("b", maxLine)+"@", 1),
	} {
		_, err := ReadLines(strings.NewReader(goodLine+"\n"+line+"\n"), time.Time{}, time.Time{}, "")
		if !errors.Is(err, problem.BadInput) || what != "a long line" && !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzReadLines(f *testing.F) {
	f.Add(goodLine)
	f.Add(goodLine + "\n" + goodLine)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadLines(strings.NewReader(text), time.Time{}, time.Time{}, "")
		if err != nil {
			return
		}
		for i := range list {
			if _, ok := gateway.ReasonOf(list[i].Reason); !ok || list[i].N < 1 {
				t.Errorf("%+v", list[i])
			}
		}
		r := Make(list, nil, Filter{})
		for _, by := range Groupings() {
			r.Grouped(by)
		}
	})
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	mk := func(caller, client string, reason gateway.Reason, n int64) Sum {
		return Sum{Route: "panel", Reason: reason.String(), Mode: "report", Kind: "user", Tenant: "t1", Caller: caller, Client: client, N: n,
			First: start, Last: start}
	}
	r := Make([]Sum{mk("a", "x", gateway.SingleFactor, 2), mk("b", "x", gateway.SingleFactor, 3), mk("a", "y", gateway.TooOld, 4), mk("c", "x",
		gateway.Passed, 1)},
		nil, Filter{})
	for by, want := range map[string]string{
		ByCaller: "a too-old, single-factor y, x 6 1|b single-factor x 3 1", ByReason: " single-factor  5 2| too-old  4 1", ByClient: "  x 5 2|  y 4 1",
		ByRoute: "   9 2",
	} {
		var got []string
		for _, f := range r.Grouped(by) {
			got = append(got, strings.Join([]string{f.Caller, f.Reason, f.Client, itoa(f.Times), itoa(int64(f.Callers))}, " "))
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("by %s: %q, not %q", by, s, want)
		}
	}
}

func itoa(n int64) string { return string(rune('0' + n)) }

func TestPercent(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		n, of int64
		want  string
	}{{0, 0, "none"}, {0, 9, "0 %"}, {9, 9, "100 %"}, {1, 1_000_000, "less than 0.1 %"}, {999_999, 1_000_000, "more than 99.9 %"}, {8, 1000, "0.8 %"},
		{995, 1000, "99 %"}, {1, 3, "33 %"}} {
		if got := Percent(x.n, x.of); got != x.want {
			t.Errorf("%d of %d: %s", x.n, x.of, got)
		}
	}
}

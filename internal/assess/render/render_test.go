package render

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page/pagetest"
)

// reports are what every format must stand.
func reports() map[string]*assess.Report {
	return map[string]*assess.Report{
		"typical": rendertest.Typical(), "perfect": rendertest.Perfect(), "empty": rendertest.Empty(),
		"bare": rendertest.Bare(), "hostile": rendertest.Hostile(), "huge": rendertest.Huge(3000),
	}
}

type format func(io.Writer, *assess.Report) error

func formats() map[string]format {
	return map[string]format{
		"text":     func(w io.Writer, r *assess.Report) error { return Text(w, r, TextOptions{Width: 100}) },
		"headline": func(w io.Writer, r *assess.Report) error { return Headline(w, r, TextOptions{Width: 80}) },
		"html":     HTML, "csv": CSV, "accounts csv": AccountsCSV, "junit": JUnit, "json": JSON,
	}
}

func write(t *testing.T, f format, r *assess.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEqualReportsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		for kind := range reports() {
			first := write(t, f, reports()[kind])
			if again := write(t, f, reports()[kind]); again != first {
				t.Errorf("%s of the %s report differs between two runs", name, kind)
			}
		}
	}
}

// A format shows a report, it does not change it.
func TestReportStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		r := rendertest.Typical()
		r.Accounts[3].WaysOut, r.Requirements[5].Evidence = nil, nil
		before := write(t, JSON, r)
		write(t, f, r)
		if r.Accounts[3].WaysOut != nil || r.Requirements[5].Evidence != nil || write(t, JSON, r) != before {
			t.Errorf("%s changed the report", name)
		}
	}
}

func TestWriteErrorsAreTold(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		for _, n := range []int{0, 500} {
			if err := f(&pagetest.BrokenWriter{N: n}, rendertest.Huge(2000)); err == nil {
				t.Errorf("%s: a writer that breaks after %d bytes is not noticed", name, n)
			}
		}
	}
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	q := func(level, binding string, v assess.Verdict) assess.Requirement {
		return assess.Requirement{Level: level, Binding: binding, Verdict: v}
	}
	for _, tc := range []struct {
		name string
		list []assess.Requirement
		v    assess.Verdict
		says string
	}{
		{"nothing judged", nil, assess.Unknown, "No mandatory requirement could be judged"},
		{"one not met", []assess.Requirement{q("mandatory", "contract", assess.NotMet)}, assess.NotMet, "1 of 1 mandatory requirement is not met."},
		{"one not met, one unknown", []assess.Requirement{q("mandatory", "contract", assess.NotMet), q("mandatory", "enforced", assess.Unknown)},
			assess.NotMet, "1 cannot be judged"},
		{"unknown is not met", []assess.Requirement{q("mandatory", "contract", assess.Met), q("mandatory", "enforced", assess.Unknown)}, assess.Unknown,
			"No breach was found, but 1 of 2"},
		{"all unknown", []assess.Requirement{q("mandatory", "contract", assess.Unknown)}, assess.Unknown, "No mandatory requirement can be judged"},
		{"a word nobody knows is unknown", []assess.Requirement{q("mandatory", "contract", "fine"), q("mandatory", "contract", assess.Met)}, assess.Unknown,
			"1 of 2"},
		{"recommended does not decide", []assess.Requirement{q("mandatory", "contract", assess.Met), q("recommended", "advised", assess.NotMet)}, assess.Met,
			"The one mandatory requirement is met"},
		{"announced does not decide", []assess.Requirement{q("mandatory", "announced", assess.NotMet), q("mandatory", "contract", assess.Met)}, assess.Met,
			"is met"},
		{"attested is said", []assess.Requirement{q("mandatory", "contract", assess.Met), q("mandatory", "contract", assess.Attested)}, assess.Attested,
			"1 of them on somebody's word"},
	} {
		v, s := headline(&assess.Report{Requirements: tc.list})
		if v != tc.v || !strings.Contains(s, tc.says) {
			t.Errorf("%s: %s %q, want %s and %q", tc.name, v, s, tc.v, tc.says)
		}
	}
}

func TestFallShort(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		q    assess.Requirement
		want string
	}{
		{assess.Requirement{Verdict: assess.NotMet, Affected: 7, Total: 41, Unit: "accounts"}, "7 of 41 accounts"},
		{assess.Requirement{Verdict: assess.NotMet, Affected: 1, Total: 1, Unit: "apps"}, "1 of 1 app"},
		{assess.Requirement{Verdict: assess.NotMet, Affected: 1234567, Unit: "sign-ins"}, "1,234,567 sign-ins"},
		{assess.Requirement{Verdict: assess.Met, Total: 9, Unit: "accounts"}, "none of 9 accounts"},
		{assess.Requirement{Verdict: assess.Unknown, Total: 9, Unit: "accounts"}, "—"},
	} {
		if got := fallShort(&tc.q); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

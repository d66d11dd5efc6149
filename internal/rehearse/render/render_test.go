package render

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/page"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/rehearse/render/rendertest"
)

// results are what every format must stand.
func results() map[string]*rehearse.Result {
	return map[string]*rehearse.Result{
		"typical": rendertest.Typical(), "calm": rendertest.Calm(), "empty": rendertest.Empty(), "huge": rendertest.Huge(3000),
		"hostile": rendertest.Hostile(), "bare": {},
	}
}

type format func(io.Writer, *rehearse.Result) error

func formats() map[string]format {
	return map[string]format{
		"text": func(w io.Writer, r *rehearse.Result) error { return Text(w, r, Options{Width: 100}) },
		"html": HTML, "csv": CSV, "json": JSON,
	}
}

func write(t *testing.T, f format, r *rehearse.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEqualResultsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		for kind := range results() {
			first := write(t, f, results()[kind])
			if again := write(t, f, results()[kind]); again != first {
				t.Errorf("%s of the %s result differs between two runs", name, kind)
			}
		}
	}
}

// A format shows a result, it does not change it.
func TestResultStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		r := rendertest.Typical()
		r.Groups[0].WaysOut, r.Notes = nil, nil
		before := write(t, JSON, r)
		write(t, f, r)
		if r.Groups[0].WaysOut != nil || r.Notes != nil || write(t, JSON, r) != before {
			t.Errorf("%s changed the result", name)
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

func TestTextKeepsItsWidth(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		for _, w := range []int{1, 40, 41, 60, 80, 100, 120, 200} {
			var b strings.Builder
			if err := Text(&b, r, Options{Width: w}); err != nil {
				t.Fatal(err)
			}
			pagetest.CheckScreen(t, kind, b.String(), w)
		}
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// Colour adds nothing but colour.
func TestTextColour(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		var plain, coloured strings.Builder
		if err := Text(&plain, r, Options{Width: 90}); err != nil {
			t.Fatal(err)
		}
		if err := Text(&coloured, r, Options{Width: 90, Color: true}); err != nil {
			t.Fatal(err)
		}
		if sgr.ReplaceAllString(coloured.String(), "") != plain.String() || strings.Contains(plain.String(), "\x1b") {
			t.Errorf("%s: colour changes the text", kind)
		}
	}
}

func TestTextSaysWhatMatters(t *testing.T) {
	t.Parallel()
	out := write(t, formats()["text"], rendertest.Typical())
	pagetest.Has(t, out, "Rehearsal: The partner-baseline preset", "633 successful user sign-ins replayed", "from 2026-11-01 to 2026-11-19",
		"✗ Sign-ins of 1 account would newly be open. 6 accounts would break, 223 sign-ins would newly be challenged.",
		"What would happen", "Newly open", "4 sign-ins", "Asked for MFA, able to answer", "14 accounts",
		"✗ scanner@contoso.com", "44 sign-ins, last 2026-11-19 16:05 UTC", "Exchange Online by Authenticated SMTP", "Blocked by Partner baseline 2",
		"→ way out: B",
		"frontdesk@contoso.com", "→ way out: E, F", "and 9 more in the JSON and the CSV", "Ways out", "A The proposed settings are weaker",
		"What the settings prove", "✗ gap → ✓ proved", "What was proposed", "report-only, rehearsed as if enabled", "Inputs")
	if n := strings.Count(out, "Move the script to the Secure Application Model"); n != 1 {
		t.Errorf("a way out is said %d times", n)
	}
	pagetest.Has(t, write(t, formats()["text"], rendertest.Calm()), "✓ Nothing recorded would change.", "Unchanged 633 sign-ins")
	pagetest.Has(t, write(t, formats()["text"], rendertest.Empty()), "? Nothing was rehearsed", "INCOMPLETE")
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	group := func(e rehearse.Effect, id string) rehearse.Group { return rehearse.Group{Effect: e, ID: id} }
	for _, tc := range []struct {
		name string
		r    rehearse.Result
		tone print.Tone
		says string
	}{
		{"an account that breaks twice counts once",
			rehearse.Result{Rows: 9, Groups: []rehearse.Group{group(rehearse.BlockedThen, "a"), group(rehearse.ChallengedUnable, "a"),
				group(rehearse.BlockedThen, "b")}},
			print.Bad, "2 accounts would break, 0 sign-ins"},
		{"able", rehearse.Result{Complete: true, Rows: 9, Totals: []rehearse.Total{{Effect: rehearse.ChallengedAble, Rows: 5, Accounts: 2}}}, print.Good,
			"No account would break: 5 sign-ins"},
		{"able, half a log", rehearse.Result{Rows: 9, Totals: []rehearse.Total{{Effect: rehearse.ChallengedAble, Rows: 5, Accounts: 2}}}, print.Doubt,
			"not everything was read"},
		{"nothing changes in half a log", rehearse.Result{Rows: 9}, print.Doubt, "not everything was read"},
		{"not told", rehearse.Result{Rows: 9, Totals: []rehearse.Total{{Effect: rehearse.UndecidedThen, Rows: 5, Accounts: 2}}}, print.Doubt,
			"not all can be told"},
		{"opened", rehearse.Result{Rows: 9, Groups: []rehearse.Group{group(rehearse.Opened, "a")}}, print.Bad,
			"Sign-ins of 1 account would newly be open. 0 accounts would break"},
		{"nothing", rehearse.Result{}, print.Doubt, "Nothing was rehearsed"},
	} {
		if tone, s := headline(&tc.r); tone != tc.tone || !strings.Contains(s, tc.says) {
			t.Errorf("%s: %v %q", tc.name, tone, s)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		page := write(t, HTML, r)
		pagetest.CheckPage(t, kind, page)
		if len(page) > 3<<20 {
			t.Errorf("%s: a page of %d bytes", kind, len(page))
		}
	}
	page := write(t, HTML, rendertest.Typical())
	pagetest.Has(t, page, "The partner-baseline preset", "6 accounts would break", "Accounts, by what would happen to them", "Service and shared accounts",
		"Recorded sign-ins, by what would happen to them",
		"Newly open", "Refused", "Authenticated SMTP", "Show 14", "353 sign-ins of 38 accounts would go on as today", "What the settings prove",
		"What was proposed", "How to read this")
	if n := strings.Count(page, `<figure class="plot `); n != 2 {
		t.Errorf("%d plots", n)
	}
	if strings.Count(write(t, HTML, rendertest.Huge(3000)), `<tr role="row" class=`) > 6*(pagePeople+pageFolded) {
		t.Error("the page shows everything")
	}
}

// Bars stand inside their plot.
func TestDrawingsStayInside(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		for _, p := range []*page.Plot{accountPlot(r), rowPlot(r)} {
			for _, d := range p.Sizes {
				for _, b := range d.Rects {
					if b.X < 0 || b.Y < 0 || b.W < 0 || b.H < 0 || b.X+b.W > d.W+.01 || b.Y+b.H > d.H+.01 {
						t.Errorf("%s, %s: a bar at %+v in %vx%v", kind, d.Label, b, d.W, d.H)
					}
				}
			}
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		out := write(t, CSV, r)
		pagetest.CheckSheet(t, kind, out)
		if got := len(pagetest.Sheet(t, out)); got != len(r.Groups)+1 {
			t.Errorf("%s: %d rows of %d groups", kind, got-1, len(r.Groups))
		}
	}
	rows := pagetest.Sheet(t, write(t, CSV, rendertest.Typical()))
	pagetest.Has(t, strings.Join(rows[2], " "), "blocked scanner@contoso.com u4 service Exchange Online Authenticated SMTP 44 2026-11-19T16:05:00Z",
		"app password", "exports/signIns.jsonl.gz:701")
}

func schemaOf(t *testing.T) *pagetest.Schema {
	t.Helper()
	return pagetest.LoadSchema(t, "../../../docs/rehearsal.schema.json", rehearse.SchemaID)
}

func TestResultsKeepTheSchema(t *testing.T) {
	t.Parallel()
	root := schemaOf(t)
	for kind, r := range results() {
		if kind == "hostile" || kind == "bare" {
			continue // hostile words and no words are no result of ours
		}
		faults := root.Check(t, write(t, JSON, r), kind)
		for _, f := range faults[:min(len(faults), 10)] {
			t.Error(f)
		}
	}
	for _, broken := range []string{`{}`, `{"totals":null}`, `{"groups":[{"effect":"fine"}]}`} {
		if len(root.Check(t, broken, "broken")) == 0 {
			t.Errorf("the checker accepts %s", broken)
		}
	}
	for _, e := range root.Enum(t, "effect", "") {
		if title, _, _ := effect(rehearse.Effect(e)); title == e {
			t.Errorf("the effect %s has no words for people", e)
		}
	}
	if n := len(root.Enum(t, "effect", "")); n != len(rehearse.Effects()) || n != len(effectWords) {
		t.Errorf("%d effects in the schema", n)
	}
}

// Every field of the Go types is in the schema, and the other way round.
func TestSchemaMatchesTypes(t *testing.T) {
	t.Parallel()
	schemaOf(t).MatchesTypes(t, []string{"verdict", "effect"}, reflect.TypeFor[rehearse.Result]())
}

func TestJSONForm(t *testing.T) {
	t.Parallel()
	for kind, r := range results() {
		out := write(t, JSON, r)
		if !json.Valid([]byte(out)) || !strings.HasSuffix(out, "\n}\n") || !strings.HasPrefix(out, "{\n  \"schema\"") || strings.Contains(out, ": null") {
			t.Errorf("%s: not an indented object, or a null", kind)
		}
	}
	var back rehearse.Result
	r := rendertest.Typical()
	if err := json.Unmarshal([]byte(write(t, JSON, r)), &back); err != nil {
		t.Fatal(err)
	}
	if write(t, JSON, &back) != write(t, JSON, r) {
		t.Error("reading and writing again changes the result")
	}
}

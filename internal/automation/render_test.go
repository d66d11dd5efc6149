package automation_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/automation"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

const evil = "=cmd|' /C calc'!A0\x1b[2J\u202e\n"

func hostile() *automation.View {
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	item := func(s automation.State, c automation.Confidence) automation.Item {
		return automation.Item{
			ID: "auto-1", Account: "u", Name: evil, App: evil, AppName: evil + strings.Repeat("x", 5000), Protocol: automation.Legacy, Client: evil,
			Confidence: c, Why: []string{evil, "b"}, Advice: "do it",
			Evidence: automation.Evidence{SignIns: 12345, Days: 3, First: at.AddDate(0, 0, -5), Last: at, Stopped: 2, Failed: 1, Programs: []string{evil},
				Examples: []automation.Example{{ID: evil, IP: evil, Source: evidence.Source{Path: evil, Line: 7}}}},
			Owner: evil, State: s, Note: evil, Story: evil, MovedAt: at,
		}
	}
	return &automation.View{Stored: true, Changes: &automation.Merged{New: []string{"a"}}, Beyond: 7, Unread: []string{evil},
		Items: []automation.Item{item(automation.Found, automation.Certain), item(automation.Moved, automation.Likely),
			item(automation.Planned, automation.Possible), item(automation.Gone, automation.Certain), {ID: "bare"}}}
}

func TestTextIsTame(t *testing.T) {
	t.Parallel()
	for _, colour := range []bool{false, true} {
		for _, w := range []int{40, 80, 200} {
			var b bytes.Buffer
			if err := automation.Text(&b, hostile(), print.Options{Width: w, Color: colour}); err != nil {
				t.Fatal(err)
			}
			out := b.String()
			if strings.Contains(out, "\x1b[2J") || strings.Contains(out, "\u202e") || !colour && strings.Contains(out, "\x1b") {
				t.Errorf("%q", out)
			}
			for line := range strings.Lines(out) {
				if !colour && print.Width(strings.TrimSuffix(line, "\n")) > w {
					t.Errorf("%d columns: %q", w, line)
				}
			}
			flat := strings.Join(strings.Fields(out), " ")
			for _, want := range []string{"12,345 sign-ins on 3 days", "2 stopped for MFA, 1 failed", "1 new, 0 seen again", "not complete: 7 rows",
				"Not read whole", "verified gone", "silent until 2026-11-20", "to do: do it"} {
				if !colour && !strings.Contains(flat, want) { // colours stand between words
					t.Errorf("%q is not in %s", want, flat)
				}
			}
		}
	}
}

func TestCSVIsTame(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := automation.CSV(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatal(len(rows), err)
	}
	for _, r := range rows[1:] {
		for i, c := range r {
			if strings.HasPrefix(c, "=") || strings.ContainsAny(c, "\x1b\u202e") {
				t.Errorf("%s: %q", rows[0][i], c)
			}
		}
	}
}

func TestJSONHasLists(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := automation.JSON(&b, &automation.View{}); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil || v["schema"] != automation.SchemaID {
		t.Fatal(v, err)
	}
	for _, list := range []string{"items", "covered", "unread"} {
		if _, ok := v[list].([]any); !ok {
			t.Errorf("%s is %v", list, v[list])
		}
	}
}

// What cannot be said must not be: an empty list is praise only with coverage.
func TestNothingFound(t *testing.T) {
	t.Parallel()
	for covered, want := range map[bool]bool{true: false, false: true} {
		v := &automation.View{}
		if covered {
			v.Covered = []automation.Span{{From: on(0), To: on(40)}}
		}
		var b bytes.Buffer
		if err := automation.Text(&b, v, print.Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "cannot show their absence") != want || !strings.Contains(b.String(), "No script or service") {
			t.Errorf("%v: %s", covered, &b)
		}
	}
}

package msapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
)

// rowsOf are the rows that answers hold, each once, by item and id, in order. A
// list that began once more counts from there.
func rowsOf(t *testing.T, pages []*msapi.Answer) []string {
	t.Helper()
	rows := map[string]string{}
	for _, a := range pages {
		if a.Anew {
			clear(rows)
		}
		var in struct {
			Value []json.RawMessage `json:"value"`
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(a.Body, &in); err != nil {
			t.Fatalf("%s: %v", a.Request, err)
		}
		for _, raw := range append(in.Value, in.Items...) {
			var id struct{ ID, EventDataID string }
			if err := json.Unmarshal(raw, &id); err != nil {
				t.Fatal(err)
			}
			key := a.Of + " " + id.ID + id.EventDataID
			if old, ok := rows[key]; ok && old != string(raw) {
				t.Errorf("%s changed", key)
			}
			rows[key] = string(raw)
		}
		if in.Value == nil && in.Items == nil {
			rows[a.Of+" object"] = string(a.Body)
		}
	}
	var out []string
	for k, v := range rows {
		out = append(out, k+" "+v)
	}
	slices.Sort(out)
	return out
}

// through walks to the end whatever happens on the way, as a collector does: it
// goes on from the last answer.
func (l *lab) through(t *testing.T, target msapi.Target, r evidence.Resource, s msapi.Span) (out []*msapi.Answer) {
	t.Helper()
	from := msapi.Resume{}
	var last error
	for range 200 {
		pages, err := l.walked(t, target, r, s, from)
		last = err
		for i, a := range pages {
			if a.Number != from.Number+i {
				t.Fatalf("%s: answer %d is numbered %d", r.Name, from.Number+i, a.Number)
			}
		}
		if out = append(out, pages...); len(pages) > 0 {
			from.Position, from.Number = pages[len(pages)-1].Position, from.Number+len(pages)
		}
		var e *msapi.APIError
		switch {
		case err == nil:
			return out
		case errors.As(err, &e) && !e.Transient || !errors.As(err, &e) && !errors.Is(err, problem.Limit):
			t.Fatalf("%s: %v", r.Name, err)
		}
		l.c = l.another()
	}
	t.Fatalf("%s does not end: %d answers, %s", r.Name, len(out), fmt.Sprint(last, from.Position))
	return nil
}

// short makes pages of a few rows.
func short(r evidence.Resource) evidence.Resource {
	r.Query = strings.ReplaceAll(strings.ReplaceAll(r.Query, "size=500", "size=7"), "$top=999", "$top=25")
	if strings.HasPrefix(r.Name, "signIns.") {
		r.Query = "?$top=25"
	}
	return r
}

// With every harm that the partner cloud can do, a walk that is gone on with
// where it stopped gives the rows of an undisturbed one.
func TestWalkOnBadDays(t *testing.T) {
	t.Parallel()
	l := newBigLab(t)
	target := l.target()
	span := l.lately()
	names := []string{"signIns.interactiveUser", "signIns.nonInteractiveUser", "users", "groups", "customers", "directoryAudits",
		"delegatedAdminAccessAssignments", "customerSubscriptions"}
	calm := map[string][]string{}
	for _, name := range names {
		calm[name] = rowsOf(t, l.through(t, target, short(resource(t, name)), span))
		if len(calm[name]) < 3 {
			t.Fatalf("%s has %d rows", name, len(calm[name]))
		}
	}
	for _, kind := range []gate.Kind{gate.Throttle, gate.ThrottleBare, gate.ServerErrors, gate.Cut, gate.Half, gate.Lost, gate.RepeatPage, gate.ChangedPage,
		gate.ExpiredToken, gate.Skew, gate.Slow} {
		for _, service := range []string{gate.Graph, gate.Center} {
			f := gate.Fault{Service: service, Kind: kind, Share: 0.4}
			if kind == gate.Slow {
				f.Delay = time.Millisecond
			}
			if _, err := l.s.Gate.Inject(f); err != nil {
				t.Fatal(err)
			}
		}
		hits := 0
		for _, name := range names {
			got := rowsOf(t, l.through(t, target, short(resource(t, name)), span))
			if !slices.Equal(got, calm[name]) {
				t.Errorf("%s: %s: %d rows, undisturbed %d", kind, name, len(got), len(calm[name]))
			}
		}
		for _, f := range l.s.Gate.Faults() {
			hits += f.Hits
		}
		if hits < 3 && kind != gate.ChangedPage { // which strikes at a page that is read twice
			t.Errorf("%s struck %d times", kind, hits)
		}
		l.s.Gate.Clear("")
	}
}

// A walk that is broken off after any answer goes on with the very next one.
func TestWalkGoesOn(t *testing.T) {
	t.Parallel()
	l := newBigLab(t)
	target, span := l.target(), l.lately()
	span.To = span.To.Add(-2 * time.Hour) // rows come late: until then they are all there, and no page is begun meanwhile
	for _, name := range []string{"signIns.nonInteractiveUser", "users", "groups", "customers", "auditRecords", "azureActivity"} {
		r := short(resource(t, name))
		if r.Way == evidence.Sliced {
			r.Slice = 3 * time.Hour
		}
		whole := l.through(t, target, r, span)
		for stop := range whole {
			var first *msapi.Answer
			for a, err := range l.c.Walk(t.Context(), target, r, span, msapi.Resume{Position: whole[stop].Position, Number: stop + 1}) {
				if err != nil {
					t.Fatal(name, err)
				}
				first = a
				break
			}
			switch {
			case stop == len(whole)-1:
				if first != nil || !whole[stop].Last {
					t.Errorf("%s goes on after its end: %s", name, brief(first))
				}
			case first == nil || first.Of != whole[stop+1].Of || first.Number != stop+1 || !first.From.Equal(whole[stop+1].From) ||
				first.Last != whole[stop+1].Last:
				t.Errorf("%s after answer %d of %d: %s, want %s", name, stop, len(whole), brief(first), brief(whole[stop+1]))
			case stop > 30:
			}
			if stop > 0 && stop < len(whole)-2 && stop > 30 {
				break
			}
		}
	}
}

// brief is an answer without its body, which may have megabytes.
func brief(a *msapi.Answer) string {
	if a == nil {
		return "nothing"
	}
	return fmt.Sprintf("number %d of %q, %s to %s, last %v, %d bytes", a.Number, a.Of, a.From, a.To, a.Last, len(a.Body))
}

// A slice that is too wide for production is halved until it is not, and nothing
// is left out between two.
func TestWalkHalvesSlices(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r, span, target := resource(t, "signIns.nonInteractiveUser"), l.lately(), l.target()
	want := rowsOf(t, l.through(t, target, r, span))
	if _, err := l.s.Gate.Inject(gate.Fault{Service: gate.Graph, Kind: gate.TooWide, Delay: 30 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	pages, err := l.walked(t, target, r, span, msapi.Resume{})
	if err != nil {
		t.Fatal(err)
	}
	covered := span.From
	for _, a := range pages {
		if a.From.After(covered) || a.To.Sub(a.From) > 30*time.Minute {
			t.Fatalf("a hole or too wide: %s to %s after %s", a.From, a.To, covered)
		}
		if a.Covered.After(a.To) || a.Covered.Before(covered) {
			t.Fatalf("covered %s by %s to %s", a.Covered, a.From, a.To)
		}
		covered = a.Covered
	}
	if !covered.Equal(span.To) || !slices.Equal(rowsOf(t, pages), want) {
		t.Errorf("covered to %s of %s, %d rows of %d", covered, span.To, len(rowsOf(t, pages)), len(want))
	}
	l.s.Gate.Clear("")
	if _, err := l.s.Gate.Inject(gate.Fault{Service: gate.Graph, Kind: gate.TooWide, Delay: time.Second}); err != nil {
		t.Fatal(err)
	}
	before := len(l.s.Gate.Seen(gate.Filter{}))
	pages, err = l.walked(t, target, r, span, msapi.Resume{})
	var e *msapi.APIError
	if len(pages) > 1 || !errors.As(err, &e) || !e.Transient { // one may be a second wide: what is left of a slice at the beginning
		t.Errorf("always late: %d answers, %v", len(pages), err)
	}
	if n := len(l.s.Gate.Seen(gate.Filter{})) - before; n > 30 { // down to a minute, each width twice
		t.Errorf("always late: asked %d times", n)
	}
}

// Changes are read on from where the last reading ended; when that is forgotten,
// the whole list comes again, and says so.
func TestWalkDelta(t *testing.T) {
	t.Parallel()
	l := newBigLab(t)
	r, target := resource(t, "users"), l.target()
	first, err := l.walked(t, target, r, msapi.Span{}, msapi.Resume{})
	if err != nil || len(first) < 2 || first[len(first)-1].Delta == "" {
		t.Fatalf("%d answers, %v", len(first), err)
	}
	all := len(rowsOf(t, first))
	delta := first[len(first)-1].Delta
	none, err := l.walked(t, target, r, msapi.Span{}, msapi.Resume{Delta: delta})
	if err != nil || len(none) != 1 || len(rowsOf(t, none)) > 1 || none[0].Anew || none[0].Delta == "" {
		t.Fatalf("nothing changed: %+v %v", none, err)
	}
	l.Graph("PATCH", "/v1.0/users/"+admin, `{"displayName":"Another"}`)
	some, err := l.walked(t, target, r, msapi.Span{}, msapi.Resume{Delta: none[0].Delta})
	if err != nil || len(rowsOf(t, some)) == 0 || len(rowsOf(t, some)) > 3 || !strings.Contains(string(some[0].Body), "Another") {
		t.Errorf("one changed: %v %v", rowsOf(t, some), err)
	}
	l.Jump(31 * 24 * time.Hour)
	target = l.target()
	again, err := l.walked(t, target, r, msapi.Span{}, msapi.Resume{Delta: delta})
	if err != nil || !again[0].Anew || again[1].Anew || len(rowsOf(t, again)) != all || !again[len(again)-1].Last {
		t.Errorf("a token that is forgotten: %d answers, %v", len(again), err)
	}
	_, err = l.walked(t, target, r, msapi.Span{}, msapi.Resume{Position: "{"})
	if !errors.Is(err, problem.BadInput) {
		t.Errorf("a position that is none: %v", err)
	}
}

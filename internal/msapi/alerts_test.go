package msapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// TestNeverAnswersAll: no way of writing sends an answer to fraud events without their ids,
// however it is spelt.
func TestNeverAnswersAll(t *testing.T) {
	t.Parallel()
	w := &wired{answer: func(*http.Request, int) *http.Response { return answered(200, `[]`) }}
	g, p := clientsOf(t, w)
	ctx := t.Context()
	bodies := map[string]any{
		"empty":    map[string]any{"EventIds": []string{}, "EventStatus": "Resolved", "ResolvedReason": "Fraud"},
		"null":     map[string]any{"EventIds": nil, "EventStatus": "Resolved"},
		"none":     map[string]any{"EventStatus": "Resolved", "ResolvedReason": "Fraud"},
		"lower":    map[string]any{"eventids": []string{}, "eventstatus": "Resolved"},
		"blank":    map[string]any{"EventIds": []string{" "}, "EventStatus": "Resolved"},
		"one of":   map[string]any{"EventIds": []string{"a_b", ""}, "EventStatus": "Resolved"},
		"a text":   map[string]any{"EventIds": "a_b", "EventStatus": "Resolved"},
		"twice":    rawJSON(`{"EventIds":["a_b"],"EventStatus":"Resolved","EventIds":[]}`),
		"escaped":  rawJSON(`{"\u0045ventIds":[],"EventStatus":"Resolved"}`),
		"deep":     map[string]any{"requests": []any{map[string]any{"body": map[string]any{"EventIds": []string{}}}}},
		"in texts": map[string]any{"body": `{"EventIds":[]}`},
		"objects":  map[string]any{"EventIds": map[string]string{}, "EventStatus": "Resolved"},
		"bottom":   rawJSON(strings.Repeat("[", 70) + `{"EventIds":[]}` + strings.Repeat("]", 70)),
	}
	writes := map[string]func(body any) error{
		"Change POST":  func(b any) error { _, err := g.Change(ctx, http.MethodPost, "/v1.0/$batch", b); return err },
		"Change PATCH": func(b any) error { _, err := g.Change(ctx, http.MethodPatch, "/v1.0/x", b); return err },
		"Write": func(b any) error {
			_, err := g.Write(ctx, msapi.Write{Method: http.MethodPost, Path: "/v1.0/x", Body: b})
			return err
		},
	}
	for how, write := range writes {
		for spelt, body := range bodies {
			if err := write(body); !errors.Is(err, problem.Internal) || !strings.Contains(err.Error(), "never answers fraud events") {
				t.Errorf("%s, %s: %v", how, spelt, err)
			}
		}
	}
	for _, id := range []string{"", " ", "\t", strings.Repeat("x", 301)} {
		if err := p.ResolveFraudEvent(ctx, customer, id, "Fraud"); !errors.Is(err, problem.Usage) {
			t.Errorf("%q: %v", id, err)
		}
		if err := g.ResolveAlert(ctx, id, "fraud"); !errors.Is(err, problem.Usage) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{".", "..", "a/b", "a?b", "a%2fb", "a b"} {
		if err := g.ResolveAlert(ctx, id, "fraud"); !errors.Is(err, problem.Usage) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := p.ResolveFraudEvent(ctx, "../x", "e", "Fraud"); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
	if len(w.bodies) != 0 {
		t.Errorf("sent: %q", w.bodies)
	}
	if err := p.ResolveFraudEvent(ctx, customer, customer+"_e", "Fraud"); err != nil || len(w.bodies) != 1 ||
		w.bodies[0] != `POST /v1/fraudEvents/subscription/`+
			customer+`/status {"EventIds":["`+customer+`_e"],"EventStatus":"Resolved","ResolvedReason":"Fraud"}` {
		t.Errorf("%v %q", err, w.bodies)
	}
}

// TestAnswersOnce: an answer whose reply was lost is not sent again by itself.
func TestAnswersOnce(t *testing.T) {
	t.Parallel()
	w := &wired{answer: func(*http.Request, int) *http.Response { return nil }}
	g, p := clientsOf(t, w)
	if err := p.ResolveFraudEvent(t.Context(), customer, "a_b", "Fraud"); err == nil || len(w.bodies) != 1 {
		t.Errorf("%v, sent %d times", err, len(w.bodies))
	}
	if err := g.ResolveAlert(t.Context(), "g1", "fraud"); err == nil || len(w.bodies) != 2 {
		t.Errorf("%v, sent %d times", err, len(w.bodies)-1)
	}
}

// TestFraudEvents: pages are bare arrays; a service that gives the same page for ever, or all
// of it at once, ends the walk.
func TestFraudEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pages []string
		want  int
		fails bool
	}{
		"none":        {[]string{`[]`}, 0, false},
		"one":         {[]string{`[{"eventId":"a"},{"eventId":"b"}]`, `[]`}, 2, false},
		"the same":    {[]string{`[{"eventId":"a"}]`, `[{"eventId":"a"}]`}, 1, false},
		"items":       {[]string{`{"items":[{"eventId":"a"}]}`, `{"items":[]}`}, 1, false},
		"no array":    {[]string{`{"x":1}`}, 0, true},
		"null":        {[]string{`null`}, 0, true},
		"no objects":  {[]string{`[1]`}, 0, true},
		"small pages": {[]string{`[{"eventId":"a"}]`, `[{"eventId":"b"}]`, `[{"eventId":"c"}]`, `[]`}, 3, false},
	} {
		w := &wired{answer: func(_ *http.Request, n int) *http.Response { return answered(200, c.pages[min(n, len(c.pages))-1]) }}
		_, p := clientsOf(t, w)
		n, failed := 0, false
		for _, err := range p.FraudEvents(t.Context(), "") {
			if err != nil {
				failed = true
				break
			}
			n++
		}
		if n != c.want || failed != c.fails {
			t.Errorf("%s: %d %v", name, n, failed)
		}
	}
}

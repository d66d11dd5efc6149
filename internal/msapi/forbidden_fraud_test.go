package msapi_test

import (
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
)

// TestOneFraudEvent: no way of writing sends an answer to fraud events that is not for exactly
// one, however its address or body is spelt.
func TestOneFraudEvent(t *testing.T) {
	t.Parallel()
	w := &wired{answer: func(*http.Request, int) *http.Response { return answered(200, `{}`) }}
	g, _ := clientsOf(t, w)
	c := msapi.New(msapi.Options{Transport: w, Tries: 1})
	t.Cleanup(c.Close)
	a, err := c.ARM(msapi.Commercial(), tenantID, msapi.Fixed(secret.New(aToken)))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/v1/fraudEvents/subscription/" + customer + "/status", "/v1/FRAUDEVENTS/subscription/x/status", "/v1/%66raudEvents/subscription/x/status",
		"/v1/%2566raudEvents/subscription/x/status", "/v1/x/../fraudEvents/y"}
	bodies := map[string]any{
		"none": nil, "empty object": rawJSON(`{}`), "null": rawJSON(`null`), "a list": rawJSON(`["a"]`), "text": "EventIds",
		"no ids": rawJSON(`{"EventStatus":"Resolved"}`), "empty": rawJSON(`{"EventIds":[],"EventStatus":"Resolved"}`), "null ids": rawJSON(`{"eventIds":null}`),
		"an empty id": rawJSON(`{"EVENTIDS":[" "]}`), "two": rawJSON(`{"EventIds":["a","b"]}`), "twice": rawJSON(`{"EventIds":["a"],"eventids":["b"]}`),
		"twice, the last empty": rawJSON(`{"EventIds":["a"],"EventIds":[]}`), "numbers": rawJSON(`{"EventIds":[1]}`), "escaped": rawJSON(`{"Event\u0049ds":[]}`),
		"spaced": rawJSON(`{"EventIds":["a"]," EventIds":[]}`), "a text": rawJSON(`{"EventIds":"a"}`),
	}
	for _, path := range paths {
		for name, body := range bodies {
			for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
				if _, err := g.Write(t.Context(), msapi.Write{Method: method, Path: path, Body: body}); err == nil || !strings.Contains(err.Error(), "never answers") {
					t.Errorf("Write %s %s %s: %v", method, path, name, err)
				}
				if _, err := a.Do(t.Context(), method, path, body); err == nil || !strings.Contains(err.Error(), "never answers") {
					t.Errorf("Do %s %s %s: %v", method, path, name, err)
				}
				if _, err := g.Change(t.Context(), method, path, body); err == nil || !strings.Contains(err.Error(), "never answers") {
					t.Errorf("Change %s %s %s: %v", method, path, name, err)
				}
			}
		}
	}
	if len(w.bodies) > 0 {
		t.Fatalf("these were sent: %q", w.bodies)
	}
	if _, err := g.Write(t.Context(), msapi.Write{Method: http.MethodPost, Path: paths[0], Body: rawJSON(`{"EventIds":["a"],"EventStatus":"Resolved","ResolvedReason":"Fraud"}`)}); err != nil {
		t.Error(err)
	}
	if len(w.bodies) != 1 {
		t.Errorf("%q", w.bodies)
	}
}

package msapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// wired answers every request alike, and keeps what it was sent.
type wired struct {
	mu     sync.Mutex
	bodies []string
	ifs    []string
	answer func(r *http.Request, n int) *http.Response
}

func (w *wired) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	w.bodies = append(w.bodies, r.Method+" "+r.URL.Path+" "+body)
	w.ifs = append(w.ifs, r.Header.Get("If-Match"))
	res := w.answer(r, len(w.bodies))
	if res == nil {
		return nil, errors.New("the connection broke")
	}
	return res, nil
}

func answered(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

const aToken = "eyJhbGciOiJub25lIn0.e30.x"

// clientsOf are clients over a wire.
func clientsOf(t *testing.T, w *wired) (*msapi.Graph, *msapi.PartnerCenter) {
	t.Helper()
	c := msapi.New(msapi.Options{Transport: w})
	t.Cleanup(c.Close)
	g, err := c.Graph(msapi.Commercial(), tenantID, msapi.Fixed(secret.New(aToken)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.PartnerCenter(msapi.Commercial(), tenantID, msapi.Fixed(secret.New(aToken)))
	if err != nil {
		t.Fatal(err)
	}
	return g, p
}

const (
	tenantID = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customer = "0d1c2b3a-0000-4000-8000-000000000001"
)

// TestNeverEndsReseller: no way of writing sends what ends the reseller relationship,
// however it is spelt.
func TestNeverEndsReseller(t *testing.T) {
	t.Parallel()
	w := &wired{answer: func(*http.Request, int) *http.Response { return answered(200, `{}`) }}
	g, p := clientsOf(t, w)
	ctx := t.Context()
	raw := func(s string) any { return rawJSON(s) }
	bodies := map[string]any{
		"plain":   map[string]string{"relationshipToPartner": "none"},
		"capital": map[string]string{"RelationshipToPartner": "none"},
		"upper":   map[string]string{"RELATIONSHIPTOPARTNER": "none"},
		"deep":    map[string]any{"requests": []any{map[string]any{"body": map[string]string{"relationshipToPartner": "none"}}}},
		"text":    map[string]string{"body": `{"relationshipToPartner":"none"}`},
		"escaped": raw(`{"relationshipToP\u0061rtner":"none"}`),
		"spaced":  raw(`{ "\u0072elationshipToPartner" : "none" }`),
	}
	writes := map[string]func(body any) error{
		"Change POST":   func(b any) error { _, err := g.Change(ctx, http.MethodPost, "/v1.0/$batch", b); return err },
		"Change PATCH":  func(b any) error { _, err := g.Change(ctx, http.MethodPatch, "/v1.0/x", b); return err },
		"Change DELETE": func(b any) error { _, err := g.Change(ctx, http.MethodDelete, "/v1.0/x", b); return err },
		"Write": func(b any) error {
			_, err := g.Write(ctx, msapi.Write{Method: http.MethodPatch, Path: "/v1.0/x", Body: b})
			return err
		},
		"GrantConsent": func(any) error {
			_, err := p.GrantConsent(ctx, customer, tenantID, "relationshipToPartner", []msapi.ConsentGrant{{Resource: tenantID, Scopes: []string{"A"}}})
			return err
		},
	}
	for how, write := range writes {
		for spelt, body := range bodies {
			if err := write(body); !errors.Is(err, problem.Internal) || !strings.Contains(err.Error(), "never ends a reseller relationship") {
				t.Errorf("%s, %s: %v", how, spelt, err)
			}
		}
	}
	if _, err := g.Write(ctx, msapi.Write{Method: http.MethodPost, Path: "/v1.0/x?relationshipToPartner=none"}); !errors.Is(err, problem.Internal) {
		t.Errorf("in the address: %v", err)
	}
	if len(w.bodies) != 0 {
		t.Errorf("sent: %q", w.bodies)
	}
	// DAP goes by one member alone.
	if err := p.RemoveDAP(ctx, customer); err != nil || len(w.bodies) != 1 ||
		w.bodies[0] != `PATCH /v1/customers/`+customer+` {"AllowDelegatedAccess":false,"attributes":{"objectType":"Customer"}}` {
		t.Errorf("%v %q", err, w.bodies)
	}
}

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// A change is sent once, with the ETag it was read with; the answer's headers come along,
// and a link to elsewhere does not.
func TestWrite(t *testing.T) {
	t.Parallel()
	here := "https://graph.microsoft.com/v1.0/r/1/operations/2"
	w := &wired{answer: func(r *http.Request, n int) *http.Response {
		switch n {
		case 1:
			return answered(202, "", "Location", here, "Retry-After", "10")
		case 2:
			return answered(202, "", "Location", "https://evil.example/v1.0/r/1/operations/2")
		case 3:
			return answered(200, `{"id":"x","@odata.etag":"W/\"2\""}`)
		case 4:
			return answered(412, `{"error":{"code":"PreconditionFailed"}}`)
		}
		return nil
	}}
	g, _ := clientsOf(t, w)
	ctx := t.Context()
	x := msapi.Write{Method: http.MethodPatch, Path: "/v1.0/r/1", IfMatch: `W/"1"`, Body: map[string]int{"a": 1}}
	a, err := g.Write(ctx, x)
	if err != nil || a.Status != 202 || a.Location != "/v1.0/r/1/operations/2" || a.RetryAfter.Seconds() != 10 || a.Body != nil || w.ifs[0] != `W/"1"` {
		t.Errorf("%+v %v %q", a, err, w.ifs)
	}
	if a, err = g.Write(ctx, x); err != nil || a.Location != "" {
		t.Errorf("a link to elsewhere: %+v %v", a, err)
	}
	if a, err = g.Read(ctx, "/v1.0/r/1"); err != nil || a.ETag != `W/"2"` {
		t.Errorf("%+v %v", a, err)
	}
	var e *msapi.APIError
	if _, err = g.Write(ctx, x); !errors.As(err, &e) || e.Status != 412 || e.Transient {
		t.Errorf("%v", err)
	}
	if _, err = g.Write(ctx, x); !errors.As(err, &e) || !e.Transient || len(w.bodies) != 5 {
		t.Errorf("a change whose answer is lost was sent %d times: %v", len(w.bodies)-4, err)
	}
}

// What Partner Center does not say of DAP is unknown.
func TestDAP(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]msapi.Compliance{`{"allowDelegatedAccess":true}`: msapi.Compliant, `{"AllowDelegatedAccess":false}`: msapi.NotCompliant,
		`{}`: msapi.Unknown, `{"allowDelegatedAccess":null}`: msapi.Unknown} {
		w := &wired{answer: func(*http.Request, int) *http.Response { return answered(200, body) }}
		_, p := clientsOf(t, w)
		if got, err := p.DAP(context.Background(), customer); err != nil || got != want {
			t.Errorf("%s: %s %v", body, got, err)
		}
	}
}

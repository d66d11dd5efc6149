package partnercloud

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

// Whoever holds the control secret acts as an administrator, through Graph and
// with its traces.
func TestGraphAsAdministrator(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	c := control.Dial(l.i.Control, l.i.ControlSecret)
	call := func(method, path, tenant, body string) control.GraphAnswer {
		t.Helper()
		a, err := c.Graph(t.Context(), control.GraphCall{Method: method, Path: path, Tenant: tenant, Body: json.RawMessage(body)})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	l.good(l.i.Tenant.ID, rt, graphAPI+"/.default")
	if a := call(http.MethodPost, "/v1.0/users/"+samAgent+"/revokeSignInSessions", "", ""); a.Status != http.StatusOK {
		t.Fatalf("revoke: %d %s", a.Status, a.Body)
	}
	if a := l.refresh(l.i.Tenant.ID, rt, graphAPI+"/.default"); a.status == http.StatusOK || a.aadsts() != 50173 {
		t.Errorf("after the revocation: %d %s", a.status, a.raw)
	}
	if a := call(http.MethodPatch, "/v1.0/users/"+samAgent, "", `{"accountEnabled":false}`); a.Status != http.StatusNoContent || len(a.Body) != 0 {
		t.Errorf("disable: %d %s", a.Status, a.Body)
	}
	if a := call(http.MethodGet, "/v1.0/organization", "fabrikam.example", ""); a.Status != http.StatusOK ||
		!strings.Contains(string(a.Body), l.customer("fabrikam.example")) {
		t.Errorf("a customer: %d %s", a.Status, a.Body)
	}
	if a := call(http.MethodGet, "/v1.0/nothing", "", ""); a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound {
		t.Errorf("unknown: %d", a.Status)
	}
	log := call(http.MethodGet, "/v1.0/auditLogs/directoryAudits", "", "")
	if !strings.Contains(string(log.Body), "StsRefreshTokenValidFrom") {
		t.Errorf("the revocation left no trace: %.300s", log.Body)
	}
	for _, bad := range []control.GraphCall{
		{Method: "GET", Path: "//evil.example/x"}, {Method: "GET", Path: "https://evil.example/"}, {Method: "G T", Path: "/v1.0/users"},
		{Method: "GET", Path: "/v1.0/users", Tenant: "no.example"},
	} {
		if _, err := c.Graph(t.Context(), bad); !errors.Is(err, problem.Usage) && !errors.Is(err, problem.NotFound) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

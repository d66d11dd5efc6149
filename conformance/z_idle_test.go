package conformance

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// Files order tests by their names. These move the clock far, after which the
// tokens of others and assertions at this machine's time are of no use, so they
// come last.

// Audit rows arrive late, as in production: two hours on all are there.
func TestZGraphAudits(t *testing.T) {
	shows(t, graphSDK, "a page of auditLogs/directoryAudits: a row of a write, after the log's lag")
	admin := graphClient(t, fixed(adminToken(t)))
	n := models.NewGroup()
	n.SetDisplayName(ptr("Audited"))
	n.SetMailNickname(ptr("audited"))
	n.SetMailEnabled(ptr(false))
	n.SetSecurityEnabled(ptr(true))
	made, err := admin.Groups().Post(context.Background(), n, nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	cli(t, "clock", "+2h")
	r, err := graphClient(t, collector(t)).AuditLogs().DirectoryAudits().Get(context.Background(), nil)
	for _, a := range list(t, r, err) {
		has(t, "directoryAudit", a.GetId(), a.GetActivityDisplayName(), a.GetCategory())
		for _, target := range a.GetTargetResources() {
			if text(target.GetId()) != text(made.GetId()) {
				continue
			}
			by := a.GetInitiatedBy()
			if by == nil || by.GetUser() == nil || text(by.GetUser().GetUserPrincipalName()) != someone(t, "mia.lindqvist").upn {
				t.Error("the row does not say who did it")
			}
			return
		}
	}
	t.Error("no row of the group")
}

// The 90 days of a refresh token that nobody uses.
func TestZCurlIdle(t *testing.T) {
	shows(t, "curl", "95 idle days later the control panel's refresh token is dead: AADSTS700082")
	a := program(t, "control panel")
	refresh := samToken(t)
	if _, ok := exchange(t, a, cloud.Tenant.ID, refresh, centerDefault)["access_token"]; !ok {
		t.Fatal("it is dead before")
	}
	cli(t, "clock", "+95d")
	dead := exchange(t, a, cloud.Tenant.ID, refresh, centerDefault)
	if codes, _ := json.Marshal(dead["error_codes"]); string(codes) != "[700082]" || dead["error"] != "invalid_grant" {
		t.Errorf("after 95 idle days: %v", dead)
	}
}
